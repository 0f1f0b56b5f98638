"""Authentic tokens with content that must not be: forged with a right checksum, then refused."""

from dataclasses import dataclass
from typing import Literal

import pytest
from hypothesis import given

from sts.ciphers import SAMPLE_TABLES, Cipher, Misty1, Sta
from sts.codec import decode
from sts.errors import NonCanonicalTokenError
from sts.explain import explain
from sts.key_material import DecoderKey
from sts.layouts import TOKEN_KINDS
from tests.strategies import any_cipher, bits, ciphers, shown_in, telling_bytes
from tests.sts import reference

STA = Sta(DecoderKey.from_hex("E653341F9D5BF36F"), SAMPLE_TABLES)
MISTY1 = Misty1(DecoderKey.from_hex("929BD3A415C9420A05EC5EE9F3CE91C3"))

FIRST_FIELDS = ("key_expiry_high", "key_revision_number", "rollover", "three_token_set", "key_type")


@dataclass(frozen=True)
class Forged:
    """A token that breaks one rule, and what must be said of it."""

    token_class: int
    subclass: int
    content: int
    cipher: Cipher
    field: str
    found: int
    rule: str
    fault: Literal["format", "range"]
    fields: tuple[str, ...]

    @property
    def digits(self) -> str:
        return reference.forge(self.token_class, self.subclass, self.content, cipher=self.cipher)

    def __str__(self) -> str:
        return f"{self.token_class}/{self.subclass}/{self.content:011X}"


def negative_zero(subclass: int) -> Forged:
    return Forged(
        token_class=0,
        subclass=subclass,
        content=0x8_014EEC_0000,
        cipher=MISTY1,
        field="sign_exponent",
        found=8,
        rule="must not make a negative zero",
        fault="range",
        fields=("sign_exponent", "tid", "amount"),
    )


def reserved_register(register: int) -> Forged:
    return Forged(
        token_class=2,
        subclass=1,
        content=0x5_014EEC_0000 | register,
        cipher=MISTY1,
        field="register",
        found=register,
        rule="is reserved",
        fault="range",
        fields=("rnd", "tid", "register"),
    )


def padded_clear_tamper(pad: int) -> Forged:
    return Forged(
        token_class=2,
        subclass=5,
        content=0x5_014EEC_0000 | pad,
        cipher=STA,
        field="pad",
        found=pad,
        rule="must be zero",
        fault="format",
        fields=("rnd", "tid", "pad"),
    )


def first_section(content: int, cipher: Cipher, revision: int) -> Forged:
    return Forged(
        token_class=2,
        subclass=3,
        content=content,
        cipher=cipher,
        field="key_revision_number",
        found=revision,
        rule="must be from 1 to 9",
        fault="range",
        fields=FIRST_FIELDS,
    )


def second_section(tariff_index: int) -> Forged:
    return Forged(
        token_class=2,
        subclass=4,
        content=0xF_00_964A8782 | tariff_index << 32,
        cipher=MISTY1,
        field="tariff_index",
        found=tariff_index,
        rule="must be from 0 to 99",
        fault="range",
        fields=("key_expiry_low", "tariff_index"),
    )


def third_section(
    content: int, field: str, *, found: int, rule: str, fault: Literal["format", "range"]
) -> Forged:
    return Forged(
        token_class=2,
        subclass=8,
        content=content,
        cipher=STA,
        field=field,
        found=found,
        rule=rule,
        fault=fault,
        fields=("supply_group_code", "pad"),
    )


NO_MORE_GROUPS = "must be from 0 to 999999"
FORGED = [
    *(negative_zero(subclass) for subclass in range(4, 8)),
    *(reserved_register(register) for register in (0x0008, 0x0100, 0xFFFE)),
    *(padded_clear_tamper(pad) for pad in (0x0001, 0x8000, 0xFFFF)),
    *(first_section(0xF02B199270A | krn << 36, MISTY1, krn) for krn in (0, 10, 15)),
    *(first_section(0xF02B199270A | krn << 36, STA, krn) for krn in (0, 10, 15)),
    # Of several faults the first field's is told: here a reserved bit as well.
    first_section(0xF06B199270A, MISTY1, 0),
    Forged(
        token_class=2,
        subclass=3,
        content=0xF16B199270A,
        cipher=MISTY1,
        field="three_token_set",
        found=1,
        rule="must be zero",
        fault="format",
        fields=FIRST_FIELDS,
    ),
    *(second_section(tariff_index) for tariff_index in (100, 0x99, 255)),
    third_section(
        0x0F4240_00000, "supply_group_code", found=1_000_000, rule=NO_MORE_GROUPS, fault="range"
    ),
    third_section(
        0xFFFFFF_00000, "supply_group_code", found=0xFFFFFF, rule=NO_MORE_GROUPS, fault="range"
    ),
    third_section(0x0312F1_00001, "pad", found=1, rule="must be zero", fault="format"),
    # What is not even of the right form is told before what is out of range.
    third_section(0xFFFFFF_80000, "pad", found=0x80000, rule="must be zero", fault="format"),
]


@pytest.mark.parametrize("forged", FORGED, ids=str)
def test_what_must_not_be_is_refused_with_what_a_meter_needs_for_its_answer(
    forged: Forged,
) -> None:
    with pytest.raises(NonCanonicalTokenError) as caught:
        decode(forged.digits, forged.cipher)
    error = caught.value
    assert (error.field, error.found, error.fault) == (forged.field, forged.found, forged.fault)
    assert error.token_class == forged.token_class
    assert str(error) == f"{error.kind}: {forged.field} {forged.rule}, found {forged.found}"
    assert tuple(error.fields) == forged.fields
    assert error.fields[forged.field] == forged.found


@pytest.mark.parametrize("forged", FORGED, ids=str)
def test_what_must_not_be_is_explained_nevertheless(forged: Forged) -> None:
    anatomy = explain(forged.digits, forged.cipher)
    assert anatomy.status == "refused"
    assert isinstance(anatomy.problem, NonCanonicalTokenError)
    assert anatomy.token is None
    (field,) = (field for field in anatomy.fields if field.name == forged.field)
    assert field.raw == forged.found
    assert field.meaning


def test_every_rule_of_the_layouts_is_broken_here() -> None:
    rules = {
        (kind.token_class, kind.subclass, key_bits, rule.field)
        for kind in TOKEN_KINDS
        for rule in kind.rules
        for key_bits in ((kind.key_bits,) if kind.key_bits else (64, 128))
    }
    broken = {
        (forged.token_class, forged.subclass, key_bits, forged.field)
        for forged in FORGED
        for key_bits in either_or_own(forged)
    }
    assert broken == rules


def either_or_own(forged: Forged) -> tuple[int, ...]:
    """Return the key lengths that a forged token stands for: its own where the layouts differ."""
    by_length = forged.token_class == 2 and forged.subclass in (3, 8)
    return (forged.cipher.key_bits,) if by_length else (64, 128)


# The last values that are allowed, next to those that are refused above.
ALLOWED: list[tuple[int, int, int, Cipher]] = [
    (0, 4, 0x0_014EEC_0000, MISTY1),
    (0, 4, 0x8_014EEC_0001, MISTY1),
    (0, 4, 0x9_014EEC_0000, MISTY1),
    (2, 1, 0x5_014EEC_0007, MISTY1),
    (2, 1, 0x5_014EEC_FFFF, MISTY1),
    (2, 3, 0xF12B199270A, MISTY1),
    (2, 3, 0xF92B199270A, STA),
    (2, 3, 0xF16B199270A, STA),
    (2, 4, 0xF_63_964A8782, MISTY1),
    (2, 5, 0x5_014EEC_0000, STA),
    (2, 8, 0x0F423F_00000, STA),
]


@pytest.mark.parametrize(("token_class", "subclass", "content", "cipher"), ALLOWED)
def test_the_last_value_that_is_allowed_is_read(
    token_class: int, subclass: int, content: int, cipher: Cipher
) -> None:
    token = decode(reference.forge(token_class, subclass, content, cipher=cipher), cipher)
    assert (token.token_class, token.subclass) == (token_class, subclass)


@given(telling_bytes(4), any_cipher, bits(2))
def test_a_refused_first_section_keeps_its_part_of_the_key_to_itself(
    part: bytes, cipher: Cipher, key_type: int
) -> None:
    content = 0xF << 40 | key_type << 32 | int.from_bytes(part, "big")
    digits = reference.forge(2, 3, content, cipher=cipher)
    with pytest.raises(NonCanonicalTokenError) as caught:
        decode(digits, cipher)
    assert "new_key_high" not in caught.value.fields
    assert not shown_in(part, f"{caught.value} {caught.value!r} {vars(caught.value)}")


@given(telling_bytes(4), ciphers[64])
def test_a_refused_second_section_keeps_its_part_of_the_key_to_itself(
    part: bytes, cipher: Cipher
) -> None:
    digits = reference.forge(2, 4, 0xF_64_00000000 | int.from_bytes(part, "big"), cipher=cipher)
    with pytest.raises(NonCanonicalTokenError) as caught:
        decode(digits, cipher)
    assert caught.value.fields == {"key_expiry_low": 15, "tariff_index": 100}
    assert not shown_in(part, f"{caught.value} {caught.value!r} {vars(caught.value)}")
