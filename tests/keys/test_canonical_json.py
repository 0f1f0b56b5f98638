from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from enum import IntEnum, StrEnum
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.canonical_json import (
    CanonicalJsonError,
    JsonValue,
    canonical_bytes,
    read_canonical,
    read_json,
    readable_bytes,
)
from keys.check_values import CheckValueError
from keys.json_fields import Fields, is_name, time_text
from sts.errors import NaiveDatetimeError
from tests.keys.custody import json_values


class Level(IntEnum):
    HIGH = 3


class Word(StrEnum):
    YES = "yes"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"b": 1, "a": [True, None]}, b'{"a":[true,null],"b":1}'),
        ({"a": {"c": "", "b": -7}}, b'{"a":{"b":-7,"c":""}}'),
        ('Ω "quoted"\n', b'"\\u03a9 \\"quoted\\"\\n"'),
        (("a", "tuple"), b'["a","tuple"]'),
        (2**53 - 1, b"9007199254740991"),
        ([Level.HIGH, {"level": Level.HIGH}, Word.YES], b'[3,{"level":3},"yes"]'),
        (MappingProxyType({"a": MappingProxyType({})}), b'{"a":{}}'),
        ({Word.YES: 1}, b'{"yes":1}'),
    ],
)
def test_there_is_one_way_to_write_a_value(value: JsonValue, written: bytes) -> None:
    assert canonical_bytes(value) == written


@given(json_values)
def test_what_is_written_is_read_back(value: JsonValue) -> None:
    assert read_canonical(canonical_bytes(value)) == value
    assert read_json(readable_bytes(value)) == value


@given(json_values, st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_a_changed_byte_makes_another_value_or_none(
    value: JsonValue, place: int, change: int
) -> None:
    content = bytearray(canonical_bytes(value))
    content[place % len(content)] ^= change
    try:
        again = read_canonical(bytes(content))
    except CanonicalJsonError:
        return
    assert canonical_bytes(again) == content


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        2**53,
        [-(2**53)],
        {"a": 2**53},
        b"bytes",
        {1: "a number for a name"},
        {"a": [0.5]},
        {"a": {"b": b""}},
    ],
)
def test_what_json_cannot_say_in_one_way_is_not_written(value: JsonValue) -> None:
    with pytest.raises(CanonicalJsonError):
        canonical_bytes(value)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"1.0",
        b"1e3",
        b"NaN",
        b"-Infinity",
        b"9007199254740992",
        b"1" * 5000,
        b'{"a":1,"a":2}',
        b"[" * 100_000,
        b"1 2",
    ],
)
def test_what_has_no_canonical_form_is_not_read(content: bytes) -> None:
    with pytest.raises(CanonicalJsonError):
        read_json(content)


@pytest.mark.parametrize(
    "content",
    [b'{"b":1,"a":2}', b'{ "a":1}', b"1\n", b"-0", b'"\\u0041"', b'"\\u03A9"', '"Ω"'.encode()],
)
def test_another_way_to_write_a_value_is_not_canonical(content: bytes) -> None:
    read_json(content)
    with pytest.raises(CanonicalJsonError):
        read_canonical(content)


def test_the_message_of_a_refusal_does_not_repeat_the_content() -> None:
    with pytest.raises(CanonicalJsonError) as refused:
        read_json(b'{"key":"ABABABABABABABAB"')
    assert "ABAB" not in repr(refused.value)


# --- fields -----------------------------------------------------------------------------------


def _fields(value: JsonValue) -> Fields:
    return Fields("a thing", value, names=("field",), refuse=CheckValueError)


@pytest.mark.parametrize("value", [None, [], "text", {}, {"other": 1}, {"field": 1, "other": 2}])
def test_an_object_has_exactly_its_fields(value: JsonValue) -> None:
    with pytest.raises(CheckValueError, match="a thing must have the fields field"):
        _fields(value)


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (lambda fields: fields.text("field"), "a name"),
        (lambda fields: fields.number("field"), 7),
        (lambda fields: fields.hexadecimal("field"), "00ff"),
        (lambda fields: fields.hexadecimal("field", size=2), "00ff"),
        (lambda fields: fields.hexadecimal("field"), ""),
        (lambda fields: fields.time("field"), "2026-01-31T12:00:00Z"),
        (lambda fields: fields.optional_time("field"), None),
        (lambda fields: fields.optional_time("field"), "0999-01-31T12:00:00Z"),
        (lambda fields: fields.items("field"), [1]),
        (lambda fields: fields.raw("field"), {"any": "thing"}),
    ],
)
def test_a_field_of_its_type_is_read(read: Callable[[Fields], object], value: JsonValue) -> None:
    found = read(_fields({"field": value}))
    match found:
        case bytes():
            assert found.hex() == value
        case datetime():
            assert time_text(found) == value
        case _:
            assert found == value


@pytest.mark.parametrize(
    ("read", "values"),
    [
        (lambda fields: fields.text("field"), ["", " a", "a\n", "x" * 201, 1, None]),
        (lambda fields: fields.number("field", low=1, high=9), [0, 10, True, "1", None]),
        (lambda fields: fields.hexadecimal("field"), ["0", "0A", "xx", "0 0", 0, None, "00 ff"]),
        (lambda fields: fields.hexadecimal("field", size=2), ["00", "000000", ""]),
        (
            lambda fields: fields.time("field"),
            ["2026-01-31", "2026-01-31T12:00:00", "2026-1-31T12:00:00Z", "2026-02-30T12:00:00Z", 1],
        ),
        (lambda fields: fields.items("field"), [{}, "ab", None]),
    ],
)
def test_anything_else_is_refused_by_name(
    read: Callable[[Fields], object], values: list[JsonValue]
) -> None:
    for value in values:
        with pytest.raises(CheckValueError, match="a thing: field must "):
            read(_fields({"field": value}))


def test_times_are_written_in_utc_and_whole_seconds() -> None:
    zone = timezone(timedelta(hours=2))
    assert time_text(datetime(2026, 1, 31, 1, 2, 3, 999, zone)) == "2026-01-30T23:02:03Z"
    assert time_text(datetime(14, 1, 1, tzinfo=UTC)) == "0014-01-01T00:00:00Z"
    with pytest.raises(NaiveDatetimeError):
        time_text(datetime(2026, 1, 31))  # noqa: DTZ001 - a time without a zone is the point


@pytest.mark.parametrize("text", ["Ada Ohm", "x" * 200, "Ω"])
def test_a_name_can_be_printed(text: str) -> None:
    assert is_name(text)


@pytest.mark.parametrize("text", ["", " ", "a ", "a\tb", "\u202e", "x" * 201])
def test_anything_else_is_no_name(text: str) -> None:
    assert not is_name(text)
