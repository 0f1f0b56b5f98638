"""Meter numbers in columns are read and refused as the scalar core does it."""

from typing import Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sts
from sts import batch
from sts.batch import Status
from sts.check_digits import check_digit
from sts.errors import ArrayShapeError, ArrayTypeError, NotDigitsError, WrongLengthError
from tests.strategies import drns
from tests.sts.batch.rows import CHUNK_EDGES, RAGGED, codes_of, column, outcome

WIDTH: Final = 24

_digits: Final = st.text("0123456789", max_size=20)
_numbers: Final = st.one_of(
    drns.map(str),
    drns.map(lambda drn: str(sts.MeterPan.from_drn(drn))),
    # One character of a good number replaced, which is what goes wrong in life.
    st.builds(
        lambda drn, place, other, pan: altered(
            str(sts.MeterPan.from_drn(drn)) if pan else str(drn), place, other
        ),
        drns,
        st.integers(0, 17),
        st.sampled_from("0123456789 x-/:"),
        st.booleans(),
    ),
    st.builds(
        lambda start, rest: (start + rest)[:18], st.sampled_from(("600727", "0000")), _digits
    ),
    _digits,
)


def altered(number: str, place: int, other: str) -> str:
    at = place % len(number)
    return number[:at] + other + number[at + 1 :]


@given(st.lists(_numbers, min_size=1, max_size=30))
def test_numbers_are_read_as_the_scalar_core_does(numbers: list[str]) -> None:
    pans = batch.parse_meter_numbers(column(*numbers, width=WIDTH))
    for row, number in enumerate(numbers):
        if " " in number or "-" in number:
            # The scalar core looks past these, which only a person types.
            assert (pans.digits[row], pans.status[row]) == (b"", Status.NOT_DIGITS)
            continue
        pan, code = outcome(sts.MeterPan.parse, number)
        assert Status(pans.status[row]).code == code
        assert pans.digits[row].decode() == ("" if pan is None else str(pan))


@pytest.mark.parametrize(
    ("number", "status"),
    [
        ("", Status.WRONG_LENGTH),
        ("1", Status.WRONG_LENGTH),
        ("123456789012", Status.WRONG_LENGTH),
        ("1234567890X", Status.NOT_DIGITS),
        ("12345\x007890", Status.NOT_DIGITS),
        ("1234567890123456789", Status.WRONG_LENGTH),
        ("123456789012345678X", Status.NOT_DIGITS),
        ("12345678904", Status.WRONG_CHECK_DIGIT),
        ("600728123456789030", Status.UNKNOWN_IIN),
        ("600727123456789031", Status.WRONG_CHECK_DIGIT),
    ],
)
def test_a_number_that_is_none_is_marked(number: str, status: Status) -> None:
    pans = batch.parse_meter_numbers(column("01002000020", number, width=WIDTH))
    assert pans.status.tolist()[1] == status
    assert pans.digits.tolist()[1] == b""


def test_the_check_digit_of_the_drn_in_a_pan_is_checked_too() -> None:
    """Both PANs have the check digit that belongs to them; the DRNs in them have not."""
    wrong = [body + str(check_digit(body)) for body in ("60072712345678904", "00001234123456784")]
    pans = batch.parse_meter_numbers(column(*wrong, width=18))
    assert codes_of(pans.status) == ["WRONG_CHECK_DIGIT"] * 2


@pytest.mark.parametrize("rows", [*RAGGED, *CHUNK_EDGES])
def test_any_number_of_rows_will_do(rows: int) -> None:
    made = batch.drns_from_serials("0102", np.arange(rows))
    pans = batch.parse_meter_numbers(made.digits)
    assert len(pans) == rows
    assert not pans.status.any()
    assert np.array_equal(batch.split_drns(pans).digits, made.digits)
    assert np.array_equal(batch.parse_meter_numbers(pans.digits).digits, pans.digits)


def test_a_part_of_the_rows_is_as_good_as_all() -> None:
    pans = batch.parse_meter_numbers(batch.drns_from_serials("01", np.arange(10)).digits)
    assert np.array_equal(pans[3:5].digits, pans.digits[3:5])
    assert len(pans[3:5]) == 2


@given(st.lists(drns, min_size=1, max_size=20))
def test_the_parts_of_numbers_are_those_of_the_scalar_core(
    numbers: list[sts.DecoderReferenceNumber],
) -> None:
    parts = batch.split_drns(
        batch.parse_meter_numbers(column(*[str(number) for number in numbers], width=13))
    )
    assert [drn.decode() for drn in parts.digits] == [str(number) for number in numbers]
    assert [code.decode() for code in parts.manufacturer_codes] == [
        number.manufacturer_code for number in numbers
    ]
    assert [serial.decode() for serial in parts.serial_numbers] == [
        number.serial_number for number in numbers
    ]


def test_marked_rows_have_no_parts() -> None:
    parts = batch.split_drns(batch.parse_meter_numbers(column("x", width=18)))
    assert (parts.digits[0], parts.manufacturer_codes[0], parts.serial_numbers[0]) == (b"",) * 3


@given(
    st.from_regex(r"[0-9]{2}([0-9]{2})?", fullmatch=True),
    st.lists(st.integers(-1, 100_000_000), min_size=1, max_size=20),
)
def test_numbers_are_made_as_the_scalar_core_makes_them(code: str, serials: list[int]) -> None:
    made = batch.drns_from_serials(code, np.array(serials))
    for row, serial in enumerate(serials):
        drn, error = outcome(sts.DecoderReferenceNumber.from_serial, code, serial)
        assert Status(made.status[row]).code == error
        assert made.digits[row].decode() == ("" if drn is None else str(drn))


# --- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "error"), [("1x", NotDigitsError), ("123", WrongLengthError), ("", WrongLengthError)]
)
def test_a_manufacturer_code_is_2_or_4_digits(code: str, error: type[sts.StsError]) -> None:
    with pytest.raises(error):
        batch.drns_from_serials(code, np.arange(3))


@pytest.mark.parametrize(
    "numbers", [["01002000020"], np.array(["01002000020"]), np.array([1002000020]), b"1"], ids=repr
)
def test_numbers_come_as_bytes(numbers: np.ndarray[tuple[int], np.dtype[np.bytes_]]) -> None:
    with pytest.raises(ArrayTypeError):
        batch.parse_meter_numbers(numbers)


def test_numbers_are_not_wider_than_any_can_be() -> None:
    with pytest.raises(ArrayTypeError):
        batch.parse_meter_numbers(column("1", width=65))


def test_numbers_are_one_column() -> None:
    with pytest.raises(ArrayShapeError):
        batch.parse_meter_numbers(np.zeros((2, 2), "S11"))


@pytest.mark.parametrize("rows", [1, 2])
def test_what_is_handed_in_is_not_changed(rows: int) -> None:
    """One row is the same in both orders of memory, so a careless copy of it is none."""
    for numbers in (
        column(*["01002000020"] * rows, width=11),
        column(*["600727010020000201"] * rows, width=18),
    ):
        before = numbers.copy()
        numbers.flags.writeable = False
        batch.parse_meter_numbers(numbers)
        assert np.array_equal(numbers, before)
