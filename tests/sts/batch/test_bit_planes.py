"""Turning rows into bit planes moves every bit to its place, and back."""

import numpy as np
import pytest

from sts.batch.bit_planes import WORD_BITS, turn, words_for
from tests.sts.batch.rows import random_blocks


def turned(rows: np.ndarray[tuple[int, int], np.dtype[np.uint64]], words: int) -> None:
    turn(rows, np.empty((WORD_BITS // 2, words), np.uint64))


@pytest.mark.parametrize("words", [1, 2, 5])
def test_a_plane_holds_one_bit_of_every_row(words: int) -> None:
    rows = random_blocks(WORD_BITS * words).reshape(WORD_BITS, words)
    planes = rows.copy()
    turned(planes, words)
    for bit in (0, 1, 31, 32, 63):
        for word in range(words):
            wanted = sum((int(rows[row, word]) >> bit & 1) << row for row in range(WORD_BITS))
            assert int(planes[bit, word]) == wanted


def test_turning_twice_changes_nothing() -> None:
    rows = random_blocks(WORD_BITS * 3).reshape(WORD_BITS, 3)
    planes = rows.copy()
    turned(planes, 3)
    assert not np.array_equal(planes, rows)
    turned(planes, 3)
    assert np.array_equal(planes, rows)


@pytest.mark.parametrize(("rows", "words"), [(0, 0), (1, 1), (64, 1), (65, 2), (128, 2)])
def test_every_row_has_its_bit(rows: int, words: int) -> None:
    assert words_for(rows) == words
