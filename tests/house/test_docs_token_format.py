"""The tables of `docs/token-format.md` are those of the code, and can be written from it."""

from pathlib import Path

import pytest

from tools.token_format import BLOCKS, DOCUMENT, main, refreshed

STALE = """# Tokens

<!-- generated: services -->

| service     | unit of the amount |
| ----------- | ------------------ |
| electricity | 1 horse            |

<!-- end of generated -->

The end.
"""


def test_the_document_says_what_the_code_does(capsys: pytest.CaptureFixture[str]) -> None:
    """Where it fails: `python -m tools.token_format --write`, and read the difference."""
    assert main([]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("name", BLOCKS)
def test_every_table_is_in_the_document(name: str) -> None:
    assert DOCUMENT.read_text(encoding="utf-8").count(f"<!-- generated: {name} -->") == 1


def test_a_stale_table_is_found_and_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = tmp_path / "page.md"
    document.write_text(STALE, encoding="utf-8")
    assert main([str(document)]) == 1
    assert "-| electricity | 1 horse            |" in capsys.readouterr().out
    assert document.read_text(encoding="utf-8") == STALE


def test_a_stale_table_is_written_anew_and_the_rest_is_left_alone(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text(STALE, encoding="utf-8")
    assert main([str(document), "--write"]) == 0
    written = document.read_text(encoding="utf-8")
    assert "| electricity | 0.1 kWh            |" in written
    assert written.startswith("# Tokens\n")
    assert written.endswith("\nThe end.\n")
    assert refreshed(written) == written


def test_a_table_that_nothing_makes_is_an_error() -> None:
    with pytest.raises(KeyError):
        refreshed("<!-- generated: horses -->\n<!-- end of generated -->")
