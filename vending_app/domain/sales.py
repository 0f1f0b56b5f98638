"""What was done: the basis of tokens, the tokens, a sale with its lines."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from sts import BaseDate, DecoderReferenceNumber, EncryptionAlgorithm, Service
from vending_app.domain.held_back import HeldBack
from vending_app.domain.money import Money
from vending_app.domain.network import MeterKey


class BasisKind(StrEnum):
    """Why tokens were made; every token has exactly one such reason."""

    SALE = "sale"
    ENTITLEMENT = "entitlement"
    FREE_ISSUE = "free_issue"
    EXCHANGE = "exchange"
    JOB_CARD = "job_card"
    KEY_CHANGE = "key_change"
    WITHHELD = "withheld"


class PaymentMethod(StrEnum):
    """How money reached the utility."""

    CASH = "cash"
    CARD = "card"
    MOBILE = "mobile"
    BANK = "bank"


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """The reason for some tokens, and how many there may be.

    Attributes:
        number: Counts the tenant's bases without a gap.
        kind: What kind of reason.
        maximum_tokens: How many tokens it allows.
        request_id: The request that it belongs to.
        drn: For which meter.
        login: Who asked.
        made_at: When.
        case_number: The case that allows it, for those given away.
        reason: In words.
    """

    number: int
    kind: BasisKind
    maximum_tokens: int
    request_id: str
    drn: DecoderReferenceNumber
    login: str
    made_at: datetime
    case_number: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeToken:
    """A token as it is kept.

    Attributes:
        basis_number: Its reason.
        number: Counts the tokens of that reason.
        drn: For which meter.
        kind: The name of its class in ``sts.tokens``.
        token_class: 0 to 2.
        subclass: Within the class.
        digits: The 20 digits; empty where they are held back.
        tid_minutes: Its token identifier; None in a key change.
        amount_tenths: Credit in tenths of the unit; None in others.
        currency_units: Credit in 0.00001 of the currency; None in others.
        key: The key that it is made for.
        encryption_algorithm: The cipher that made it.
        sample_tables: Whether the SAMPLE tables made it: not for real meters.
        description: For people.
        made_at: When.
        withheld: Whether it was made but never shown.
        void: Whether it must never be shown again.
        held_back: Why it is not handed out at this time; then it comes without its digits.
    """

    basis_number: int
    number: int
    drn: DecoderReferenceNumber
    kind: str
    token_class: int
    subclass: int
    digits: str
    tid_minutes: int | None
    key: MeterKey
    encryption_algorithm: EncryptionAlgorithm
    sample_tables: bool
    description: str
    made_at: datetime
    amount_tenths: int | None = None
    currency_units: int | None = None
    withheld: bool = False
    void: bool = False
    held_back: HeldBack | None = None

    @property
    def base_date(self) -> BaseDate:
        """What the token identifier counts from."""
        return self.key.base_date


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleLine:
    """One line of a receipt.

    Attributes:
        code: Names the charge in its tariff.
        kind: What kind of charge.
        label: For people.
        amount_minor: In the smallest unit of the currency.
        beneficiary: Who gets it.
        ledger_account: Where it is booked.
        units_tenths: How many tenths of a unit it is for, exactly; None for others.
        rate: Its price or per cent, exactly; None for others.
    """

    code: str
    kind: str
    label: str
    amount_minor: int
    beneficiary: str
    ledger_account: str
    units_tenths: Fraction | None = None
    rate: Fraction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """A sale as it was made; nothing of it changes later.

    Attributes:
        tenant: Who sold.
        number: Its invoice number: counts the tenant's sales without a gap.
        basis_number: The reason of its tokens.
        request_id: The client's name for its request.
        drn: The meter.
        account_number: Who paid.
        customer_number: Whose account that is.
        customer_name: At the time of sale.
        service: What was sold.
        tariff_code: By which tariff.
        tariff_version: By which version of it.
        tariff_name: At the time of sale.
        vendor_code: Who sold out of a float; None for the utility's own staff.
        login: The operator.
        payment_method: How the money came.
        tendered: The money.
        lines: They add up to the money.
        sold_tenths: What the tokens carry, in tenths of the unit; 0 in a sale of currency credit.
        rounding: What of it the customer got on top, because a token carries steps only, in
            tenths.
        tokens: What the customer got; those of a key change come first.
        counters_before: What the tariff remembered before.
        counters_after: And after.
        ledger_entry: Where it is booked.
        sold_at: When.
        reprints: How often the receipt was printed again.
        reversed_by: The credit note that took it back; None if none did.
    """

    tenant: str
    number: int
    basis_number: int
    request_id: str
    drn: DecoderReferenceNumber
    account_number: str
    customer_number: str
    customer_name: str
    service: Service
    tariff_code: str
    tariff_version: int
    tariff_name: str
    vendor_code: str | None
    login: str
    payment_method: PaymentMethod
    tendered: Money
    lines: tuple[SaleLine, ...]
    sold_tenths: int
    rounding: Fraction
    tokens: tuple[MadeToken, ...]
    counters_before: str | None
    counters_after: str | None
    ledger_entry: int
    sold_at: datetime
    reprints: int = 0
    reversed_by: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNote:
    """The paper that takes a sale back.

    Attributes:
        number: Counts the tenant's credit notes without a gap.
        sale_number: The sale.
        case_number: Why.
        amount_minor: The money of the sale.
        login: Who took it back.
        ledger_entry: Where that is booked.
        made_at: When.
    """

    number: int
    sale_number: int
    case_number: int
    amount_minor: int
    login: str
    ledger_entry: int
    made_at: datetime
