"""The tree of refusals drawn in the docstring is the tree."""

import inspect
import re

from vending_app.domain import ledger_errors


def test_the_tree_drawn_in_the_docstring_is_the_tree() -> None:
    drawn: dict[str, tuple[str | None, str]] = {}
    above: list[tuple[int, str]] = []
    for line in (ledger_errors.__doc__ or "").splitlines():
        branch = re.match(r"^([\s│├└─]*)(\w+Error)\s+(\w+)$", line)
        if branch:
            depth, name = len(branch[1]), branch[2]
            above = [(level, other) for level, other in above if level < depth]
            drawn[name] = (above[-1][1] if above else None, branch[3])
            above.append((depth, name))
    classes = {
        name: value
        for name, value in vars(ledger_errors).items()
        if inspect.isclass(value) and issubclass(value, ledger_errors.LedgerError)
    }
    assert drawn.keys() == classes.keys()
    for name, (parent, code) in drawn.items():
        assert vars(classes[name])["code"] == code
        assert parent is None or classes[name].__bases__ == (classes[parent],)
