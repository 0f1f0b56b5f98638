"""The public names of a package are those in the `__all__` of its `__init__`, and nowhere else.

That they are sorted is checked by ruff (RUF022).
"""

import importlib
import inspect
import re
from pathlib import Path

import pytest

from tests.house.project import PACKAGES, modules, text


def test_the_library_names_what_is_public() -> None:
    sts = importlib.import_module("sts")
    assert sts.__all__


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_exists_once_and_is_explained(package: str) -> None:
    module = importlib.import_module(package)
    names: list[str] = list(getattr(module, "__all__", ()))
    assert len(names) == len(set(names))
    for name in names:
        value = getattr(module, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert inspect.getdoc(value), name


@pytest.mark.parametrize(
    "path", [path for path in modules(*PACKAGES) if path.name != "__init__.py"], ids=str
)
def test_only_packages_have_an_all(path: Path) -> None:
    assert not re.search(r"^__all__\b", text(path), re.MULTILINE)
