"""The project as the house tests see it: its root, its files, its modules."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGES: Final = ("sts", "keys", "vending_app")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def project_files() -> tuple[Path, ...]:
    """Return every file that git has or would take, relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True,
        cwd=ROOT,
        encoding="utf-8",
        stdout=subprocess.PIPE,
    )
    names = sorted(set(filter(None, listed.stdout.split("\0"))))
    return tuple(Path(name) for name in names if (ROOT / name).is_file())


def modules(*folders: str) -> list[Path]:
    """Return the Python files in ``folders``, relative to the root."""
    return [path for path in project_files() if path.suffix == ".py" and path.parts[0] in folders]


def text(path: Path) -> str:
    """Return the text of the project file ``path``."""
    return (ROOT / path).read_text(encoding="utf-8")


def functions(path: Path) -> Iterator[Function]:
    """Yield every function of the module ``path``, methods and inner functions included."""
    for node in ast.walk(ast.parse(text(path))):
        if isinstance(node, Function):
            yield node
