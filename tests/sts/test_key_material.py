"""Keys in their wrapper: of the right length, equal by their bytes, and never shown."""

import copy
import pickle
from collections.abc import Callable
from dataclasses import asdict, dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts.errors import KeyFormatError, KeyLengthError
from sts.key_material import DecoderKey, VendingKey
from tests.strategies import shown_in, telling_bytes

Key = DecoderKey | VendingKey
KINDS: list[tuple[type[Key], str, tuple[int, ...]]] = [
    (DecoderKey, "decoder key", (64, 128)),
    (VendingKey, "vending key", (64, 128, 160)),
]

either_kind = pytest.mark.parametrize("kind", [DecoderKey, VendingKey])


@pytest.mark.parametrize(("kind", "use", "allowed"), KINDS)
@pytest.mark.parametrize("size", [0, 7, 8, 9, 16, 20, 21, 24, 32])
def test_a_key_has_one_of_the_lengths_of_its_kind(
    kind: type[Key], use: str, allowed: tuple[int, ...], size: int
) -> None:
    """Another engine knew keys of 8 bytes only; a test program listed one of 21."""
    if size * 8 in allowed:
        assert kind(bytes(size)).bits == size * 8
    else:
        with pytest.raises(KeyLengthError) as caught:
            kind(bytes(size))
        assert (caught.value.allowed_bits, caught.value.found_bits) == (allowed, size * 8)
        numbers = " or ".join(map(str, allowed))
        assert str(caught.value) == f"{use} takes a key of {numbers} bits, found {size * 8}"


@either_kind
@given(st.binary(min_size=8, max_size=8))
def test_a_key_is_the_same_from_bytes_and_from_hexadecimal(kind: type[Key], data: bytes) -> None:
    key = kind(data)
    assert key.expose() == data
    assert kind.from_hex(data.hex()) == kind.from_hex(data.hex(" ").upper()) == key
    assert kind(bytearray(data)) == key  # type: ignore[arg-type]  # as some modules hand keys over


@either_kind
@pytest.mark.parametrize("text", ["0123456789ABCDE", "0123456789ABCDEG", "0x123456789ABCDEF", "é"])
def test_what_is_not_hexadecimal_is_refused_without_repeating_it(
    kind: type[Key], text: str
) -> None:
    with pytest.raises(KeyFormatError) as caught:
        kind.from_hex(text)
    assert str(caught.value) == f"{kind.use}: not an even number of hexadecimal digits"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@either_kind
@given(telling_bytes(8))
def test_a_key_of_the_wrong_length_is_refused_without_repeating_it(
    kind: type[Key], data: bytes
) -> None:
    for wrong in (data[:7], data + data[:1]):
        with pytest.raises(KeyLengthError) as caught:
            kind(wrong)
        assert not shown_in(wrong, f"{caught.value} {caught.value!r}")


@either_kind
@given(st.binary(min_size=8, max_size=8), st.binary(min_size=8, max_size=8))
def test_keys_are_equal_exactly_when_their_bytes_are(
    kind: type[Key], one: bytes, other: bytes
) -> None:
    assert (kind(one) == kind(other)) is (one == other)
    assert kind(one) == kind(bytes(one))
    assert hash(kind(one)) == hash(kind(bytes(one)))


def test_a_key_is_equal_to_nothing_but_a_key_of_its_kind() -> None:
    data = bytes(8)
    others: list[object] = [VendingKey(data), data, data.hex(), None]
    for other in others:
        assert DecoderKey(data) != other
    assert len({DecoderKey(data), VendingKey(data)}) == 2


@dataclass(frozen=True)
class Holder:
    key: Key


@pytest.mark.parametrize("size", [8, 16])
@given(data=st.data())
def test_a_key_is_not_shown_by_itself_or_by_what_holds_it(size: int, data: st.DataObject) -> None:
    material = data.draw(telling_bytes(size))
    for key in (DecoderKey(material), VendingKey(material)):
        assert repr(key) == str(key) == f"{key}" == f"<{type(key).__name__} {size * 8} bits>"
        assert not shown_in(material, repr([Holder(key), {key: key}]))


@either_kind
@pytest.mark.parametrize(
    "write", [pickle.dumps, copy.copy, copy.deepcopy, lambda key: asdict(Holder(key))]
)
def test_a_key_is_not_copied_to_where_nobody_sees_it(
    kind: type[Key], write: Callable[[object], object]
) -> None:
    with pytest.raises(TypeError, match=f"{kind.__name__} cannot be pickled"):
        write(kind(bytes(8)))


@either_kind
def test_a_key_has_no_room_for_more_attributes(kind: type[Key]) -> None:
    assert not hasattr(kind(bytes(8)), "__dict__")


@pytest.mark.parametrize(
    ("key", "odd"),
    [
        ("ABABABABABABABAB", True),
        ("0101010101010101", True),
        ("0001010101010101", False),
        ("ABABABABABABABAA", False),
    ],
)
def test_the_parity_of_a_vending_key_is_told(key: str, *, odd: bool) -> None:
    assert VendingKey.from_hex(key).has_odd_parity is odd
