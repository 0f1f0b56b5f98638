"""What contents must not be, over columns: the rules of ``sts.layouts`` once more, on arrays.

The scalar rules are functions of one token's fields. Here stands, for each field that has a rule,
the same on a whole column; a test holds the two against each other for every kind of token.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sts.batch.contents import places
from sts.token_kinds import TokenKind
from sts.tokens import CreditRegister

_Fields = Callable[[str], NDArray[np.uint64]]
"""From the name of a field to its column."""

_REGISTERS: Final = np.array([register.value for register in CreditRegister], np.uint64)
_MINUS: Final = 8


def _within(name: str, low: int, high: int) -> Callable[[_Fields], NDArray[np.bool_]]:
    return lambda fields: (fields(name) >= low) & (fields(name) <= high)


def _zero(name: str) -> Callable[[_Fields], NDArray[np.bool_]]:
    return lambda fields: fields(name) == 0


HOLDS: Final[Mapping[str, Callable[[_Fields], NDArray[np.bool_]]]] = {
    "key_revision_number": _within("key_revision_number", 1, 9),
    "pad": _zero("pad"),
    "register": lambda fields: np.isin(fields("register"), _REGISTERS),
    "sign_exponent": lambda fields: (fields("sign_exponent") != _MINUS) | (fields("amount") != 0),
    "supply_group_code": _within("supply_group_code", 0, 999_999),
    "tariff_index": _within("tariff_index", 0, 99),
    "three_token_set": _zero("three_token_set"),
}
"""The field that a rule of ``sts.layouts`` is about to the rule on columns."""


def is_canonical(kind: TokenKind, contents: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Tell which contents keep all the rules of their kind."""
    where = places(kind)

    def fields(name: str) -> NDArray[np.uint64]:
        return contents >> where[name].shift & where[name].mask

    holds = np.ones(len(contents), np.bool_)
    for rule in kind.rules:
        holds &= HOLDS[rule.field](fields)
    return holds
