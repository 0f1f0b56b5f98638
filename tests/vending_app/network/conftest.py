"""The people of the demo who may do different things."""

from dataclasses import dataclass

import pytest

from vending_app.domain.parties import Operator
from vending_app.storage import operators
from vending_app.storage.engine import Store


@dataclass(frozen=True)
class Staff:
    """Those of Thabaneng, by what they are here for."""

    cashier: Operator
    supervisor: Operator
    engineer: Operator
    administrator: Operator


@pytest.fixture
def staff(store: Store) -> Staff:
    with store.read() as connection:
        found = {
            operator.login: operator
            for operator in operators.list_operators("thabaneng", connection)
        }
    return Staff(
        cashier=found["zanele"],
        supervisor=found["botha"],
        engineer=found["farai"],
        administrator=found["admin"],
    )
