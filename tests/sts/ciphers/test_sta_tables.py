"""The STA tables: the SAMPLE set, then files of other sets, then what is refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts.ciphers.sta_tables import (
    MAX_FILE_BYTES,
    SAMPLE_JSON,
    SAMPLE_TABLES,
    StaTables,
    load_sta_tables,
    parse_sta_tables,
    require_licensed_tables,
)
from sts.errors import SampleTablesInProductionError, StaTablesError

# The decryption permutation that is printed beside the encryption permutation.
SAMPLE_DECRYPTION_PERMUTATION = (
    "44 16 7 32 51 22 49 52 63 3 42 36 39 56 35 21 4 27 57 24 62 18 26 15 30 11 43 1 29 0 14 40 "
    "58 12 2 53 34 46 10 31 8 17 20 47 48 45 60 59 28 9 55 41 37 25 38 6 54 19 23 50 33 13 5 61"
)


def sample_content() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(SAMPLE_JSON)
    return content


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    content = sample_content()
    change(content)
    return json.dumps(content).encode()


def test_the_sample_permutation_is_inverse_to_the_printed_decryption_permutation() -> None:
    """Two printed tables check each other against slips in the writing."""
    inverse = [int(entry) for entry in SAMPLE_DECRYPTION_PERMUTATION.split()]
    assert [inverse[place] for place in SAMPLE_TABLES.permutation] == list(range(64))


def test_the_sample_substitutions_are_inverse_to_each_other() -> None:
    """True of the SAMPLE pair only, and another check against slips."""
    second = SAMPLE_TABLES.substitution_2
    assert [second[entry] for entry in SAMPLE_TABLES.substitution_1] == list(range(16))


def test_the_sample_set_is_called_sample() -> None:
    assert SAMPLE_TABLES.name == "SAMPLE"
    assert SAMPLE_TABLES.is_sample


def test_the_fingerprint_of_the_sample_set_does_not_change() -> None:
    """It may stand in other people's records."""
    assert SAMPLE_TABLES.fingerprint == sha256(SAMPLE_JSON).hexdigest()
    assert SAMPLE_TABLES.fingerprint == (
        "6accd54a75a565a0a57f011cdba1c581d173f4b1535fdbba4db927a655f21712"
    )


def test_a_file_is_read_with_its_fingerprint(tmp_path: Path) -> None:
    file = tmp_path / "tables.json"
    file.write_bytes(b" " + SAMPLE_JSON + b"\n")
    tables = load_sta_tables(file)
    assert tables.permutation == SAMPLE_TABLES.permutation
    assert tables.fingerprint == sha256(b" " + SAMPLE_JSON + b"\n").hexdigest()


def test_the_sample_set_under_another_name_is_still_the_sample_set() -> None:
    tables = parse_sta_tables(changed(lambda content: content.update(name="PRODUCTION")))
    assert tables.name == "PRODUCTION"
    assert tables.is_sample


@pytest.mark.parametrize("field", ["substitution_1", "substitution_2", "permutation"])
def test_a_set_that_differs_in_one_table_is_not_the_sample_set(field: str) -> None:
    assert not parse_sta_tables(changed(lambda content: content[field].reverse())).is_sample


@given(st.permutations(range(16)), st.permutations(range(16)), st.permutations(range(64)))
def test_any_three_permutations_are_read_as_they_were_written(
    substitution_1: list[int], substitution_2: list[int], permutation: list[int]
) -> None:
    content = {
        "name": "random",
        "substitution_1": substitution_1,
        "substitution_2": substitution_2,
        "permutation": permutation,
    }
    tables = parse_sta_tables(json.dumps(content).encode())
    assert [*tables.substitution_1] == substitution_1
    assert [*tables.substitution_2] == substitution_2
    assert [*tables.permutation] == permutation


def test_entries_are_not_shown() -> None:
    """A licensed set is confidential, and a ``repr`` ends up in logs and tracebacks."""
    shown = repr(SAMPLE_TABLES)
    assert shown == f"StaTables(name='SAMPLE', fingerprint='{SAMPLE_TABLES.fingerprint}')"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xff" + SAMPLE_JSON, "not UTF-8, at byte 0"),
        (SAMPLE_JSON.decode().encode("utf-16-be"), "not JSON"),
        (b"", "not JSON: Expecting value in line 1, column 1"),
        (b'{"name": }', "not JSON: Expecting value in line 1, column 10"),
        (SAMPLE_JSON + b"x", "not JSON: Extra data"),
        (b"[" * MAX_FILE_BYTES, "not JSON of a sensible size and depth"),
        (b"9" * 5_000, "not JSON of a sensible size and depth"),
        (b"[]", "not a JSON object"),
        (SAMPLE_JSON + b" " * MAX_FILE_BYTES, f"the file has more than {MAX_FILE_BYTES} bytes"),
        (b'{"name": "a", "name": "b"}', "a field stands in the file more than once"),
        (b"{}", "the field name is missing"),
        (changed(lambda content: content.pop("permutation")), "the field permutation is missing"),
        (changed(lambda content: content.update(note="mine")), "unknown field 'note'"),
        (changed(lambda content: content.update({"x" * 99: 1})), f"unknown field '{'x' * 40}'"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else str(value),
)
def test_a_file_of_another_kind_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(StaTablesError) as caught:
        parse_sta_tables(data)
    assert str(caught.value).startswith(message)
    assert caught.value.code == "STA_TABLES"


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", 7, "name must be a string"),
        ("name", "", "name must have 1 to 64 printable characters"),
        ("name", "   ", "name must have 1 to 64 printable characters"),
        ("name", "x" * 65, "name must have 1 to 64 printable characters"),
        ("name", "a\nb", "name must have 1 to 64 printable characters"),
        ("substitution_1", "0123456789abcdef", "substitution_1 must be a list of numbers"),
        ("substitution_2", None, "substitution_2 must be a list of numbers"),
        ("permutation", {}, "permutation must be a list of numbers"),
        ("substitution_1", [*range(15)], "substitution_1 must have 16 entries, found 15"),
        ("substitution_2", [*range(17)], "substitution_2 must have 16 entries, found 17"),
        ("permutation", [*range(65)], "permutation must have 64 entries, found 65"),
    ],
)
def test_a_field_of_another_form_is_refused(field: str, value: object, message: str) -> None:
    with pytest.raises(StaTablesError) as caught:
        parse_sta_tables(changed(lambda content: content.update({field: value})))
    assert str(caught.value) == message


@pytest.mark.parametrize("entry", [-1, 16, True, 3.0, "3", None, [3]], ids=repr)
@pytest.mark.parametrize("field", ["substitution_1", "substitution_2"])
def test_a_substitution_entry_that_is_no_nibble_is_refused(field: str, entry: object) -> None:
    """True and 3.0 equal numbers in Python, yet nobody means them."""
    with pytest.raises(StaTablesError) as caught:
        parse_sta_tables(changed(lambda content: content[field].__setitem__(5, entry)))
    assert str(caught.value) == f"{field}: entry 5 is not a whole number from 0 to 15"


@pytest.mark.parametrize("entry", [-1, 64, False, 1e1, "10"], ids=repr)
def test_a_permutation_entry_that_is_no_bit_is_refused(entry: object) -> None:
    with pytest.raises(StaTablesError) as caught:
        parse_sta_tables(changed(lambda content: content["permutation"].__setitem__(63, entry)))
    assert str(caught.value) == "permutation: entry 63 is not a whole number from 0 to 63"


@pytest.mark.parametrize("field", ["substitution_1", "substitution_2", "permutation"])
def test_an_entry_that_stands_twice_is_refused_without_being_shown(field: str) -> None:
    """Two bits that move to one place could never be told apart again."""
    with pytest.raises(StaTablesError) as caught:
        parse_sta_tables(changed(lambda content: content[field].__setitem__(9, content[field][2])))
    assert str(caught.value) == f"{field}: entries 2 and 9 are the same"


@pytest.mark.parametrize(
    "fingerprint", ["", "0" * 63, "0" * 65, "G" * 64, SAMPLE_TABLES.fingerprint.upper()]
)
def test_a_fingerprint_that_is_no_sha_256_is_refused(fingerprint: str) -> None:
    with pytest.raises(StaTablesError, match="fingerprint must be a SHA-256"):
        StaTables(
            name="made by hand",
            substitution_1=SAMPLE_TABLES.substitution_1,
            substitution_2=SAMPLE_TABLES.substitution_2,
            permutation=SAMPLE_TABLES.permutation,
            fingerprint=fingerprint,
        )


@given(st.binary() | st.text().map(str.encode))
def test_garbage_is_refused_and_nothing_worse(data: bytes) -> None:
    with pytest.raises(StaTablesError):
        parse_sta_tables(data)


@given(
    st.dictionaries(
        st.sampled_from([*sample_content(), "other"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=5,
        ),
    )
)
def test_json_garbage_is_refused_and_nothing_worse(content: dict[str, object]) -> None:
    with pytest.raises(StaTablesError):
        parse_sta_tables(json.dumps(content).encode())


def test_a_missing_file_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(StaTablesError) as caught:
        load_sta_tables(tmp_path / "none.json")
    assert str(caught.value) == f"cannot read {tmp_path / 'none.json'}: No such file or directory"


def test_a_folder_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(StaTablesError) as caught:
        load_sta_tables(tmp_path)
    assert str(caught.value) == f"cannot read {tmp_path}: Is a directory"


def test_an_endless_file_is_refused_after_a_bounded_read() -> None:
    """A slip such as naming a device must not fill the memory."""
    with pytest.raises(StaTablesError, match="more than 16384 bytes"):
        load_sta_tables(Path("/dev/zero"))


def test_only_the_sample_tables_are_refused_for_real_meters() -> None:
    with pytest.raises(SampleTablesInProductionError):
        require_licensed_tables(SAMPLE_TABLES)
    licensed = replace(
        SAMPLE_TABLES, permutation=tuple(reversed(SAMPLE_TABLES.permutation)), name="another set"
    )
    require_licensed_tables(licensed)
