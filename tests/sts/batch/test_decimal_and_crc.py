"""66-bit numbers, their digits, and the checksums of tokens."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts.batch import Status
from sts.batch.crc import token_checksums
from sts.batch.decimal import read_digits, write_digits
from sts.codec import LARGEST_TOKEN, parse_digits
from sts.crc import token_crc
from tests.strategies import bits
from tests.sts.batch.rows import codes_of, column, outcome

EDGES = (
    0,
    1,
    9_999,
    10_000,
    10**12 - 1,
    10**12,
    (1 << 32) - 1,
    1 << 32,
    (1 << 64) - 1,
    1 << 64,
    (1 << 65) - 1,
    3 << 64,
    LARGEST_TOKEN - 1,
    LARGEST_TOKEN,
)


def written(numbers: list[int]) -> list[str]:
    text = np.empty((len(numbers), 20), np.uint8)
    high = np.array([number >> 64 for number in numbers], np.uint64)
    low = np.array([number & (1 << 64) - 1 for number in numbers], np.uint64)
    write_digits(high, low, text)
    return [row.tobytes().decode("ascii") for row in text]


def read(*texts: str) -> tuple[list[int], list[str]]:
    status = np.zeros(len(texts), np.uint8)
    matrix = column(*texts).view(np.uint8).reshape(-1, 20)
    high, low = read_digits(matrix, status)
    numbers = [h << 64 | n for h, n in zip(high.tolist(), low.tolist(), strict=True)]
    return numbers, codes_of(status)


@given(st.lists(st.one_of(bits(66), st.sampled_from(EDGES)), min_size=1, max_size=80))
def test_numbers_are_written_and_read_as_the_scalar_core_does(numbers: list[int]) -> None:
    texts = written(numbers)
    assert texts == [f"{number:020d}" for number in numbers]
    assert read(*texts) == (numbers, ["OK"] * len(numbers))


@given(st.lists(st.integers(LARGEST_TOKEN - 5, 10**20 - 1), min_size=1, max_size=20))
def test_what_is_above_66_bits_is_marked(numbers: list[int]) -> None:
    texts = [f"{number:020d}" for number in numbers]
    values, codes = read(*texts)
    assert codes == [outcome(parse_digits, text)[1] for text in texts]
    right = [number if number <= LARGEST_TOKEN else 0 for number in numbers]
    assert values == right


@given(st.lists(st.text(st.characters(max_codepoint=255), max_size=20), min_size=1, max_size=20))
def test_what_is_not_twenty_digits_is_marked(texts: list[str]) -> None:
    values, codes = read(*texts)
    for text, value, code in zip(texts, values, codes, strict=True):
        if len(text) == 20 and all(character in "0123456789" for character in text):
            assert (value, code) == outcome(parse_digits, text)
        else:
            assert (value, code) == (0, Status.NOT_TWENTY_DIGITS.code)


@pytest.mark.parametrize("place", range(20))
@pytest.mark.parametrize("character", ["/", ":", " ", "-", "\xb0", "\xff", "\xfa", "?", "@", "p"])
def test_one_wrong_character_is_enough(place: int, character: str) -> None:
    digits = "0" * place + character + "0" * (19 - place)
    assert read("1" * 20, digits, "1" * 20)[1] == ["OK", "NOT_TWENTY_DIGITS", "OK"]


@pytest.mark.parametrize("checksum", ["CRC", "CRC_C"])
@given(bodies=st.lists(bits(50), min_size=1, max_size=50))
def test_checksums_are_those_of_the_scalar_core(checksum: str, bodies: list[int]) -> None:
    currency = checksum == "CRC_C"
    checksums = token_checksums(np.array(bodies, np.uint64), currency=currency)
    assert checksums.tolist() == [token_crc(body, currency=currency) for body in bodies]
