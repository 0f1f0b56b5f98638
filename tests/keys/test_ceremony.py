from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import reduce
from typing import Any, Final

import pytest
from Crypto.Cipher import DES
from hypothesis import given
from hypothesis import strategies as st

from keys.ceremony import (
    MOST_COMPONENTS,
    WEAK_DES_KEYS,
    Ceremony,
    CombinedKey,
    Origin,
    generate_vending_key,
)
from keys.ceremony_errors import (
    CeremonyCompleteError,
    CeremonyError,
    CeremonyIncompleteError,
    CeremonyRecordError,
    ComponentCountError,
    ComponentFormatError,
    CustodianNameError,
    SameCustodianError,
    WeakKeyError,
    WorthlessComponentError,
)
from keys.ceremony_record import ceremony_record
from keys.check_values import (
    CheckValueFormatError,
    CheckValueMethod,
    CheckValueMethodError,
    CheckValueMismatchError,
    check_value,
)
from keys.registered_key import KeyTerms
from keys.trusted_centres import LAB_NOTICE
from sts import KeyGenerationAlgorithm, VendingKey
from sts.errors import KeyLengthError, NaiveDatetimeError
from tests.keys.custody import KEY_64, KEY_160, NOW, fixed_random, registered
from tests.strategies import shown_in, telling_bytes

# Published in no standard: the published 160-bit key in two and in three parts.
HALF: Final = bytes(range(0xA0, 0xB4))
OTHER_HALF: Final = bytes(a ^ b for a, b in zip(HALF, KEY_160.expose(), strict=True))
LENGTHS: Final = (64, 128, 160)


def _entered(ceremony: Ceremony, custodian: str, value: bytes) -> Ceremony:
    return ceremony.with_entered(custodian, value.hex(), check_value=check_value(VendingKey(value)))


def _two_halves() -> Ceremony:
    return _entered(_entered(Ceremony(bits=160), "Ada Ohm", HALF), "Ben Volt", OTHER_HALF)


# --- the key ----------------------------------------------------------------------------------


def test_two_components_make_the_key() -> None:
    ceremony = _two_halves()
    assert ceremony.combined_check_value() == check_value(KEY_160) == "229A7E"
    combined = ceremony.complete("22 9a 7e")
    assert combined.vending_key == KEY_160
    assert combined.check_value == "229A7E"
    assert combined.has_odd_parity is None
    assert [component.custodian for component in combined.components] == ["Ada Ohm", "Ben Volt"]
    assert {component.origin for component in combined.components} == {Origin.ENTERED}


@given(
    st.sampled_from(LENGTHS).flatmap(
        lambda bits: st.lists(
            telling_bytes(bits // 8), min_size=2, max_size=MOST_COMPONENTS, unique=True
        )
    )
)
def test_the_key_is_the_xor_of_all_components_in_any_order(values: list[bytes]) -> None:
    expected = reduce(
        lambda one, other: bytes(a ^ b for a, b in zip(one, other, strict=True)), values
    )
    for order in (values, values[::-1]):
        ceremony = Ceremony(bits=len(values[0]) * 8, components_wanted=len(values))
        try:
            for number, value in enumerate(order):
                ceremony = _entered(ceremony, f"custodian {number}", value)
            combined = ceremony.complete(check_value(VendingKey(expected)))
        except (WorthlessComponentError, WeakKeyError):
            return
        assert combined.vending_key.expose() == expected


@given(st.sampled_from(LENGTHS), st.integers(min_value=2, max_value=MOST_COMPONENTS), st.text())
def test_a_generated_key_is_the_xor_of_what_was_revealed(bits: int, count: int, seed: str) -> None:
    ceremony = Ceremony(bits=bits, components_wanted=count)
    random_bytes = fixed_random(ascii(seed))
    for number in range(count):
        ceremony = ceremony.with_generated(f"custodian {number}", random_bytes)
    combined = ceremony.complete(ceremony.combined_check_value())
    again = Ceremony(bits=bits, components_wanted=count)
    for component in combined.components:
        digits = component.reveal()
        assert len(digits.split()) == bits // 16
        again = again.with_entered(component.custodian, digits, check_value=component.check_value)
    assert again.complete(combined.check_value).vending_key == combined.vending_key
    assert combined.has_odd_parity is (None if bits == 160 else True)
    assert {component.origin for component in combined.components} == {Origin.GENERATED}


def test_a_component_generated_after_an_odd_one_still_gives_an_odd_key() -> None:
    ceremony = _entered(Ceremony(bits=64), "Ada Ohm", KEY_64.expose())
    ceremony = ceremony.with_generated("Ben Volt", fixed_random("x"))
    assert ceremony.complete(ceremony.combined_check_value()).has_odd_parity is True


def test_a_key_that_is_not_odd_is_reported_and_left_as_it_is() -> None:
    ceremony = _entered(Ceremony(bits=64), "Ada Ohm", bytes.fromhex("0102040810204080"))
    ceremony = _entered(ceremony, "Ben Volt", KEY_64.expose())
    combined = ceremony.complete(ceremony.combined_check_value())
    assert combined.has_odd_parity is False
    assert combined.vending_key.expose().hex() == "aaa9afa3bb8beb2b"


def test_a_des_check_value_from_other_equipment_confirms_as_well() -> None:
    des = CheckValueMethod.DES
    ceremony = Ceremony(bits=64).with_entered(
        "Ada Ohm", "ABAB-ABAB-ABAB-ABAB", check_value="C33F45", method=des
    )
    ceremony = _entered(ceremony, "Ben Volt", bytes.fromhex("0102040810204080"))
    confirmed = ceremony.combined_check_value(des)
    combined = ceremony.complete(confirmed, des)
    assert combined.check_value == check_value(combined.vending_key) != confirmed
    with pytest.raises(CheckValueMethodError):
        _two_halves().complete("229A7E", des)


def test_each_step_leaves_the_one_before_as_it_was() -> None:
    ceremony = Ceremony(bits=160)
    ceremony.with_generated("Ada Ohm", fixed_random("x"))
    assert (ceremony.missing, ceremony.components) == (2, ())


@given(st.sampled_from(LENGTHS), st.text())
def test_a_key_that_one_program_makes_alone_has_the_right_form(bits: int, seed: str) -> None:
    made = generate_vending_key(bits, fixed_random(ascii(seed)))
    assert made.bits == bits
    assert bits == 160 or made.has_odd_parity
    with pytest.raises(KeyLengthError):
        generate_vending_key(56, fixed_random(""))


# --- dual control -----------------------------------------------------------------------------


@pytest.mark.parametrize("again", ["Ada Ohm", "ada ohm", "ADA  OHM", "\uff21da Ohm"])
def test_nobody_holds_two_components(again: str) -> None:
    ceremony = Ceremony(bits=160).with_generated("Ada Ohm", fixed_random("x"))
    with pytest.raises(SameCustodianError):
        ceremony.with_generated(again, fixed_random("y"))
    with pytest.raises(SameCustodianError):
        _entered(ceremony, again, OTHER_HALF)


@pytest.mark.parametrize("name", ["", " ", "Ada\n", "x" * 201])
def test_a_custodian_has_a_name(name: str) -> None:
    with pytest.raises(CustodianNameError):
        Ceremony(bits=160).with_generated(name, fixed_random("x"))
    with pytest.raises(CustodianNameError):
        _entered(Ceremony(bits=160), name, HALF)


@pytest.mark.parametrize("count", [-1, 0, 1, 10])
def test_one_component_is_no_dual_control(count: int) -> None:
    with pytest.raises(ComponentCountError):
        Ceremony(bits=160, components_wanted=count)


def test_a_key_is_not_ready_before_the_last_component() -> None:
    ceremony = Ceremony(bits=160, components_wanted=3)
    for missing in (3, 2, 1):
        with pytest.raises(CeremonyIncompleteError, match=f"^{missing} more"):
            ceremony.combined_check_value()
        with pytest.raises(CeremonyIncompleteError):
            ceremony.complete("000000")
        ceremony = ceremony.with_generated(f"custodian {missing}", fixed_random(str(missing)))
    assert ceremony.combined_check_value()


def test_a_component_too_many_is_refused() -> None:
    with pytest.raises(CeremonyCompleteError):
        _two_halves().with_generated("Cy Watt", fixed_random("x"))
    with pytest.raises(CeremonyCompleteError):
        _entered(_two_halves(), "Cy Watt", bytes(range(20)))


# --- what people type -------------------------------------------------------------------------


@pytest.mark.parametrize("digits", ["", "AB", "XY" * 20, "AB" * 8, "AB" * 21, "A" * 39])
def test_a_component_has_the_length_of_the_key(digits: str) -> None:
    with pytest.raises(ComponentFormatError, match="40 hexadecimal digits") as refused:
        Ceremony(bits=160).with_entered("Ada Ohm", digits, check_value="000000")
    assert not digits or digits not in str(refused.value)


@pytest.mark.parametrize("bits", [0, 56, 161])
def test_a_key_has_a_length_that_keys_have(bits: int) -> None:
    with pytest.raises(ComponentFormatError):
        Ceremony(bits=bits)


def test_a_mistyped_component_is_found_by_its_check_value() -> None:
    written_down = check_value(VendingKey(HALF))
    mistyped = HALF[:-1] + bytes([HALF[-1] ^ 1])
    with pytest.raises(CheckValueMismatchError):
        Ceremony(bits=160).with_entered("Ada Ohm", mistyped.hex(), check_value=written_down)
    with pytest.raises(CheckValueFormatError):
        Ceremony(bits=160).with_entered("Ada Ohm", HALF.hex(), check_value="")


def test_the_combined_check_value_must_be_confirmed() -> None:
    with pytest.raises(CheckValueMismatchError):
        _two_halves().complete("000000")
    with pytest.raises(CheckValueFormatError):
        _two_halves().complete("")


@pytest.mark.parametrize(
    ("bits", "values"),
    [
        (160, [bytes(20)]),
        (64, [bytes(8)]),
        (64, [b"\1" * 8]),
        (160, [HALF, HALF]),
        (64, [KEY_64.expose(), bytes(byte ^ 1 for byte in KEY_64.expose())]),
    ],
)
def test_a_component_that_adds_nothing_is_refused(bits: int, values: list[bytes]) -> None:
    ceremony = Ceremony(bits=bits)
    *before, last = values
    for value in before:
        ceremony = _entered(ceremony, "Ada Ohm", value)
    with pytest.raises(WorthlessComponentError):
        _entered(ceremony, "Ben Volt", last)


def test_a_broken_source_of_random_bytes_is_noticed() -> None:
    with pytest.raises(WorthlessComponentError):
        Ceremony(bits=160).with_generated("Ada Ohm", bytes)


@pytest.mark.parametrize("weak", sorted(WEAK_DES_KEYS), ids=bytes.hex)
@pytest.mark.parametrize("other_half", [b"", KEY_64.expose()], ids=["64", "128"])
@pytest.mark.parametrize("parity", [0, 1])
def test_a_weak_key_is_refused_whatever_its_parity(
    weak: bytes, other_half: bytes, parity: int
) -> None:
    for goal in (weak + other_half, other_half + weak):
        flipped = bytes(byte ^ parity for byte in goal)
        first, second = (bytes(range(at, at + len(goal))) for at in (0x10, 0x64))
        third = bytes(a ^ b ^ c for a, b, c in zip(first, second, flipped, strict=True))
        ceremony = Ceremony(bits=len(goal) * 8, components_wanted=3)
        for custodian, value in (("Ada", first), ("Ben", second), ("Cy", third)):
            ceremony = _entered(ceremony, custodian, value)
        with pytest.raises(WeakKeyError):
            ceremony.combined_check_value()
        with pytest.raises(WeakKeyError):
            ceremony.complete(check_value(VendingKey(flipped)))


def test_three_components_that_cancel_out_make_no_key() -> None:
    ceremony = Ceremony(bits=160, components_wanted=3)
    third = bytes(a ^ b for a, b in zip(HALF, OTHER_HALF, strict=True))
    for custodian, value in (("Ada", HALF), ("Ben", OTHER_HALF), ("Cy", third)):
        ceremony = _entered(ceremony, custodian, value)
    with pytest.raises(WeakKeyError):
        ceremony.combined_check_value()


def test_the_weak_keys_are_weak() -> None:
    """Each undoes what one of them does, which is what makes them weak or semi-weak."""
    assert len(WEAK_DES_KEYS) == 16
    block = b"sixteen "
    for key in WEAK_DES_KEYS:
        assert VendingKey(key).has_odd_parity
        once = DES.new(key, DES.MODE_ECB).encrypt(block)  # noqa: S304 - to show that it is weak
        twice = [DES.new(other, DES.MODE_ECB).encrypt(once) for other in WEAK_DES_KEYS]  # noqa: S304 - as above
        assert twice.count(block) == 1


# --- nothing leaks ----------------------------------------------------------------------------


@given(telling_bytes(20), telling_bytes(20))
def test_no_component_shows_itself(first: bytes, second: bytes) -> None:
    if first == second:
        return
    ceremony = _entered(_entered(Ceremony(bits=160), "Ada Ohm", first), "Ben Volt", second)
    combined = ceremony.complete(ceremony.combined_check_value())
    text = repr(ceremony) + repr(combined) + _record(combined)
    for secret in (first, second, combined.vending_key.expose()):
        assert not shown_in(secret, text)


# --- the record -------------------------------------------------------------------------------


def _record(combined: CombinedKey, **changes: Any) -> str:
    key = registered(check_value=combined.check_value)
    arguments: dict[str, Any] = {"led_by": "Dee Amp", "now": NOW}
    return ceremony_record(combined, changes.pop("key", key), **{**arguments, **changes})


def test_the_record_says_who_did_what_and_nothing_of_the_key() -> None:
    assert (
        _record(_two_halves().complete("229A7E"))
        == f"""\
RECORD OF A KEY CEREMONY

Ended                 2026-03-02T08:15:00Z
Led by                Dee Amp
Tenant                thabaneng
Supply group          201457
Key revision          1
Key type              2
Algorithm             DKGA04, 160 bits
Base date             2014
Key expiry number     255
Active from           not limited
Given away until      not limited
Issued until          not limited
Credit limit          none
Combined check value  229A7E
Parity                none in a key of this length

No.  Origin      Check value  Custodian
1    entered     {check_value(VendingKey(HALF))}       Ada Ohm
2    entered     {check_value(VendingKey(OTHER_HALF))}       Ben Volt

The combined check value was confirmed. This record contains no key material.
{LAB_NOTICE}

________________________________________
Dee Amp

________________________________________
Ada Ohm

________________________________________
Ben Volt
"""
    )


def test_the_record_shows_the_terms_and_a_parity_that_is_wrong() -> None:
    ceremony = _entered(Ceremony(bits=64), "Ada Ohm", bytes.fromhex("0102040810204080"))
    ceremony = _entered(ceremony, "Ben Volt", KEY_64.expose())
    combined = ceremony.complete(ceremony.combined_check_value())
    key = registered(
        key_generation_algorithm=KeyGenerationAlgorithm.DKGA02,
        check_value=combined.check_value,
        terms=KeyTerms(activation=NOW, credit_limit_units=500),
    )
    record = _record(combined, key=key)
    assert "Parity                NOT ODD" in record
    assert "Active from           2026-03-02T08:15:00Z" in record
    assert "Credit limit          500" in record
    assert "DKGA02, 64 bits" in record


def test_a_record_is_of_the_key_that_was_made() -> None:
    combined = _two_halves().complete("229A7E")
    with pytest.raises(CeremonyRecordError):
        _record(combined, key=registered(check_value="000000"))
    with pytest.raises(CustodianNameError):
        _record(combined, led_by="")
    with pytest.raises(NaiveDatetimeError):
        _record(combined, now=datetime(2026, 1, 1))  # noqa: DTZ001 - the point


def test_refusals_have_one_root_and_show_no_component() -> None:
    attempts: list[Callable[[], object]] = [
        lambda: _entered(_two_halves(), "Cy", HALF),
        lambda: replace(_two_halves(), components_wanted=1),
    ]
    for attempt in attempts:
        with pytest.raises(CeremonyError) as refused:
            attempt()
        assert HALF.hex() not in repr(refused.value)
