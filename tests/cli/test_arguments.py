"""Whatever is typed, the answer is a result or one line; never a traceback."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts.cli import main
from tests.cli.transcript import Outcome, in_process

SETTINGS: Final = {
    "STS_DECODER_KEY": "929bd3a415c9420a05ec5ee9f3ce91c3",
    "STS_VENDING_KEY": "ABABABABABABABAB949494949494949401234567",
}
ERROR_LINE: Final = re.compile(r"error [A-Z][A-Z0-9_]+: [^\n]+\n")
MARK: Final = "SAMPLE tables: not for real meters\n"
VALUES: Final = (
    *(
        "",
        "0",
        "1",
        "-1",
        "15",
        "16",
        "63",
        "255",
        "256",
        "1.5",
        "0.1",
        "1e9",
        "nan",
        "inf",
        "0x10",
    ),
    *("9" * 20, "9" * 400, "-" + "9" * 400, "1_000", "٣", "½", "²", "00000000000", "0100000000008"),
    *("600727000000000009", "201457", "01", "02", "07", "11", "1993", "2014", "2035", "04"),
    *(
        "58625789986991357486",
        "03854447086453451911",
        "00000000000150997584",
        "5862 5789 9869 9135",
    ),
    *("2014-03-01T13:00Z", "0001-01-01T00:00Z", "9999-12-31T23:59:59.999999-23:59", "T", "now"),
    *("electricity", "all", ".", "..", "meter.key", "tables.json", "nowhere", "-", "--"),
    *("\x1b[2J", "\n", "\t", " ", "é", "漢", "\u202e", "\U0001f50c", "\udcff", "[red]", "%s", "{}"),
)


def _paths(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _paths(command, (*path, name))
        else:
            yield (*path, name)


def _options(path: tuple[str, ...]) -> list[click.Option]:
    command: click.Command = main
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    return [option for option in command.params if isinstance(option, click.Option)]


# What an operating system hands to a program: text, bytes that are none, and never a NUL. And no
# slash, so that nothing outside the folder of the test is ever named.
_TEXT: Final = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0")
    | st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF),
    max_size=30,
)
_VALUE: Final = st.sampled_from(VALUES) | _TEXT | st.integers().map(str)


@st.composite
def _command_lines(draw: st.DrawFn) -> list[str]:
    # Without arguments `sts conformance` is right, and slow.
    paths = [path for path in _paths(main) if path != ("conformance",)]
    path = draw(st.sampled_from(paths))
    words = list(path)
    options = [option for option in _options(path) if option.name != "help"]
    for option in draw(st.lists(st.sampled_from(options), max_size=6)) if options else ():
        words.append(draw(st.sampled_from([*option.opts, *option.secondary_opts])))
        if not option.is_flag:
            words.append(draw(_VALUE))
    return [*words, *draw(st.lists(_VALUE, max_size=5))]


@pytest.fixture(scope="module", autouse=True)
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("arguments")
    (folder / "meter.key").write_text(SETTINGS["STS_DECODER_KEY"], encoding="ascii")
    (folder / "tables.json").write_text('{"cases": [[], {}, {"op": "key"}]}', encoding="ascii")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield


def _is_an_answer(outcome: Outcome, words: list[str]) -> bool:
    """Tell whether the output is one that a person or a program can take in."""
    if outcome.status == 0:
        return outcome.stderr in ("", MARK)
    if outcome.stdout:
        # A refusal in JSON, or a report that is no praise.
        asked_for_json = "--json" in words
        return outcome.stderr == "" and (outcome.status == 1 or asked_for_json)
    is_help = outcome.stderr.startswith("Usage: sts")
    return ERROR_LINE.fullmatch(outcome.stderr) is not None or (is_help and words[1:] == [])


@given(_command_lines())
def test_the_answer_is_a_result_or_one_line(words: list[str]) -> None:
    outcome = in_process(words, SETTINGS)
    assert outcome.status in (0, 1, 2)
    assert _is_an_answer(outcome, words), outcome
    printed = outcome.stdout + outcome.stderr
    if "--reveal" not in words:
        assert all(key.lower() not in printed.lower() for key in SETTINGS.values())


@given(st.lists(_VALUE, min_size=1, max_size=5))
def test_any_words_are_a_token_or_are_refused(words: list[str]) -> None:
    outcome = in_process(["explain", "--", *words], {})
    assert outcome.status in (0, 1)
    assert outcome.status == 0 or ERROR_LINE.fullmatch(outcome.stderr)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_key_or_are_refused(data: bytes) -> None:
    Path("any.key").write_bytes(data)
    words = ["decode", "58625789986991357486", "--decoder-key-file", "any.key"]
    outcome = in_process(words, {})
    assert outcome.status == 1
    assert re.match(r"error (KEY_FORMAT|KEY_LENGTH|CRC_MISMATCH): ", outcome.stderr)
    text = data.decode("ascii", "ignore").strip()
    assert len(text) < 4 or text not in outcome.stderr


@given(st.binary(max_size=200))
def test_any_bytes_are_vectors_or_tables_or_are_refused(data: bytes) -> None:
    Path("any.json").write_bytes(data)
    for words in (["conformance", "any.json"], ["tables", "show", "any.json"]):
        outcome = in_process(words, {})
        assert outcome.status == 1
        assert ERROR_LINE.fullmatch(outcome.stderr)
