"""The tree of refusals in the docstring is the tree of the classes."""

import inspect
import re

from vending_app.domain import tariff_errors
from vending_app.domain.errors import TariffError

_BRANCH = re.compile(r"^\s*(?P<lines>[│├└─ ]*)(?P<name>[A-Z]\w+Error)\s+(?P<rest>.*)$")


def test_the_tree_drawn_in_the_docstring_is_the_tree() -> None:
    drawn: dict[str, tuple[int, str]] = {}
    for line in (tariff_errors.__doc__ or "").splitlines():
        branch = _BRANCH.match(line)
        if branch:
            drawn[branch["name"]] = (len(branch["lines"]) // 4, branch["rest"])
    classes = {
        name: error
        for name, error in vars(tariff_errors).items()
        if inspect.isclass(error) and issubclass(error, TariffError)
    }
    assert drawn.keys() == classes.keys()
    for name, (depth, rest) in drawn.items():
        assert len(classes[name].__mro__) - len(TariffError.__mro__) == depth, name
        assert rest in (classes[name].code, "a tariff that cannot be, with the path to the fault")
