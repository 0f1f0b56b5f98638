"""What was named does not exist."""

from collections.abc import Sequence

from vending_app.domain.errors.root import VendingError


class NotFoundError(VendingError):
    """What was named does not exist, or is another tenant's: the two look the same."""

    code = "NOT_FOUND"


class UnknownMeterError(NotFoundError):
    """No such meter."""

    code = "UNKNOWN_METER"
    hint = "compare the number with the meter's label; a new meter must be registered first"

    def __init__(self, drn: str) -> None:
        """Say which number was looked for."""
        super().__init__(f"No meter {drn} is registered here.")


class UnknownSaleError(NotFoundError):
    """No such sale."""

    code = "UNKNOWN_SALE"

    def __init__(self, sale_number: int) -> None:
        """Say which sale was looked for."""
        super().__init__(f"There is no sale number {sale_number}.")


class UnknownTenantError(NotFoundError):
    """No such utility."""

    code = "UNKNOWN_TENANT"

    def __init__(self, tenant: str) -> None:
        """Say which one was looked for."""
        super().__init__(f"There is no utility {tenant}.")


class UnknownCustomerError(NotFoundError):
    """No such customer."""

    code = "UNKNOWN_CUSTOMER"

    def __init__(self, customer_number: str) -> None:
        """Say which number was looked for."""
        super().__init__(f"There is no customer {customer_number}.")


class UnknownAccountError(NotFoundError):
    """No such account."""

    code = "UNKNOWN_ACCOUNT"

    def __init__(self, account_number: str) -> None:
        """Say which number was looked for."""
        super().__init__(f"There is no account {account_number}.")


class UnknownVendorError(NotFoundError):
    """No such vendor."""

    code = "UNKNOWN_VENDOR"

    def __init__(self, vendor_code: str) -> None:
        """Say which code was looked for."""
        super().__init__(f"There is no vendor {vendor_code}.")


class UnknownAreaError(NotFoundError):
    """No such area."""

    code = "UNKNOWN_AREA"

    def __init__(self, area_code: str) -> None:
        """Say which code was looked for."""
        super().__init__(f"There is no area {area_code}.")


class UnknownFeederError(NotFoundError):
    """No such feeder."""

    code = "UNKNOWN_FEEDER"

    def __init__(self, feeder_code: str) -> None:
        """Say which code was looked for."""
        super().__init__(f"There is no feeder {feeder_code}.")


class UnknownServicePointError(NotFoundError):
    """No such service point."""

    code = "UNKNOWN_SERVICE_POINT"

    def __init__(self, point_code: str) -> None:
        """Say which code was looked for."""
        super().__init__(f"There is no service point {point_code}.")


class UnknownSupplyGroupError(NotFoundError):
    """No such supply group."""

    code = "UNKNOWN_SUPPLY_GROUP"

    def __init__(self, supply_group_code: str) -> None:
        """Say which code was looked for."""
        super().__init__(f"Supply group {supply_group_code} is not set up here.")


class UnknownTariffError(NotFoundError):
    """No such tariff."""

    code = "UNKNOWN_TARIFF"

    def __init__(self, tariff_code: str) -> None:
        """Say which code was looked for."""
        super().__init__(f"There is no tariff {tariff_code}.")


class MeterWithoutPlaceError(VendingError):
    """The meter hangs nowhere, so nobody buys for it."""

    code = "METER_WITHOUT_PLACE"
    hint = "install the meter at a service point first"

    def __init__(self, drn: str) -> None:
        """Say which meter."""
        super().__init__(f"Meter {drn} is not installed anywhere.")


class NoLabMeterError(NotFoundError):
    """The meter has no virtual twin."""

    code = "NO_LAB_METER"
    hint = "virtual meters are made by sts-vend demo"

    def __init__(self, drn: str) -> None:
        """Say which meter."""
        super().__init__(f"Meter {drn} has no virtual twin here.")


class LabMeterSpeedError(VendingError):
    """A speed that the clock of a virtual meter does not have."""

    code = "LAB_METER_SPEED"

    def __init__(self, allowed: Sequence[int]) -> None:
        """Say which speeds there are."""
        numbers = ", ".join(str(speed) for speed in allowed)
        super().__init__(f"The clock of a virtual meter runs at one of {numbers}.")


class WholeNumberError(VendingError):
    """A field that holds no whole number."""

    code = "WHOLE_NUMBER"

    def __init__(self, name: str) -> None:
        """Say which field."""
        super().__init__(f"{name} must be a whole number.")


class MeterNumberError(VendingError):
    """The digits typed are not a meter number; ``code`` is the library's."""

    def __init__(self, code: str, message: str, *, hint: str) -> None:
        """Carry on what the library found."""
        super().__init__(message)
        self.code = code
        self.hint = hint
