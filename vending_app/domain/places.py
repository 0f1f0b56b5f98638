"""A meter together with whom and where it serves."""

from dataclasses import dataclass

from vending_app.domain.network import Meter, ServicePoint, SupplyGroup
from vending_app.domain.parties import Account, Customer


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedMeter:
    """A row of a list of meters.

    Attributes:
        meter: The meter.
        customer_name: Who buys for it; empty in stock.
        place: Where it hangs; empty in stock.
    """

    meter: Meter
    customer_name: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """A meter in its place: all that a sale looks at besides the tariff.

    Attributes:
        meter: The meter.
        service_point: Where it hangs.
        account: Who pays there.
        customer: Whose account it is.
        supply_group: The policy of the group of the meter's present key.
        tariff_name: As it stands on receipts.
        tariff_index: The tariff index that the account's tariff asks for; None if it asks for none.
    """

    meter: Meter
    service_point: ServicePoint
    account: Account
    customer: Customer
    supply_group: SupplyGroup
    tariff_name: str
    tariff_index: int | None
