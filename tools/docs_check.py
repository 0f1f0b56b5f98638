"""Check that the documentation tells the truth: `python tools/docs_check.py`.

In every Markdown file of the project, relative links must lead to a file, and to a heading in it
where they name one. In `README.md` and `docs/`, code is run in an empty temporary folder:

- Every ``python`` block of a file runs, top to bottom, as one program; warnings are errors.
- A ``console`` block whose first line is ``$ sts …`` (or ``$ sts-keys``, ``$ sts-meter``,
  ``$ sts-vend``) runs in the shell, command by command, and must print what it shows. A line
  ``...`` stands for any number of lines. The blocks of a file share one folder.
- A block marked ``python no-run`` or ``console no-run`` is only shown.
"""

import difflib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

_COMMANDS = ("sts", "sts-keys", "sts-meter", "sts-vend")
_TIMEOUT_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: the words after the fence, the line of its first content, its text."""

    words: tuple[str, ...]
    line: int
    text: str

    def is_run(self, language: str) -> bool:
        """Tell whether this is a block in ``language`` that is not marked ``no-run``."""
        return self.words[:1] == (language,) and "no-run" not in self.words


def check_links(path: Path, root: Path) -> Iterator[str]:
    """Yield one line for each relative link in ``path`` that leads nowhere inside ``root``."""
    for line, link in _links(path):
        url = urlsplit(link)
        if url.scheme or url.netloc:
            continue
        target = (path.parent / unquote(url.path)).resolve() if url.path else path.resolve()
        if not target.is_relative_to(root.resolve()) or not target.exists():
            yield f"{path}:{line}: no such file: {link}"
        elif url.fragment and target.suffix == ".md" and url.fragment not in _anchors(target):
            yield f"{path}:{line}: no such heading: {link}"


def check_python(path: Path) -> Iterator[str]:
    """Run the Python blocks of ``path`` as one program; yield what went wrong."""
    program: list[str] = []
    for block in _blocks(path):
        if block.is_run("python"):
            # Blank lines put the code where it stands in the document, so that the line numbers
            # of a traceback are those of the document.
            program += [""] * (block.line - 1 - len(program))
            program += block.text.splitlines()
    if not program:
        return
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, path.name).with_suffix(".py")
        script.write_text("\n".join(program) + "\n", encoding="utf-8")
        status, output = _run([sys.executable, "-W", "error", str(script)], folder)
    if status:
        yield f"{path}: its Python blocks fail; line numbers are the document's\n{output}"


def check_console(path: Path) -> Iterator[str]:
    """Run the commands shown in ``path``; yield the difference where they print something else."""
    with tempfile.TemporaryDirectory() as folder:
        for block in _blocks(path):
            shown = list(_commands(block.text)) if block.is_run("console") else []
            if not shown or shown[0][0].split()[0] not in _COMMANDS:
                continue
            for command, expected in shown:
                _, output = _run(["bash", "-c", command], folder)
                printed = [line.rstrip() for line in output.splitlines()]
                if not _matches(printed, expected):
                    difference = difflib.unified_diff(
                        expected, printed, "shown", "printed", lineterm=""
                    )
                    yield "\n".join([f"{path}:{block.line}: $ {command}", *difference])


def main(arguments: list[str] | None = None) -> int:
    """Check all documents under the root (default: the current folder); return 1 on an error."""
    root = Path(*(sys.argv[1:] if arguments is None else arguments))
    errors: list[str] = []
    documents = [
        path
        for path in sorted(root.rglob("*.md"))
        if not any(part.startswith(".") for part in path.relative_to(root).parts)
    ]
    for path in documents:
        errors += check_links(path, root)
        if path.relative_to(root).parts[0] in {"README.md", "docs"}:
            errors += check_python(path)
            errors += check_console(path)
    for error in errors:
        print(error)
    print(f"docs: {len(documents)} documents checked, {len(errors)} errors")
    return 1 if errors else 0


def _tokens(path: Path) -> list[Token]:
    return MarkdownIt("commonmark").parse(path.read_text(encoding="utf-8"))


def _blocks(path: Path) -> Iterator[Block]:
    for token in _tokens(path):
        if token.type == "fence" and token.map:
            # The map counts from zero and starts at the fence; content starts a line below.
            yield Block(tuple(token.info.split()), token.map[0] + 2, token.content)


def _links(path: Path) -> Iterator[tuple[int, str]]:
    for token in _tokens(path):
        line = token.map[0] + 1 if token.map else 0
        for child in token.children or ():
            link = child.attrGet("src" if child.type == "image" else "href")
            if isinstance(link, str):
                yield line, link


def _anchors(path: Path) -> set[str]:
    tokens = _tokens(path)
    titles = (
        "".join(child.content for child in inline.children or ())
        for opening, inline in pairwise(tokens)
        if opening.type == "heading_open"
    )
    anchors: set[str] = set()
    for title in titles:
        slug = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        repeats = sum(1 for anchor in anchors if re.fullmatch(rf"{re.escape(slug)}(-\d+)?", anchor))
        anchors.add(f"{slug}-{repeats}" if repeats else slug)
    return anchors


def _commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Split a transcript into commands, each with the lines shown below it."""
    command, shown = "", list[str]()
    for line in text.splitlines():
        if command.endswith("\\"):
            command = command[:-1] + line.removeprefix("> ").lstrip()
        elif line.startswith("$ "):
            if command:
                yield command, shown
            command, shown = line.removeprefix("$ "), []
        else:
            shown.append(line.rstrip())
    if command:
        yield command, shown


def _matches(printed: list[str], shown: list[str]) -> bool:
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "..." else re.escape(line) + r"\n" for line in shown
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in printed)) is not None


def _run(command: list[str], folder: str) -> tuple[int, str]:
    """Run ``command`` in ``folder`` with our commands on the path; return its status and output."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("STS_")},
        "COLUMNS": "100",
        "HOME": folder,
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONIOENCODING": "utf-8",
    }
    try:
        finished = subprocess.run(
            command,
            check=False,
            cwd=folder,
            encoding="utf-8",
            env=environment,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=_TIMEOUT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return 1, f"did not end within {_TIMEOUT_SECONDS} seconds\n"
    return finished.returncode, finished.stdout


if __name__ == "__main__":
    sys.exit(main())
