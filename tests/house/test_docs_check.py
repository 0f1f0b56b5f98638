"""The check of the documentation runs what it says it runs, and finds what is wrong."""

from pathlib import Path

import pytest

from tools.docs_check import check_console, check_links, check_python, main


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "other.md").write_text("# One\n\n## Two `words`\n\n## One\n")
    return tmp_path


def _document(root: Path, text: str) -> Path:
    path = root / "README.md"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "link",
    [
        "docs/other.md",
        "docs",
        "docs/other.md#one",
        "docs/other.md#two-words",
        "docs/other.md#one-1",
        "#here",
        "https://example.org/docs/nowhere.md",
        "mailto:someone@example.org",
    ],
)
def test_a_link_that_leads_somewhere_passes(root: Path, link: str) -> None:
    document = _document(root, f"# Here\n\n[link]({link})\n")
    assert list(check_links(document, root)) == []


@pytest.mark.parametrize(
    ("link", "error"),
    [
        ("docs/none.md", "no such file"),
        ("docs/other.md#three", "no such heading"),
        ("#there", "no such heading"),
        ("..", "no such file"),
        ("/docs/other.md", "no such file"),
    ],
)
def test_a_link_that_leads_nowhere_is_an_error(root: Path, link: str, error: str) -> None:
    document = _document(root, f"# Here\n\n[link]({link})\n")
    assert list(check_links(document, root)) == [f"{document}:3: {error}: {link}"]


@pytest.mark.parametrize("text", ["![picture](none.png)", "[link][name]\n\n[name]: none.md"])
def test_pictures_and_named_links_are_checked_too(root: Path, text: str) -> None:
    assert len(list(check_links(_document(root, text), root))) == 1


@pytest.mark.parametrize("text", ["`[link](none.md)`", "```\n[link](none.md)\n```"])
def test_a_link_in_code_is_no_link(root: Path, text: str) -> None:
    assert list(check_links(_document(root, text), root)) == []


def test_the_python_blocks_of_a_file_are_one_program(root: Path) -> None:
    document = _document(root, "```python\na = 1\n```\n\ntext\n\n```python\nassert a == 1\n```\n")
    assert list(check_python(document)) == []


def test_a_failing_python_block_is_an_error_at_its_line_in_the_document(root: Path) -> None:
    document = _document(root, "one\n\n```python\na = 1\n\nassert a == 2\n```\n")
    (error,) = check_python(document)
    assert "line 6" in error
    assert "AssertionError" in error


def test_a_warning_in_a_python_block_is_an_error(root: Path) -> None:
    document = _document(root, '```python\nimport warnings\nwarnings.warn("old")\n```\n')
    assert len(list(check_python(document))) == 1


@pytest.mark.parametrize("fence", ["python no-run", "text", ""])
def test_other_blocks_are_not_run_as_python(root: Path, fence: str) -> None:
    document = _document(root, f"```{fence}\nraise SystemExit(1)\n```\n")
    assert list(check_python(document)) == []


def _console(root: Path, *lines: str, fence: str = "console") -> list[str]:
    # The version of a program that is always there stands for what one of ours would print.
    return list(check_console(_document(root, "\n".join([f"```{fence}", *lines, "```\n"]))))


@pytest.fixture
def _sts_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `sts` print its arguments, so that these tests need no command of ours."""
    monkeypatch.setenv("BASH_FUNC_sts%%", '() { printf "%s\\n" "$@"; }')


@pytest.mark.usefixtures("_sts_prints")
@pytest.mark.parametrize(
    "lines",
    [
        ["$ sts a b", "a", "b"],
        ["$ sts a b c d", "a", "...", "d"],
        ["$ sts a", "..."],
        ["$ sts a b", "...", "a", "...", "b"],
        ["$ sts a", "a", "$ sts b", "b"],
        ["$ sts a \\", "> b", "a", "b"],
        ["$ sts a > file", "$ cat file", "a"],
    ],
)
def test_a_transcript_that_is_true_passes(root: Path, lines: list[str]) -> None:
    assert _console(root, *lines) == []


@pytest.mark.usefixtures("_sts_prints")
@pytest.mark.parametrize(
    "lines",
    [
        ["$ sts a", "b"],
        ["$ sts a"],
        ["$ sts a", "a", "b"],
        ["$ sts a b", "a"],
        ["$ sts a b c", "a", "...", "b"],
        ["$ sts a", "a", "$ sts b", "a"],
    ],
)
def test_a_transcript_that_is_not_true_is_shown_as_a_difference(
    root: Path, lines: list[str]
) -> None:
    (error,) = _console(root, *lines)
    assert "--- shown" in error
    assert "+++ printed" in error


@pytest.mark.parametrize("lines", [["$ false", "true"], ["sts a", "b"], []])
def test_only_transcripts_of_our_commands_are_run(root: Path, lines: list[str]) -> None:
    assert _console(root, *lines) == []


@pytest.mark.usefixtures("_sts_prints")
def test_a_transcript_marked_no_run_is_only_shown(root: Path) -> None:
    assert _console(root, "$ sts a", "b", fence="console no-run") == []


def test_code_runs_in_the_readme_and_docs_only_and_leaves_nothing_behind(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    writes = "```python\nopen('left.txt', 'w').close()\nassert False\n```\n"
    for name in ("README.md", "docs/page.md", "CHANGELOG.md", ".hidden.md"):
        (root / name).write_text(writes, encoding="utf-8")
    assert main([str(root)]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "docs: 4 documents checked, 2 errors"
    assert not list(root.rglob("left.txt"))
