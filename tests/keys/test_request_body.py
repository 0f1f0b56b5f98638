"""The text of a request: the same bytes for ever, or journals would not know requests again."""

from hypothesis import given
from hypothesis import strategies as st

from keys.journal import JournalSeal
from keys.request_body import change_body, issue_body
from keys.requests import CreditRequest, MeterConfiguration, NewKey
from keys.secret import Secret
from sts import (
    EncryptionAlgorithm,
    KeyExpiryNumber,
    KeyRevisionNumber,
    KeyType,
    MeterPan,
    Service,
    SupplyGroupCode,
    TariffIndex,
    TokenCarrierType,
    UnitAmount,
)
from sts.codec import clear_block

groups = st.integers(0, 999_999).map(SupplyGroupCode)
revisions = st.integers(1, 9).map(KeyRevisionNumber)
tariff_indexes = st.integers(0, 99).map(TariffIndex)
meters = st.builds(
    MeterConfiguration,
    tenant=st.just("thabaneng"),
    meter_pan=st.sampled_from(("01777000017", "0100200002010")).map(MeterPan.from_drn),
    supply_group_code=groups,
    tariff_index=tariff_indexes,
    key_revision_number=revisions,
    key_type=st.sampled_from(KeyType),
    encryption_algorithm=st.sampled_from(EncryptionAlgorithm),
    token_carrier_type=st.sampled_from(TokenCarrierType),
    key_expiry_number=st.none() | st.integers(0, 255).map(KeyExpiryNumber),
)
new_keys = st.builds(
    NewKey,
    supply_group_code=groups,
    key_revision_number=revisions,
    tariff_index=tariff_indexes,
    with_supply_group_code=st.booleans(),
    allow_algorithm_change=st.booleans(),
)


def _lines(*values: object) -> bytes:
    """Write down the text as it is defined: each value as it shows itself, one a line."""
    return "\n".join(map(str, values)).encode("ascii")


def _meter(meter: MeterConfiguration) -> tuple[object, ...]:
    return (
        meter.meter_pan,
        meter.supply_group_code,
        meter.tariff_index,
        meter.key_revision_number,
        int(meter.key_type),
        meter.encryption_algorithm.value,
        meter.token_carrier_type.value,
    )


@given(meter=meters, code=st.integers(0, 0xFFFF), tid=st.integers(2, 1439))
def test_a_request_for_a_token_says_meter_class_and_block(
    meter: MeterConfiguration, code: int, tid: int
) -> None:
    request = CreditRequest(service=Service.ELECTRICITY, tid_minutes=tid, amount=UnitAmount(code))
    block = clear_block(request.token(0), meter.encryption_algorithm.key_bits)
    assert issue_body(meter, request.token(0)) == _lines("issue", *_meter(meter), 0, block)


@given(meter=meters, new=new_keys, digest=st.none() | st.just("ab" * 32))
def test_a_request_for_a_key_change_says_both_keys(
    meter: MeterConfiguration, new: NewKey, digest: str | None
) -> None:
    assert change_body(meter, new, ditk_digest=digest) == _lines(
        "change-key" if digest is None else f"commission {digest}",
        *_meter(meter),
        meter.key_expiry_number,
        new.supply_group_code,
        new.key_revision_number,
        new.tariff_index,
        new.with_supply_group_code,
        new.allow_algorithm_change,
    )


def test_the_keyed_hash_of_a_request_stays_what_it_is() -> None:
    """Worked out with the ``hmac`` of Python, apart from the program."""
    seal = JournalSeal(Secret(bytes(32)))
    assert (
        seal.request_hash(b"issue")
        == "1c56e84d64fc452924274d37db9ffafb0009658813ba82d36a3b347623602455"
    )
    assert (
        seal.digest(b"issue") == "dc043c5707bdf33c103dcbde639f879fa0c3472d2f9b8a7bf680a5b2ede9bca6"
    )
