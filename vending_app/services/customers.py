"""Customers and their accounts."""

from datetime import datetime

from vending_app.domain.parties import Account, AccountState, Customer, Operator
from vending_app.domain.roles import Permission
from vending_app.services.adding import LONGEST_NAME, refusing_doubles, require_code
from vending_app.services.permissions import require, require_reason
from vending_app.storage import parties, pricing
from vending_app.storage.engine import Store


def add_customer(store: Store, customer: Customer, *, operator: Operator) -> None:
    """Add a customer.

    Raises:
        NotPermittedError: The operator's role does not allow it.
        CodeFormError: Number or name cannot be one.
        AlreadyThereError: The number is taken.
    """
    require(operator, Permission.MANAGE_CUSTOMERS)
    require_code("A customer number", customer.number)
    require_code("A name", customer.name, longest=LONGEST_NAME)
    with (
        refusing_doubles(f"a customer {customer.number}"),
        store.write() as connection,
    ):
        parties.add_customer(operator.tenant, connection, customer=customer)


def open_account(
    store: Store,
    operator: Operator,
    *,
    number: str,
    customer_number: str,
    tariff_code: str,
    now: datetime,
) -> Account:
    """Open an account for a customer.

    Raises:
        NotPermittedError: The operator's role does not allow it.
        CodeFormError: The number cannot be one.
        UnknownCustomerError, UnknownTariffError: There is no such customer or tariff.
        AlreadyThereError: The number is taken.
    """
    require(operator, Permission.MANAGE_CUSTOMERS)
    require_code("An account number", number)
    tenant = operator.tenant
    account = Account(
        tenant=tenant,
        number=number,
        customer_number=customer_number,
        tariff_code=tariff_code,
        state=AccountState.OPEN,
        opened_at=now,
    )
    with refusing_doubles(f"an account {number}"), store.write() as connection:
        parties.find_customer(tenant, connection, customer_number=customer_number)
        pricing.find_tariff(tenant, connection, tariff_code=tariff_code)
        parties.add_account(tenant, connection, account=account)
    return account


def set_account_state(
    store: Store, operator: Operator, *, number: str, state: AccountState, reason: str
) -> None:
    """Open, block or close an account.

    Raises:
        NotPermittedError: The operator's role does not allow it.
        ReasonMissingError: It is to be blocked or closed without a reason.
        UnknownAccountError: There is no such account.
    """
    require(operator, Permission.MANAGE_CUSTOMERS)
    kept = "" if state is AccountState.OPEN else require_reason(reason)
    with store.write() as connection:
        parties.find_account(operator.tenant, connection, account_number=number)
        parties.set_account_state(
            operator.tenant, connection, account_number=number, state=state, reason=kept
        )


def change_tariff(store: Store, operator: Operator, *, number: str, tariff_code: str) -> None:
    """Let an account buy by another tariff from its next purchase on.

    Raises:
        NotPermittedError: The operator's role does not allow it.
        UnknownAccountError, UnknownTariffError: There is no such account or tariff.
    """
    require(operator, Permission.MANAGE_CUSTOMERS)
    tenant = operator.tenant
    with store.write() as connection:
        parties.find_account(tenant, connection, account_number=number)
        pricing.find_tariff(tenant, connection, tariff_code=tariff_code)
        parties.set_account_tariff(
            tenant, connection, account_number=number, tariff_code=tariff_code
        )
