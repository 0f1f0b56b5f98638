"""The conformance runner: what passes, and that it can fail."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts import conformance
from sts.ciphers import SAMPLE_TABLES, StaTables, new_cipher
from sts.codec import encode
from sts.conformance import CaseResult, Report, load_bundled, load_file, run
from sts.errors import VectorFileError
from sts.identifiers import (
    EncryptionAlgorithm,
    KeyExpiryNumber,
    KeyRevisionNumber,
    KeyType,
    TariffIndex,
)
from sts.key_change import KeyChange
from sts.key_material import DecoderKey
from sts.vectors import VectorCase, read_cases
from tests.strategies import MADE_UP_TABLES

Raw = dict[str, Any]

VECTORS: Final = Path(__file__).parents[1] / "vectors"
TOKEN_VECTOR_FILES: Final = (
    "cross_checked_sample.json",
    "dkga03_cross_checked.json",
    "misty1_rfc2994.json",
    "reference_only.json",
)
BUNDLED: Final = Path(conformance.__file__).parent / "data"


def raw_cases(path: Path) -> dict[str, Raw]:
    return {case["id"]: case for case in json.loads(path.read_text("utf-8"))["cases"]}


IEC: Final = raw_cases(BUNDLED / "iec_example.json")["iec/TransferCredit-STA-sample"]
ED22: Final = raw_cases(BUNDLED / "sts531_ed22_ea11.json")
LEGACY: Final = raw_cases(BUNDLED / "sts531_legacy.json")
CREDIT: Final = ED22["ed22/CTSA01/1"]
NEXT_CREDIT: Final = ED22["ed22/CTSA01/2"]
SET: Final = ED22["ed22/CTSA05/1"]
PART: Final = LEGACY["STS531-1-0-04/CTSA19/step1CTSA19Test/1"]
TEST: Final = LEGACY["STS531-1-0-02/CTSA11/step11CTSA10Test/1"]
KEY: Final = {name: value for name, value in CREDIT.items() if name != "token_kind"} | {"op": "key"}


def result_of(case: object, *, licensed_tables: StaTables | None = None) -> CaseResult:
    _, cases = read_cases({"cases": [case]})
    (result,) = run(cases, licensed_tables=licensed_tables).results
    return result


# --- what passes ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bundled() -> Report:
    return run(load_bundled())


def test_all_bundled_vectors_pass_that_need_no_licensed_tables(bundled: Report) -> None:
    assert bundled.conforms
    assert bundled.as_dict()["counts"] == {
        "passed": 210,
        "failed": 0,
        "skipped": 99,
        "unreadable": 0,
    }
    assert bundled.as_dict()["problems"] == []


def test_the_bundled_vectors_are_those_of_both_editions(bundled: Report) -> None:
    passed = {result.identity for result in bundled.results if result.status == "passed"}
    assert len(passed & ED22.keys()) == len(ED22) == 74
    assert len(passed & LEGACY.keys()) == 135
    assert passed - ED22.keys() - LEGACY.keys() == {IEC["id"]}


def test_only_tokens_of_the_licensed_tables_are_skipped(bundled: Report) -> None:
    licensed = {name for name, case in LEGACY.items() if case.get("sta_tables") == "licensed"}
    for result in bundled.results:
        needs = result.identity in licensed
        assert result.needs_licensed_tables is needs
        assert result.status == ("skipped" if needs else "passed")
        assert result.detail == ("needs the licensed STA tables" if needs else "")


@pytest.mark.parametrize(
    ("name", "passed"),
    [
        ("cross_checked_sample.json", 800),
        ("reference_only.json", 175),
        ("dkga03_cross_checked.json", 26),
    ],
)
def test_all_vectors_of_other_engines_pass(name: str, passed: int) -> None:
    report = run(load_file(VECTORS / name))
    assert report.conforms
    assert (report.count("passed"), len(report.results)) == (passed, passed)


@pytest.mark.parametrize("name", TOKEN_VECTOR_FILES)
def test_every_vector_file_says_where_it_comes_from(name: str) -> None:
    document = json.loads((VECTORS / name).read_text("utf-8"))
    assert document["title"]
    assert document["source"]
    assert document["checked"]
    identities = [case["id"] for case in document["cases"]]
    assert len(set(identities)) == len(identities)


# --- what fails -------------------------------------------------------------------------------


def set_with(number: int, token: str) -> Raw:
    """Return the set with another token in one place."""
    tokens = list(SET["expected_tokens"])
    tokens[number] = token
    return SET | {"expected_tokens": tokens}


OTHER_KEY: Final = "929bd3a415c9420a05ec5ee9f3ce91c2"
TURNED_SET: Final = SET | {"expected_tokens": SET["expected_tokens"][::-1]}
NO_TIME: Final = {name: value for name, value in CREDIT.items() if name != "date_of_issue"}
CLOSED: Final = "CRC_MISMATCH: checksum mismatch"
NOT_DERIVED: Final = "the decoder key derived is not the published one"
MADE_ANOTHER: Final = "made 58625789986991357486, published 51132789436787861315"

FAILING: list[tuple[Raw, str]] = [
    # The token: a digit is wrong, or it is an authentic one that says something else.
    (CREDIT | {"expected_token": "58625789986991357487"}, CLOSED),
    (CREDIT | {"expected_token": "78625789986991357486"}, "EXCEEDS_66_BITS"),
    (CREDIT | {"expected_token": "5862578998699135748"}, "NOT_TWENTY_DIGITS"),
    (CREDIT | {"expected_token": NEXT_CREDIT["expected_token"]}, MADE_ANOTHER),
    (
        CREDIT | {"expected_token": NEXT_CREDIT["expected_token"]},
        "51132789436787861315 decodes to TransferCredit(service=<Service.WATER: 1>",
    ),
    (TEST | {"expected_token": "00000000017314105856"}, CLOSED),
    # What it says: any field is another one.
    (CREDIT | {"amount_tenths": 2}, "published 58625789986991357486"),
    (CREDIT | {"rnd": 6}, "published 58625789986991357486"),
    (NO_TIME | {"tid": 85741}, "published 58625789986991357486"),
    (
        CREDIT | {"token_kind": "TransferCredit/gas", "subclass": 2},
        "published 58625789986991357486",
    ),
    (TEST | {"control_hex": "000000401"}, "published 00000000017314105857"),
    (TEST | {"manufacturer_code": "04"}, "published 00000000017314105857"),
    # The key: another one is published, or another one is derived.
    (CREDIT | {"decoder_key_hex": OTHER_KEY}, CLOSED),
    (CREDIT | {"vending_key_hex": "ab" * 20}, NOT_DERIVED),
    (CREDIT | {"meter_pan": "000001000000000082"}, NOT_DERIVED),
    (CREDIT | {"supply_group_code": "201458"}, NOT_DERIVED),
    (CREDIT | {"tariff_index": "02"}, NOT_DERIVED),
    (CREDIT | {"key_revision_number": 2}, NOT_DERIVED),
    (CREDIT | {"key_type": 1}, NOT_DERIVED),
    (CREDIT | {"dkga": "02"}, "KEY_LENGTH: DKGA02 takes"),
    (CREDIT | {"dkga": "01"}, "UNSUPPORTED_ALGORITHM: DKGA01"),
    (CREDIT | {"key_type": 0}, "UNSUPPORTED_KEY_TYPE: key type 0"),
    (CREDIT | {"ea": "07"}, "KEY_LENGTH: EA07 takes"),
    (KEY | {"decoder_key_hex": OTHER_KEY}, NOT_DERIVED),
    (KEY | {"vending_key_hex": "ab" * 20}, NOT_DERIVED),
    # The blocks before and after encryption.
    (IEC | {"block_hex": "0b19eb230100c208"}, "the block before encryption is not"),
    (IEC | {"expected_block_hex": "c45ed1619406df96"}, "the block after encryption is not"),
    (TEST | {"block_hex": "0"}, "the block before encryption is not"),
    # A set: a token, their order, their number, what they say.
    (set_with(2, "67118070329353977191"), CLOSED),
    (set_with(3, SET["expected_tokens"][2]), "do not decode to the parts of the set"),
    (TURNED_SET, "made 03854447086453451911 02791799436242461152"),
    (TURNED_SET, "published 19019128690902932218 67118070329353977190"),
    (SET | {"expected_tokens": SET["expected_tokens"][:3]}, "the published tokens do not decode"),
    (SET | {"set_size": 3}, "KEY_CHANGE_SET_SIZE: a 128-bit key"),
    (SET | {"ro": 1}, "the published tokens do not decode to the parts of the set"),
    (SET | {"new_key_expiry_number": 254}, "the published tokens do not decode to the parts"),
    (SET | {"new_tariff_index": "03"}, "the new decoder key derived is not the published one"),
    (SET | {"new_decoder_key_hex": OTHER_KEY}, "the new decoder key derived is not"),
    (SET | {"new_decoder_key_hex": OTHER_KEY}, "the published tokens do not decode to the parts"),
    # One part of a set.
    (PART | {"expected_token": "34812744915211133005"}, CLOSED),
    (PART | {"new_key_revision_number": 2}, "the new decoder key derived is not"),
    (PART | {"token_kind": "Set2ndSectionDecoderKey"}, "the published tokens do not decode"),
]


@pytest.mark.parametrize(("case", "detail"), FAILING)
def test_a_case_with_one_thing_wrong_fails_and_says_why(case: Raw, detail: str) -> None:
    result = result_of(case)
    assert result.status == "failed"
    assert detail in result.detail


@pytest.mark.parametrize(
    "case", [CREDIT, NEXT_CREDIT, SET, PART, TEST, KEY, IEC], ids=lambda case: case["op"]
)
def test_the_same_cases_pass_unaltered(case: Raw) -> None:
    assert result_of(case) == CaseResult(
        identity=case["id"], group=result_of(case).group, status="passed"
    )


def test_a_part_that_the_published_set_does_not_have_fails() -> None:
    """A set of two has no third part, so nothing is made and nothing can agree."""
    case = PART | {
        "token_kind": "Set3rdSectionDecoderKey",
        "ea": "07",
        "decoder_key_hex": "aa4baa8749c10d27",
        "new_decoder_key_hex": "aa4baa8749c10d27",
        "sta_tables": "sample",
    }
    assert result_of(case).status == "failed"


ANOTHER_CHANGE: Final = KeyChange(
    new_key=DecoderKey(bytes(16)),
    key_expiry_number=KeyExpiryNumber(1),
    key_revision_number=KeyRevisionNumber(1),
    key_type=KeyType.DEFAULT,
    tariff_index=TariffIndex(1),
    rollover=True,
)
# A part of the library that gives the same answer to everything, and the case that finds it out.
BROKEN_LIBRARY: list[tuple[str, object, Raw, str]] = [
    ("encode", "0" * 20, CREDIT, "made 00000000000000000000, published 58625789986991357486"),
    ("decode", None, CREDIT, "58625789986991357486 decodes to None"),
    ("derive_decoder_key", DecoderKey(bytes(16)), CREDIT, NOT_DERIVED),
    ("clear_block", 0, IEC, "the block before encryption is not the published one"),
    ("encode", "0" * 20, SET, "made 00000000000000000000 00000000000000000000"),
    ("decode", None, SET, "the published tokens do not decode to the parts of the set"),
    ("join", ANOTHER_CHANGE, SET, "the published tokens do not join to the change"),
]


@pytest.mark.parametrize(("name", "answer", "case", "detail"), BROKEN_LIBRARY)
def test_a_library_that_is_wrong_in_one_direction_only_fails(
    monkeypatch: pytest.MonkeyPatch, *, name: str, answer: object, case: Raw, detail: str
) -> None:
    monkeypatch.setattr(conformance, name, lambda *_, **__: answer)
    result = result_of(case)
    assert result.status == "failed"
    assert result.detail.startswith(detail)


def test_an_unreadable_case_is_counted_as_such_and_against_the_file() -> None:
    _, cases = read_cases({"title": "mine", "cases": [CREDIT, CREDIT | {"ea": "12"}, "nothing"]})
    report = run(cases)
    assert not report.conforms
    assert report.count("unreadable") == 2
    assert [problem["id"] for problem in report.as_dict()["problems"]] == [CREDIT["id"], "case 3"]
    assert report.as_dict()["problems"][1] == {
        "id": "case 3",
        "status": "unreadable",
        "detail": "not a JSON object",
    }


def test_a_report_counts_by_suite_and_test() -> None:
    wrong = CREDIT | {"rnd": 6}
    _, cases = read_cases({"cases": [SET, CREDIT, wrong, NEXT_CREDIT]})
    report = run(cases)
    assert not report.conforms
    suite = CREDIT["suite"]
    nothing = {"skipped": 0, "unreadable": 0}
    assert report.as_dict()["tests"] == [
        {"suite": suite, "test": "CTSA01", "passed": 2, "failed": 1, **nothing},
        {"suite": suite, "test": "CTSA05", "passed": 1, "failed": 0, **nothing},
    ]


# --- the licensed tables ----------------------------------------------------------------------

LICENSED: Final = MADE_UP_TABLES[0]
"""Any other tables than SAMPLE can play the part of the licensed ones here."""


def licensed_case() -> Raw:
    """Return the example of the standard as it would be with licensed tables."""
    _, (case,) = read_cases({"cases": [IEC]})
    assert isinstance(case, VectorCase)
    assert case.key is not None
    assert case.token is not None
    cipher = new_cipher(EncryptionAlgorithm.STA, case.key.decoder_key, sta_tables=LICENSED)
    names = ("block_hex", "expected_block_hex")
    kept = {name: value for name, value in IEC.items() if name not in names}
    return kept | {"sta_tables": "licensed", "expected_token": encode(case.token, cipher)}


def test_with_the_licensed_tables_their_cases_are_tried_and_pass() -> None:
    assert result_of(licensed_case()).status == "skipped"
    assert result_of(licensed_case(), licensed_tables=LICENSED).status == "passed"


@pytest.mark.parametrize(
    "tables", [SAMPLE_TABLES, MADE_UP_TABLES[1]], ids=lambda tables: tables.name
)
def test_with_other_tables_the_licensed_cases_fail(tables: StaTables) -> None:
    result = result_of(licensed_case(), licensed_tables=tables)
    assert (result.status, result.needs_licensed_tables) == ("failed", True)
    assert CLOSED in result.detail


def test_licensed_tables_are_not_used_for_the_cases_of_the_sample_tables() -> None:
    assert result_of(IEC, licensed_tables=LICENSED).status == "passed"


def test_no_official_case_passes_with_the_sample_tables_in_place_of_the_licensed(
    bundled: Report,
) -> None:
    report = run(load_bundled(), licensed_tables=SAMPLE_TABLES)
    assert report.count("failed") == bundled.count("skipped") == 99
    assert report.count("passed") == 210


def test_without_the_licensed_tables_a_wrong_key_still_fails() -> None:
    name = next(name for name, case in LEGACY.items() if case.get("sta_tables") == "licensed")
    assert result_of(LEGACY[name]).status == "skipped"
    wrong = LEGACY[name] | {"decoder_key_hex": "0123456789abcdef"}
    assert result_of(wrong).status == "failed"
    assert result_of(wrong).detail == NOT_DERIVED


# --- files ------------------------------------------------------------------------------------


def test_a_file_of_ones_own_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"title": "mine", "cases": [CREDIT]}), encoding="utf-8")
    assert run(load_file(path)).conforms


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not JSON in UTF-8"),
        (b"{", "not JSON in UTF-8"),
        (b'{"cases": [\xff]}', "not JSON in UTF-8"),
        (b'\xef\xbb\xbf{"cases": [1]}', "not JSON in UTF-8"),
        (b"[" * 200_000, "not JSON in UTF-8"),
        (b'{"cases": [' + b"9" * 5000 + b"]}", "not JSON in UTF-8"),
        (b"[]", 'a vector file is a JSON object with a list "cases"'),
        (b'{"cases": []}', 'a vector file is a JSON object with a list "cases"'),
    ],
    ids=["empty", "cut off", "latin 1", "mark", "deep", "long number", "list", "no cases"],
)
def test_a_file_that_is_none_is_refused_by_name(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    with pytest.raises(VectorFileError) as caught:
        load_file(path)
    assert str(caught.value).startswith(f"{path}: {message}")


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.json", tmp_path):
        with pytest.raises(VectorFileError) as caught:
            load_file(path)
        assert str(caught.value).startswith(f"{path}: ")
        assert caught.value.__suppress_context__


def test_a_file_that_is_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conformance, "LARGEST_FILE_BYTES", 10)
    path = tmp_path / "large.json"
    path.write_bytes(b" " * 11)
    with pytest.raises(VectorFileError, match="larger than 10 bytes"):
        load_file(path)
    path.write_bytes(b" " * 10)
    with pytest.raises(VectorFileError, match="not JSON"):
        load_file(path)


# --- any case ---------------------------------------------------------------------------------

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["01", "02", "03", "04", "07", "09", "11", "licensed", "key", "set", "token"]),
    st.binary(max_size=20).map(bytes.hex),
)


@given(
    case=st.sampled_from([CREDIT, SET, PART, TEST, KEY, IEC]),
    value=st.one_of(scalars, st.lists(scalars, max_size=4)),
    data=st.data(),
)
def test_whatever_stands_in_a_field_the_runner_reports_and_goes_on(
    case: Raw, value: object, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(case)))
    _, cases = read_cases({"cases": [case | {name: value}, CREDIT]})
    report = run(cases)
    assert len(report.results) == 2
    assert report.results[1].status == "passed"
    assert bool(report.results[0].detail) is (report.results[0].status != "passed")
