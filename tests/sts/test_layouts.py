"""The layout table, held against the table of the standard, written here a second time."""

import pytest

from sts.bits import Layout
from sts.layouts import KIND_INDEX, TOKEN_KINDS
from sts.token_kinds import Column, TokenKind
from sts.tokens import ReservedToken

Positions = tuple[tuple[str, int, int], ...]

UNIT_CREDIT: Positions = (("rnd", 59, 56), ("tid", 55, 32), ("amount", 31, 16))
CURRENCY_CREDIT: Positions = (("sign_exponent", 59, 56), ("tid", 55, 32), ("amount", 31, 16))
SHORT_CODE: Positions = (("control", 59, 24), ("manufacturer_code", 23, 16))
LONG_CODE: Positions = (("control", 59, 32), ("manufacturer_code", 31, 16))
WHOLE: Positions = (("content", 59, 16),)
LIMIT: Positions = (("rnd", 59, 56), ("tid", 55, 32), ("limit", 31, 16))
FIRST_SECTION: Positions = (
    ("key_expiry_high", 59, 56),
    ("key_revision_number", 55, 52),
    ("rollover", 51, 51),
    ("three_token_set", 50, 50),
    ("key_type", 49, 48),
    ("new_key_high", 47, 16),
)

# Class and subclass to fields with their highest and lowest bit, for either length of key.
EITHER_KEY: dict[tuple[int, int], Positions] = {
    **{(0, subclass): UNIT_CREDIT for subclass in range(4)},
    **{(0, subclass): CURRENCY_CREDIT for subclass in range(4, 8)},
    **{(0, subclass): WHOLE for subclass in range(8, 16)},
    (1, 0): SHORT_CODE,
    (1, 1): LONG_CODE,
    (1, 2): (("index", 59, 54), ("data", 53, 24), ("manufacturer_code", 23, 16)),
    **{(1, subclass): WHOLE for subclass in range(3, 6)},
    **{(1, subclass): LONG_CODE for subclass in range(6, 11)},
    **{(1, subclass): SHORT_CODE for subclass in range(11, 16)},
    (2, 0): LIMIT,
    (2, 1): (("rnd", 59, 56), ("tid", 55, 32), ("register", 31, 16)),
    (2, 2): (("rnd", 59, 56), ("tid", 55, 32), ("rate", 31, 16)),
    (2, 3): FIRST_SECTION,
    (2, 4): (("key_expiry_low", 59, 56), ("tariff_index", 55, 48), ("new_key_low", 47, 16)),
    (2, 5): (("rnd", 59, 56), ("tid", 55, 32), ("pad", 31, 16)),
    (2, 6): LIMIT,
    (2, 7): (("rnd", 59, 56), ("tid", 55, 32), ("factor", 31, 16)),
    (2, 10): (("rnd", 59, 56), ("tid", 55, 32), ("index", 31, 26), ("data", 25, 16)),
    **{(2, subclass): WHOLE for subclass in range(11, 16)},
}
SHORT_KEY: dict[tuple[int, int], Positions] = {
    (2, 8): (("supply_group_code", 59, 36), ("pad", 35, 16)),
}
LONG_KEY: dict[tuple[int, int], Positions] = {
    (2, 8): (("supply_group_low", 59, 48), ("new_key_middle_2", 47, 16)),
    (2, 9): (("supply_group_high", 59, 48), ("new_key_middle_1", 47, 16)),
}
TABLE: dict[tuple[int, int, int], Positions] = {
    (token_class, subclass, key_bits): positions
    for key_bits, more in ((64, SHORT_KEY), (128, LONG_KEY))
    for (token_class, subclass), positions in (EITHER_KEY | more).items()
}

every_kind = pytest.mark.parametrize(
    "kind", TOKEN_KINDS, ids=lambda kind: f"{kind.token_class}/{kind.subclass}/{kind.key_bits}"
)


def test_every_field_of_every_token_is_where_the_standard_has_it() -> None:
    found = {place: kind.layout.positions(16) for place, kind in KIND_INDEX.items()}
    assert found == TABLE


def test_only_the_fourth_section_is_known_to_one_key_length_alone() -> None:
    places = {(token_class, subclass) for token_class in range(3) for subclass in range(16)}
    assert {place[:2] for place in KIND_INDEX if place[2] == 128} == places
    assert {place[:2] for place in KIND_INDEX if place[2] == 64} == places - {(2, 9)}


def test_no_two_rows_claim_the_same_place() -> None:
    claims = [
        (kind.token_class, kind.subclass, key_bits)
        for kind in TOKEN_KINDS
        for key_bits in (64, 128)
        if kind.key_bits in (None, key_bits)
    ]
    assert sorted(claims) == sorted(KIND_INDEX)


@every_kind
def test_the_fields_of_a_row_fill_the_content_side_by_side(kind: TokenKind) -> None:
    covered = [
        bit for _, high, low in kind.layout.positions(16) for bit in range(high, low - 1, -1)
    ]
    assert covered == list(range(59, 15, -1))


@every_kind
def test_a_row_has_each_field_once(kind: TokenKind) -> None:
    names = [column.name for column in kind.columns]
    assert len(set(names)) == len(names)


@every_kind
def test_a_row_has_rules_for_its_own_fields_only(kind: TokenKind) -> None:
    assert {rule.field for rule in kind.rules} <= {column.name for column in kind.columns}


@every_kind
def test_the_checksum_of_currency_stands_in_currency_credit_only(kind: TokenKind) -> None:
    assert kind.currency_crc is (kind.token_class == 0 and 4 <= kind.subclass <= 7)


@every_kind
def test_what_is_part_of_a_key_is_secret(kind: TokenKind) -> None:
    secret = {column.name for column in kind.columns if column.secret}
    assert secret == {column.name for column in kind.columns if column.name.startswith("new_key_")}


def test_a_row_that_does_not_fill_the_content_cannot_be_written() -> None:
    with pytest.raises(AssertionError, match="one bit short"):
        TokenKind(
            token_class=0,
            subclass=8,
            name="one bit short",
            token_type=ReservedToken,
            columns=(Column("content", 43),),
        )


def test_a_layout_of_nothing_has_no_width() -> None:
    assert Layout().width == 0
