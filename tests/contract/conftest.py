"""The kinds of module that the contract suite runs over, one after the other."""

from collections.abc import Callable
from typing import TypeAlias

import pytest

from keys.issuing import JournalledModule
from tests.conftest import Require
from tests.contract.security_modules import MODULES, Setup

MakeModule: TypeAlias = Callable[[Setup], JournalledModule]


@pytest.fixture(
    params=[
        pytest.param(kind, marks=pytest.mark.hsm) if kind == "pkcs11" else kind for kind in MODULES
    ]
)
def make_module(request: pytest.FixtureRequest, require: Require) -> MakeModule:
    """Give a function that makes a module of one kind."""
    if request.param == "pkcs11":
        from tests import soft_hsm  # noqa: PLC0415 - the driver may be missing

        reason = soft_hsm.missing()
        if reason:
            require("hsm", reason)
    return MODULES[request.param]
