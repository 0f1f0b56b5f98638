import copy
import pickle

import pytest

from keys import Secret

SECRET = Secret(b"\x01\x02marked")


def test_nothing_shows_the_bytes() -> None:
    for shown in (repr(SECRET), str(SECRET), f"{SECRET}", repr([SECRET])):
        assert "marked" not in shown


def test_expose_is_the_way_to_the_bytes() -> None:
    assert SECRET.expose() == b"\x01\x02marked"


def test_secrets_of_the_same_bytes_are_equal_and_nothing_else_is() -> None:
    assert Secret(b"\x01\x02marked") == SECRET
    assert Secret(b"other") != SECRET
    assert SECRET != b"\x01\x02marked"


@pytest.mark.parametrize("leave", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_secret_is_neither_pickled_nor_copied(leave: object) -> None:
    assert callable(leave)
    with pytest.raises(TypeError, match="cannot be pickled"):
        leave(SECRET)


def test_a_secret_has_no_hash() -> None:
    with pytest.raises(TypeError):
        hash(SECRET)
