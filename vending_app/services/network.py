"""Supply groups, areas, feeders and service points."""

from vending_app.domain.network import Area, Feeder, ServicePoint, SupplyGroup
from vending_app.domain.parties import Operator
from vending_app.domain.roles import Permission
from vending_app.services.adding import LONGEST_NAME, refusing_doubles, require_code
from vending_app.services.permissions import require
from vending_app.storage import network, parties
from vending_app.storage.engine import Store


def add_supply_group(store: Store, group: SupplyGroup, *, operator: Operator) -> None:
    """Set up the policy of a supply group.

    Its offset holds for ever: with another one, token identifiers would run backwards.

    Raises:
        NotPermittedError: The operator's role does not allow it.
        AlreadyThereError: The group is set up.
    """
    require(operator, Permission.MANAGE_METERS)
    with (
        refusing_doubles(f"a supply group {group.code}"),
        store.write() as connection,
    ):
        network.add_supply_group(operator.tenant, connection, group=group)


def add_area(store: Store, area: Area, *, operator: Operator) -> None:
    """Add an area.

    Raises:
        NotPermittedError: The operator's role does not allow it.
        CodeFormError: Code or name cannot be one.
        AlreadyThereError: The code is taken.
    """
    require(operator, Permission.MANAGE_METERS)
    require_code("An area code", area.code)
    require_code("A name", area.name, longest=LONGEST_NAME)
    with refusing_doubles(f"an area {area.code}"), store.write() as connection:
        network.add_area(operator.tenant, connection, area=area)


def add_feeder(store: Store, feeder: Feeder, *, operator: Operator) -> None:
    """Add a feeder to an area.

    Raises:
        NotPermittedError: The operator's role does not allow it.
        CodeFormError: Code or name cannot be one.
        UnknownAreaError: There is no such area.
        AlreadyThereError: The code is taken.
    """
    require(operator, Permission.MANAGE_METERS)
    require_code("A feeder code", feeder.code)
    require_code("A name", feeder.name, longest=LONGEST_NAME)
    with refusing_doubles(f"a feeder {feeder.code}"), store.write() as connection:
        network.require_area(operator.tenant, connection, code=feeder.area_code)
        network.add_feeder(operator.tenant, connection, feeder=feeder)


def add_service_point(store: Store, point: ServicePoint, *, operator: Operator) -> None:
    """Add a place where a service reaches an account.

    Raises:
        NotPermittedError: The operator's role does not allow it.
        CodeFormError: Code or place cannot be one.
        UnknownAccountError, UnknownFeederError: There is no such account or feeder.
        AlreadyThereError: The code is taken.
    """
    require(operator, Permission.MANAGE_METERS)
    require_code("A service point code", point.code)
    require_code("A place", point.place, longest=LONGEST_NAME)
    tenant = operator.tenant
    with (
        refusing_doubles(f"a service point {point.code}"),
        store.write() as connection,
    ):
        parties.find_account(tenant, connection, account_number=point.account_number)
        if point.feeder_code is not None:
            network.require_feeder(tenant, connection, code=point.feeder_code)
        network.add_service_point(tenant, connection, point=point)
