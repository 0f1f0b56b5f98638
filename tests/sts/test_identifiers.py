"""Meter numbers with their check digits, and the attributes of keys."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sts.check_digits import check_digit
from sts.errors import (
    IdentifierError,
    NotDigitsError,
    OutOfRangeError,
    UnknownCodeError,
    UnknownIinError,
    WrongCheckDigitError,
    WrongLengthError,
)
from sts.identifiers import (
    BaseDate,
    DecoderReferenceNumber,
    EncryptionAlgorithm,
    KeyExpiryNumber,
    KeyGenerationAlgorithm,
    KeyRevisionNumber,
    KeyType,
    MeterPan,
    SupplyGroupCode,
    TariffIndex,
    TokenCarrierType,
)
from tests.strategies import drns, meter_pans

# Digits and the check digit behind them, from the IEC 62055-41 facts sheet.
CHECK_DIGITS = [
    ("1234567890", 3),
    ("0000000000", 0),
    ("1111111111", 5),
    ("60072712345678903", 0),
    ("60072700000000000", 9),
    ("60072711111111115", 3),
    ("010000000000", 8),
    ("00000100000000008", 2),
    # The Conlog manual prints a sample number that ends in 6; by the rule it would end in 0.
    ("0412238425", 0),
]
# Meter number, PAN, manufacturer code, serial number.
METERS = [
    ("12345678903", "600727123456789030", "12", "34567890"),
    ("00000000000", "600727000000000009", "00", "00000000"),
    ("11111111115", "600727111111111153", "11", "11111111"),
    ("0100000000008", "000001000000000082", "0100", "00000000"),
]


@pytest.mark.parametrize(("digits", "expected"), CHECK_DIGITS)
def test_the_check_digits_of_the_facts_sheet_come_out(digits: str, expected: int) -> None:
    assert check_digit(digits) == expected


@pytest.mark.parametrize(("drn", "pan", "manufacturer_code", "serial_number"), METERS)
def test_a_meter_number_and_its_pan_make_each_other(
    drn: str, pan: str, manufacturer_code: str, serial_number: str
) -> None:
    meter = MeterPan.from_drn(drn)
    assert str(meter) == pan
    assert MeterPan(pan) == meter
    assert str(meter.drn) == drn
    assert meter.manufacturer_code == meter.drn.manufacturer_code == manufacturer_code
    assert meter.drn.serial_number == serial_number
    assert DecoderReferenceNumber.from_serial(manufacturer_code, int(serial_number)) == meter.drn


def test_the_issuer_follows_from_the_length_of_the_meter_number() -> None:
    assert MeterPan.from_drn("12345678903").iin == "600727"
    assert MeterPan.from_drn("0100000000008").iin == "0000"


@given(drns)
def test_every_meter_number_survives_the_way_through_its_pan(drn: DecoderReferenceNumber) -> None:
    pan = MeterPan.from_drn(drn)
    assert len(str(pan)) == 18
    assert pan.drn == drn
    assert MeterPan.parse(str(pan)) == MeterPan.parse(str(drn)) == pan


@pytest.mark.parametrize(
    "typed", ["12345678903", "123 4567 8903", "1234-567-8903", "600727 12345678903 0"]
)
def test_a_meter_number_is_read_as_people_type_it(typed: str) -> None:
    assert MeterPan.parse(typed) == MeterPan("600727123456789030")


@given(drns, st.integers(min_value=0, max_value=10), st.integers(min_value=1, max_value=9))
def test_one_wrong_digit_is_always_noticed(
    drn: DecoderReferenceNumber, place: int, shift: int
) -> None:
    digit = (int(drn.digits[place]) + shift) % 10
    with pytest.raises(WrongCheckDigitError):
        DecoderReferenceNumber(f"{drn.digits[:place]}{digit}{drn.digits[place + 1 :]}")


@given(drns, st.integers(min_value=0, max_value=9))
def test_two_swapped_neighbours_are_noticed(drn: DecoderReferenceNumber, place: int) -> None:
    """All but 09 and 90, which the standard's check digit cannot tell apart."""
    left, right = drn.digits[place], drn.digits[place + 1]
    assume(left != right and {left, right} != {"0", "9"})
    with pytest.raises(WrongCheckDigitError):
        DecoderReferenceNumber(f"{drn.digits[:place]}{right}{left}{drn.digits[place + 2 :]}")


@pytest.mark.parametrize(("drn", "expected"), [("12345678904", 3), ("11111111113", 5)])
def test_the_wrong_check_digits_of_ctsa17_are_refused(drn: str, expected: int) -> None:
    with pytest.raises(WrongCheckDigitError) as caught:
        MeterPan.from_drn(drn)
    assert caught.value.expected == expected
    assert caught.value.found == int(drn[-1])
    assert str(caught.value) == (
        f"decoder reference number: check digit must be {expected}, found {drn[-1]}"
    )


def test_a_wrong_check_digit_of_the_pan_is_refused_and_not_replaced() -> None:
    """It enters the key, so another engine that mended it made tokens for no meter."""
    with pytest.raises(WrongCheckDigitError) as caught:
        MeterPan("600727123456789031")
    assert (caught.value.name, caught.value.expected) == ("meter PAN", 0)


@given(meter_pans)
def test_a_pan_around_a_wrong_meter_number_is_refused(pan: MeterPan) -> None:
    wrong = pan.digits[:-2] + str((int(pan.digits[-2]) + 1) % 10)
    with pytest.raises(WrongCheckDigitError) as caught:
        MeterPan(f"{wrong}{check_digit(wrong)}")
    assert caught.value.name == "decoder reference number"


@pytest.mark.parametrize("iin", ["600728", "610727", "123456", "000100", "999999"])
def test_another_issuer_is_refused(iin: str) -> None:
    """Another engine read any issuer that it did not know as 0000."""
    body = f"{iin}12345678903"
    with pytest.raises(UnknownIinError) as caught:
        MeterPan(f"{body}{check_digit(body)}")
    assert caught.value.found == iin


Construct = Callable[[str], object]


@pytest.mark.parametrize(
    ("construct", "text", "error", "message"),
    [
        (
            DecoderReferenceNumber,
            "1234567890",
            WrongLengthError,
            "decoder reference number: must have 11 or 13 digits, found 10",
        ),
        (
            DecoderReferenceNumber,
            "",
            WrongLengthError,
            "decoder reference number: must have 11 or 13 digits, found 0",
        ),
        (
            DecoderReferenceNumber,
            "123456789O3",
            NotDigitsError,
            "decoder reference number: only the digits 0 to 9 are allowed",
        ),
        # Digits of other scripts are digits to Python's int(), not to a meter.
        (
            DecoderReferenceNumber,
            "١٢٣٤٥٦٧٨٩٠٣",
            NotDigitsError,
            "decoder reference number: only the digits 0 to 9 are allowed",
        ),
        (
            MeterPan,
            "60072712345678903",
            WrongLengthError,
            "meter PAN: must have 18 digits, found 17",
        ),
        (
            MeterPan,
            "60072712345678903X",
            NotDigitsError,
            "meter PAN: only the digits 0 to 9 are allowed",
        ),
        (
            MeterPan.parse,
            "123456789012",
            WrongLengthError,
            "meter number: must have 11 or 13 or 18 digits, found 12",
        ),
        (
            MeterPan.parse,
            "meter",
            NotDigitsError,
            "meter number: only the digits 0 to 9 are allowed",
        ),
        (
            SupplyGroupCode.parse,
            "12345",
            WrongLengthError,
            "supply group code: must have 6 digits, found 5",
        ),
        (
            SupplyGroupCode.parse,
            "-12345",
            NotDigitsError,
            "supply group code: only the digits 0 to 9 are allowed",
        ),
        (TariffIndex.parse, "1", WrongLengthError, "tariff index: must have 2 digits, found 1"),
        (
            KeyRevisionNumber.parse,
            "x",
            NotDigitsError,
            "key revision number: only the digits 0 to 9 are allowed",
        ),
        (
            KeyRevisionNumber.parse,
            "01",
            WrongLengthError,
            "key revision number: must have 1 digit, found 2",
        ),
        (
            KeyRevisionNumber.parse,
            "0",
            OutOfRangeError,
            "key revision number: must be from 1 to 9, found 0",
        ),
        (
            BaseDate.parse,
            "1992",
            UnknownCodeError,
            "base date: must be one of 1993, 2014, 2035, found 1992",
        ),
        (
            EncryptionAlgorithm.parse,
            "7",
            UnknownCodeError,
            "encryption algorithm: must be one of 07, 09, 11, found 7",
        ),
        (
            KeyGenerationAlgorithm.parse,
            "05",
            UnknownCodeError,
            "decoder key generation algorithm: must be one of 01, 02, 03, 04, found 05",
        ),
        (
            TokenCarrierType.parse,
            "00",
            UnknownCodeError,
            "token carrier type: must be one of 01, 02, 07, 08, found 00",
        ),
    ],
)
def test_a_text_that_is_no_identifier_is_refused_with_its_reason(
    construct: Construct, text: str, error: type[IdentifierError], message: str
) -> None:
    with pytest.raises(error) as caught:
        construct(text)
    assert type(caught.value) is error
    assert str(caught.value) == message


def test_letters_are_a_better_reason_than_the_length() -> None:
    with pytest.raises(NotDigitsError):
        DecoderReferenceNumber("12E")


@pytest.mark.parametrize(
    ("construct", "low", "high"),
    [
        (SupplyGroupCode, 0, 999_999),
        (TariffIndex, 0, 99),
        (KeyRevisionNumber, 1, 9),
        (KeyExpiryNumber, 0, 255),
        (KeyType.parse, 0, 3),
        (lambda serial: DecoderReferenceNumber.from_serial("12", serial), 0, 99_999_999),
    ],
    ids=["SGC", "TI", "KRN", "KEN", "KT", "DSN"],
)
def test_a_number_is_accepted_in_its_range_only(
    construct: Callable[[int], object], low: int, high: int
) -> None:
    construct(low)
    construct(high)
    for outside in (low - 1, high + 1, True, 5.0, "5", None):
        with pytest.raises(OutOfRangeError) as caught:
            construct(outside)  # type: ignore[arg-type]  # wrong on purpose
        assert (caught.value.low, caught.value.high) == (low, high)
        assert caught.value.found is outside


@pytest.mark.parametrize(
    ("code", "error"), [("1", WrongLengthError), ("123", WrongLengthError), ("AB", NotDigitsError)]
)
def test_a_manufacturer_code_has_two_or_four_digits(
    code: str, error: type[IdentifierError]
) -> None:
    with pytest.raises(error) as caught:
        DecoderReferenceNumber.from_serial(code, 1)
    assert caught.value.name == "manufacturer code"


@pytest.mark.parametrize(
    ("value", "text", "number"),
    [
        (SupplyGroupCode.parse("004097"), "004097", 4097),
        (SupplyGroupCode(201457), "201457", 0x0312F1),
        (SupplyGroupCode(203557), "203557", 0x031B25),
        (SupplyGroupCode(123457), "123457", 0x01E241),
        (TariffIndex.parse("07"), "07", 7),
        (KeyRevisionNumber.parse("9"), "9", 9),
        (KeyExpiryNumber(85), "85", 85),
    ],
    ids=str,
)
def test_a_number_has_its_decimal_form_and_its_value(
    value: SupplyGroupCode | TariffIndex | KeyRevisionNumber | KeyExpiryNumber,
    text: str,
    number: int,
) -> None:
    assert str(value) == text
    assert int(value) == number


def test_after_key_revision_nine_comes_one() -> None:
    revision = KeyRevisionNumber(1)
    seen = [int(revision)]
    for _ in range(9):
        revision = revision.next()
        seen.append(int(revision))
    assert seen == [1, 2, 3, 4, 5, 6, 7, 8, 9, 1]


def test_key_types_have_the_numbers_of_the_standard() -> None:
    assert [KeyType.parse(number) for number in range(4)] == [
        KeyType.INITIALISATION,
        KeyType.DEFAULT,
        KeyType.UNIQUE,
        KeyType.COMMON,
    ]


@pytest.mark.parametrize(
    ("base_date", "year", "code"),
    [
        (BaseDate.Y1993, 1993, "93"),
        (BaseDate.Y2014, 2014, "14"),
        (BaseDate.Y2035, 2035, "35"),
    ],
)
def test_a_base_date_is_the_first_minute_of_its_year(
    base_date: BaseDate, year: int, code: str
) -> None:
    assert BaseDate.parse(str(year)) is BaseDate.parse(code) is base_date
    assert base_date.value == code
    assert str(base_date) == str(year)
    assert base_date.start == datetime(year, 1, 1, tzinfo=UTC)


def test_only_misty1_has_long_keys() -> None:
    key_bits = {algorithm.value: algorithm.key_bits for algorithm in EncryptionAlgorithm}
    assert key_bits == {"07": 64, "09": 64, "11": 128}


@pytest.mark.parametrize(
    ("codes", "values"),
    [
        (EncryptionAlgorithm, ["07", "09", "11"]),
        (KeyGenerationAlgorithm, ["01", "02", "03", "04"]),
        (TokenCarrierType, ["01", "02", "07", "08"]),
    ],
)
def test_codes_are_read_as_the_standard_writes_them(
    codes: type[EncryptionAlgorithm | KeyGenerationAlgorithm | TokenCarrierType],
    values: list[str],
) -> None:
    assert [str(codes.parse(value)) for value in values] == values


@pytest.mark.parametrize(
    "value",
    [
        DecoderReferenceNumber("12345678903"),
        MeterPan("600727123456789030"),
        SupplyGroupCode(1),
        TariffIndex(1),
        KeyRevisionNumber(1),
        KeyExpiryNumber(1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_checked_value_cannot_be_changed_afterwards(
    value: DecoderReferenceNumber
    | MeterPan
    | SupplyGroupCode
    | TariffIndex
    | KeyRevisionNumber
    | KeyExpiryNumber,
) -> None:
    (field,) = dataclasses.fields(value)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, field.name, "other")
    assert not hasattr(value, "__dict__")
    assert value == dataclasses.replace(value)
    assert hash(value) == hash(dataclasses.replace(value))
