"""Who: utilities and landlords, those who work and sell for them, and those who buy."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vending_app.domain.money import Currency
from vending_app.domain.roles import Permission, Role, permissions_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A utility or landlord; everything else belongs to one.

    Attributes:
        code: Its short name, part of its operators' log-ins.
        name: As it stands on receipts.
        currency: What it sells in.
        time_zone: Its local calendar, an IANA name.
        address: As it stands on receipts.
        tax_reference: As it stands on receipts.
        cash_step_minor: The smallest coin: cash is rounded to it; 1 where it is not.
        word_limit_minor: Up to how much a sale may be taken back on a supervisor's word alone.
    """

    code: str
    name: str
    currency: Currency
    time_zone: str
    address: str = ""
    tax_reference: str = ""
    cash_step_minor: int = 1
    word_limit_minor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """Someone who sells for a utility out of money paid in before.

    Attributes:
        tenant: For whom.
        code: Names the vendor.
        name: For people.
        limit_minor: How far the vendor may sell beyond the float.
        float_minor: What is left of the money paid in.
        active: Whether the vendor may sell.
    """

    tenant: str
    code: str
    name: str
    limit_minor: int
    float_minor: int
    active: bool

    @property
    def available_minor(self) -> int:
        """How much the vendor can still sell for."""
        return self.float_minor + self.limit_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Someone who works here.

    Attributes:
        tenant: Where.
        login: Unique within the tenant.
        display_name: For people.
        role: What the operator may do.
        password_hash: Salted scrypt; stays out of every repr.
        active: Whether log-in is allowed.
        vendor_code: The vendor whose float pays for what this operator sells; None for the
            utility's own staff.
    """

    tenant: str
    login: str
    display_name: str
    role: Role
    password_hash: str
    active: bool
    vendor_code: str | None = None

    def may(self, permission: Permission) -> bool:
        """Tell whether the operator's role allows something."""
        return permission in permissions_of(self.role)

    def __repr__(self) -> str:
        """Show who it is, not the hash."""
        return f"<Operator {self.login}@{self.tenant}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Someone who buys.

    Attributes:
        tenant: From whom.
        number: Names the customer.
        name: For people.
        phone: Where receipts may be sent; may be empty.
        language: Of receipts, a code of ISO 639-1.
    """

    tenant: str
    number: str
    name: str
    phone: str = ""
    language: str = "en"


class AccountState(StrEnum):
    """Whether an account may buy."""

    OPEN = "open"
    BLOCKED = "blocked"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A customer's contract: who pays, by which tariff.

    Attributes:
        tenant: With whom.
        number: Names the account.
        customer_number: Whose it is.
        tariff_code: By which tariff it buys.
        state: Whether it may buy.
        block_reason: Why not, for the cashier.
        credit_minor: Money left over from earlier sales.
        counters: What the tariff remembers of it, as canonical JSON; None before the first sale.
        opened_at: When.
    """

    tenant: str
    number: str
    customer_number: str
    tariff_code: str
    state: AccountState
    opened_at: datetime
    block_reason: str = ""
    credit_minor: int = 0
    counters: str | None = None
