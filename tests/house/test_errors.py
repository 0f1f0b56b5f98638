"""Errors are API: each class has a code of its own, and the tree in the docstring is the tree."""

import importlib
import inspect
import pkgutil
import re
from types import ModuleType
from typing import Final

import pytest

from sts import errors
from tests.house.project import PACKAGES

_CODE: Final = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*")
_BRANCH: Final = re.compile(r"^(?P<indent>[\s│├└─]*)(?P<name>[A-Z]\w+)(?P<rest>.*)$")


def _all_modules(package: str) -> list[ModuleType]:
    root = importlib.import_module(package)
    found = pkgutil.walk_packages(root.__path__, f"{package}.")
    names = [module.name for module in found if not module.name.endswith("__main__")]
    return [root, *(importlib.import_module(name) for name in names if ".migrations" not in name)]


def _coded_errors(package: str) -> set[type[BaseException]]:
    return {
        value
        for module in _all_modules(package)
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, BaseException)
        and value.__module__.split(".")[0] == package
        and hasattr(value, "code")
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_every_error_has_a_code_of_its_own(package: str) -> None:
    """An error that passes on the code of another is given it when it is raised."""
    owner: dict[str, type[BaseException]] = {}
    for error in sorted(_coded_errors(package), key=lambda each: each.__qualname__):
        if "code" in inspect.signature(error.__init__).parameters:
            continue
        code = vars(error).get("code")
        assert isinstance(code, str), f"{error.__qualname__} inherits its code"
        assert _CODE.fullmatch(code), f"{error.__qualname__}: {code}"
        assert code not in owner, f"{error.__qualname__} and {owner[code].__qualname__}: {code}"
        owner[code] = error


def test_every_error_of_the_library_is_in_its_tree() -> None:
    strays = [
        value.__qualname__
        for module in _all_modules("sts")
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, Exception)
        and value.__module__.split(".")[0] == "sts"
        and not issubclass(value, errors.StsError)
    ]
    assert not strays


def test_the_tree_drawn_in_the_docstring_is_the_tree() -> None:
    drawn: dict[str, tuple[str | None, str]] = {}
    above: dict[int, str] = {}
    for line in (errors.__doc__ or "").splitlines():
        branch = _BRANCH.match(line)
        if branch and branch["name"].endswith("Error"):
            depth, name = len(branch["indent"]), branch["name"]
            parents = [above[level] for level in sorted(above) if level < depth]
            above = {level: above[level] for level in above if level < depth} | {depth: name}
            drawn[name] = (parents[-1] if parents else None, branch["rest"])

    classes = {
        name: value
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, errors.StsError)
    }
    assert drawn.keys() == classes.keys()
    for name, (parent, rest) in drawn.items():
        error = classes[name]
        assert parent is None or error.__bases__ == (classes[parent],), name
        is_leaf = not any(name == other_parent for other_parent, _ in drawn.values())
        assert not is_leaf or rest.strip() == error.code, name
