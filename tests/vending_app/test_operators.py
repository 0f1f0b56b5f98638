import pytest
from sqlalchemy import update

from tests.vending_app.helpers import NOW
from vending_app.demo_story import DEMO_PASSWORD
from vending_app.domain.errors import LoginError, OperatorExistsError
from vending_app.domain.roles import Role
from vending_app.services.operators import (
    add_operator,
    find_active_operator,
    log_in,
    new_operator,
)
from vending_app.storage import operators as statements
from vending_app.storage.engine import Store
from vending_app.storage.tables import operators


def test_a_name_and_its_password_log_in(store: Store) -> None:
    found = log_in(store, login=" Zanele@Thabaneng ", password=DEMO_PASSWORD)
    assert (found.tenant, found.login, found.role) == ("thabaneng", "zanele", Role.CASHIER)


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("zanele@thabaneng", "wrong"),
        ("zanele@thabaneng", ""),
        ("zanele@thabaneng", "x" * 300),
        ("zanele@mwanga", DEMO_PASSWORD),
        ("zanele", DEMO_PASSWORD),
        ("nobody@thabaneng", DEMO_PASSWORD),
        ("nobody@thabaneng", "nobody"),
        ("zanele\0@thabaneng", DEMO_PASSWORD),
        ("", ""),
    ],
)
def test_everything_else_is_refused_alike(store: Store, login: str, password: str) -> None:
    with pytest.raises(LoginError) as refusal:
        log_in(store, login=login, password=password)
    assert refusal.value.code == "LOGIN_FAILED"
    assert str(refusal.value) == "Operator and password do not go together."


def test_who_left_does_not_log_in(store: Store) -> None:
    assert find_active_operator(store, "thabaneng", login="zanele")
    with store.write() as connection:
        connection.execute(update(operators).values(active=False))
    with pytest.raises(LoginError):
        log_in(store, login="zanele@thabaneng", password=DEMO_PASSWORD)
    assert find_active_operator(store, "thabaneng", login="zanele") is None


def test_a_log_in_name_is_given_once_in_a_utility(store: Store) -> None:
    for tenant, taken in (("thabaneng", False), ("mwanga", False), ("mwanga", True)):
        operator = new_operator(
            tenant,
            login="lwazi",
            display_name="Lwazi",
            role=Role.ENGINEER,
            password="secret words",
        )
        if taken:
            with pytest.raises(OperatorExistsError) as refusal:
                add_operator(store, operator, now=NOW)
            assert refusal.value.code == "OPERATOR_EXISTS"
        else:
            add_operator(store, operator, now=NOW)
    with store.read() as connection:
        found = statements.list_operators("mwanga", connection)
    assert [each.login for each in found] == ["admin", "lwazi", "mshana", "rehema"]


def test_passwords_are_kept_as_salted_scrypt_only() -> None:
    made = [
        new_operator("t", login="a", display_name="A", role=Role.CASHIER, password="secret words")
        for _ in range(2)
    ]
    assert all(each.password_hash.startswith("scrypt:") for each in made)
    assert made[0].password_hash != made[1].password_hash
    assert "scrypt" not in repr(made[0])
