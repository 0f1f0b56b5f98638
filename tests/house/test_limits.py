"""Code stays small enough to be read: the limits of the house, measured."""

import ast
from pathlib import Path
from statistics import median
from typing import Final

import pytest

from tests.house.project import PACKAGES, ROOT, Function, functions, modules, text

MODULE_LINES: Final = 400
MEDIAN_MODULE_LINES: Final = 150
FUNCTION_LINES: Final = 60

# Where money, energy and keys live. The edges may hold seconds and pixels as floats.
EXACT: Final = ("sts", "keys", "vending_app/domain", "vending_app/services")


def _length(path: Path) -> int:
    return len(text(path).splitlines())


def _is_data(path: Path) -> bool:
    """Tell whether a module is a table of data or a migration, which only ever grow."""
    return "tables" in path.stem or "migrations" in path.parts


def _code_lines(function: Function) -> int:
    """Count the lines of a function without its docstring, which may hold a table."""
    first = function.body[0]
    lines = function.end_lineno or function.lineno
    documented = ast.get_docstring(function) is not None
    docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if documented else 0
    return lines - function.lineno + 1 - docstring


@pytest.mark.parametrize("path", modules(*PACKAGES, "benchmarks", "tools"), ids=str)
def test_no_module_is_too_long(path: Path) -> None:
    assert _is_data(path) or _length(path) <= MODULE_LINES


def test_the_median_module_fits_on_a_few_screens() -> None:
    lengths = [_length(path) for path in modules(*PACKAGES) if not _is_data(path)]
    assert median(lengths) <= MEDIAN_MODULE_LINES


@pytest.mark.parametrize("path", modules(*PACKAGES, "benchmarks", "tests", "tools"), ids=str)
def test_no_function_is_too_long(path: Path) -> None:
    long = {
        function.name: _code_lines(function)
        for function in functions(path)
        if _code_lines(function) > FUNCTION_LINES
    }
    assert _is_data(path) or not long


@pytest.mark.parametrize(
    "path", [path for path in modules(*PACKAGES) if path.as_posix().startswith(EXACT)], ids=str
)
def test_exact_code_makes_no_floats(path: Path) -> None:
    calls = [
        node.lineno
        for node in ast.walk(ast.parse(text(path)))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "float"
    ]
    assert not calls


def test_the_limits_see_the_project() -> None:
    assert ROOT.joinpath("pyproject.toml").is_file()
    assert Path("sts/codec.py") in modules("sts")
