"""Every module makes the published tokens, digit for digit, from the keys of the vectors."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from keys import (
    ClearCreditRequest,
    ClearTamperRequest,
    CreditRequest,
    CurrencyCreditRequest,
    IssueJournal,
    KeysError,
    MaximumPowerLimitRequest,
    MeterConfiguration,
    NewKey,
    PhasePowerUnbalanceLimitRequest,
    RegisteredKey,
    TariffRateRequest,
    TokenRequest,
    VendingKeyRecord,
    WaterMeterFactorRequest,
    WriteExtendedRequest,
)
from keys.issuing import JournalledModule
from keys.records import check_value_of
from sts import (
    BaseDate,
    ClearCredit,
    ClearTamperCondition,
    EncryptionAlgorithm,
    KeyExpiryNumber,
    KeyType,
    SetMaximumPhasePowerUnbalanceLimit,
    SetMaximumPowerLimit,
    SetTariffRate,
    SetWaterMeterFactor,
    StsError,
    Token,
    TransferCredit,
    TransferCurrencyCredit,
    WriteExtended,
    datetime_from_tid,
)
from sts.conformance import load_bundled, load_file
from sts.token_identifier import is_reserved_minute
from sts.vectors import KeyInput, VectorCase
from tests.contract.conftest import MakeModule
from tests.contract.security_modules import FixedBits, Held, Setup
from tests.house.project import ROOT
from tests.journals import new_journal

FILES: Final = ("cross_checked_sample.json", "dkga03_cross_checked.json", "reference_only.json")
DAY: Final = timedelta(days=1)
AT_ONCE: Final = 40
"""Vectors to a module: SoftHSM takes the longer for a key the more it has."""


@dataclass(frozen=True, kw_only=True)
class Example:
    """A vector as a module sees it; its tenant is its own."""

    case: VectorCase
    held: tuple[Held, ...]
    meter: MeterConfiguration
    new: NewKey | None


REQUESTS: Final[dict[type[object], type[TokenRequest]]] = {
    TransferCredit: CreditRequest,
    TransferCurrencyCredit: CurrencyCreditRequest,
    SetMaximumPowerLimit: MaximumPowerLimitRequest,
    SetMaximumPhasePowerUnbalanceLimit: PhasePowerUnbalanceLimitRequest,
    ClearCredit: ClearCreditRequest,
    ClearTamperCondition: ClearTamperRequest,
    SetTariffRate: TariffRateRequest,
    SetWaterMeterFactor: WaterMeterFactorRequest,
    WriteExtended: WriteExtendedRequest,
}
"""Kind of token to the request that asks for it; the fields have the same names."""


def _request(token: Token) -> TokenRequest:
    values = {field.name: getattr(token, field.name) for field in fields(token)}
    values.pop("rnd", None)
    tid = values.pop("tid")
    make: Callable[..., TokenRequest] = REQUESTS[type(token)]
    return make(tid_minutes=tid, special_reserved=is_reserved_minute(tid), **values)


def _held(tenant: str, key: KeyInput, expiry: KeyExpiryNumber) -> Held:
    assert key.attributes is not None
    assert key.algorithm is not None
    assert key.vending_key is not None
    attributes = key.attributes
    meter = MeterConfiguration(
        tenant=tenant,
        meter_pan=attributes.meter_pan,
        supply_group_code=attributes.supply_group_code,
        tariff_index=attributes.tariff_index,
        key_revision_number=attributes.key_revision_number,
        key_type=attributes.key_type,
        encryption_algorithm=attributes.encryption_algorithm,
    )
    record = VendingKeyRecord(
        tenant=tenant,
        supply_group_code=attributes.supply_group_code,
        key_revision_number=attributes.key_revision_number,
        key_type=attributes.key_type,
        key_generation_algorithm=key.algorithm,
        base_date=attributes.base_date,
        key_expiry_number=expiry,
        check_value=check_value_of(key.vending_key),
    )
    return Held(key=RegisteredKey(record=record), vending_key=key.vending_key, meters=(meter,))


def _example(case: VectorCase, number: int) -> Example | None:
    """Return a vector that a module can make.

    Or None: without a key, of licensed tables, of key type 3, with a rollover bit that no module
    would set, or with two vending keys of one revision.
    """
    key, change = case.key, case.change
    if key is None or key.attributes is None or case.sta_tables == "licensed" or not case.expected:
        return None
    if KeyType.COMMON in (key.attributes.key_type, change.key_type if change else None):
        return None
    expiry = KeyExpiryNumber(255)
    present = _held(f"tenant-{number}", key, expiry)
    meter = present.meters[0]
    if change is None or case.new_key is None or case.new_key.attributes is None:
        return Example(case=case, held=(present,), meter=meter, new=None)
    goal = _held(meter.tenant, case.new_key, change.key_expiry_number)
    new = NewKey(
        supply_group_code=goal.meters[0].supply_group_code,
        key_revision_number=goal.meters[0].key_revision_number,
        tariff_index=goal.meters[0].tariff_index,
        with_supply_group_code=case.set_size == 3,
    )
    if not _is_possible(case, present=present, goal=goal, rollover=change.rollover):
        return None
    # One vending key serves both where only the tariff index changes.
    if goal.key.name == present.key.name:
        present = replace(present, meters=(*present.meters, *goal.meters))
        return Example(case=case, held=(present,), meter=meter, new=new)
    return Example(case=case, held=(present, goal), meter=meter, new=new)


def _is_possible(case: VectorCase, *, present: Held, goal: Held, rollover: bool) -> bool:
    """Tell whether a module could be in this situation, and would set the rollover bit so."""
    if goal.key.name == present.key.name and goal.key != present.key:
        return False
    changes_base = goal.key.record.base_date is not present.key.record.base_date
    return case.part not in {None, 1} or rollover is changes_base


def _examples() -> Iterator[Example]:
    vectors = ROOT / "tests" / "vectors"
    cases = [*load_bundled(), *(case for name in FILES for case in load_file(vectors / name))]
    for number, case in enumerate(cases):
        assert isinstance(case, VectorCase)
        example = _example(case, number)
        if example is not None:
            yield example


EXAMPLES: Final = tuple(_examples())


def _made(
    module: JournalledModule, example: Example, *, bits: FixedBits, journal: IssueJournal
) -> tuple[str, ...]:
    """Return the tokens a module makes of a vector; of a single part, that part."""
    case, base = example.case, example.held[0].key.record.base_date
    if example.new is not None:
        # At the beginning of its base date no new key has expired.
        now = example.held[-1].key.record.base_date.start + DAY
        answer = module.change_key(
            example.meter, example.new, message_id="m", now=now, journal=journal
        )
        digits = tuple(token.digits for token in answer.tokens)
        return digits if case.part is None else (digits[case.part - 1],)
    assert case.token is not None
    request = _request(case.token)
    bits.value = getattr(case.token, "rnd", 0)
    now = datetime_from_tid(request.tid_minutes, base)
    answered = module.issue(example.meter, request, message_id="m", now=now, journal=journal)
    return (answered.digits,)


def _refusal(example: Example) -> str | None:
    """Return why a module does not make a token that the vectors have, or None if it does."""
    token = example.case.token
    if getattr(token, "tid", None) == 0:
        return "FIELD_RANGE"
    is_credit = isinstance(token, TransferCredit | TransferCurrencyCredit)
    if is_credit and example.meter.key_type is KeyType.DEFAULT:
        return "CREDIT_UNDER_DEFAULT_KEY"
    return None


def test_a_module_makes_the_published_tokens(make_module: MakeModule, tmp_path: Path) -> None:
    """All but those that no module may make: credit under a default key, and identifier 0."""
    bits, different, made = FixedBits(), {}, 0
    for start in range(0, len(EXAMPLES), AT_ONCE):
        examples = EXAMPLES[start : start + AT_ONCE]
        folder = tmp_path / str(start)
        folder.mkdir()
        held = [each for example in examples for each in example.held]
        module = make_module(Setup(folder=folder, held=held, bits=bits))
        journal = new_journal(folder / "group.db")
        with closing(journal), journal.transaction() as group:
            for example in examples:
                expected: object = _refusal(example) or example.case.expected
                found: object
                try:
                    found = _made(module, example, bits=bits, journal=group)
                except (KeysError, StsError) as error:
                    found = error.code
                made += found == example.case.expected
                if found != expected:
                    different[example.case.identity] = found
    assert not different
    assert made > 850


def test_the_vectors_cover_both_ciphers_and_all_kinds_of_request() -> None:
    tokens = {type(example.case.token) for example in EXAMPLES if example.case.token}
    algorithms = {example.meter.encryption_algorithm for example in EXAMPLES}
    bases = {example.held[0].key.record.base_date for example in EXAMPLES}
    assert len(tokens) == 9
    assert algorithms >= {EncryptionAlgorithm.STA, EncryptionAlgorithm.MISTY1}
    assert bases >= {BaseDate.Y1993, BaseDate.Y2014}
    assert {example.case.set_size for example in EXAMPLES} >= {2, 3, 4}
