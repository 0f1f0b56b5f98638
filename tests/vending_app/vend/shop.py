"""Words for tests of selling: what is asked for, what is there, a module elsewhere, real meters."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from fractions import Fraction
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Table, func, select, update

from keys import (
    IssueAnswer,
    IssueJournal,
    KeyChangeAnswer,
    MeterConfiguration,
    NewKey,
    RegisteredKey,
    SecurityModule,
    TokenRequest,
)
from keys.answers import ModuleStatus, Verification
from keys.bulk_access import BulkAccess
from keys.issuing import JournalledModule
from sts import (
    DecoderKey,
    DecoderReferenceNumber,
    KeyAttributes,
    MeterPan,
    Service,
    VendingKey,
    derive_decoder_key,
    new_cipher,
)
from sts.ciphers import SAMPLE_TABLES
from sts.meter import DecoderKeyRegister, MeterSpec, MeterState, Volatile, new_state
from sts.meter.acceptance import apply
from sts.meter.outcomes import Outcome
from sts.meter.spec import CreditKind as MeterCredit
from sts.meter.spec import PricePeriod
from tests.vending_app.helpers import NOW, PIETER
from vending_app import demo_story as story
from vending_app.domain.network import CreditKind, Meter, MeterKey, ServicePoint
from vending_app.domain.parties import Account, AccountState, Customer
from vending_app.domain.sales import MadeToken, Sale
from vending_app.domain.tariff import (
    Block,
    CreditCharge,
    Rounding,
    Schedule,
    TariffVersion,
    UnitCharge,
    format_version,
    version_hash,
)
from vending_app.ledger_check import verify
from vending_app.services.quoting import Amount
from vending_app.services.use_case import Answer
from vending_app.services.vending import VendRequest, vend
from vending_app.storage import meters, network, parties, pricing, tables
from vending_app.storage.engine import Store

_T = TypeVar("_T")

THABANENG: Final = story.THABANENG
KEY: Final = VendingKey.from_hex(story.VENDING_KEY_HEX)
WRITTEN: Final = (
    "requests",
    "bases",
    "tokens",
    "token_marks",
    "sales",
    "sale_lines",
    "issue_journal",
    "ledger_entries",
    "meter_history",
)
"""The tables that a sale writes to."""


def request(**changes: Any) -> VendRequest:
    """Return a request of Pieter's for R20, changed where asked for."""
    asked = VendRequest(
        tenant=THABANENG,
        request_id="r-1",
        drn=DecoderReferenceNumber(PIETER),
        amount=Amount(minor=200_00),
        login="zanele",
    )
    if "minor" in changes:
        changes["amount"] = Amount(minor=changes.pop("minor"))
    if "units_tenths" in changes:
        changes["amount"] = Amount(units_tenths=changes.pop("units_tenths"))
    if isinstance(changes.get("drn"), str):
        changes["drn"] = DecoderReferenceNumber(changes["drn"])
    return replace(asked, **changes)


def sell(
    store: Store, module: SecurityModule, *, now: datetime = NOW, **changes: Any
) -> Answer[Sale]:
    """Sell what ``request`` asks for."""
    return vend(store, module, now=now, request=request(**changes))


def rows(store: Store, *names: str) -> dict[str, int]:
    """Return how many rows tables have, those that a sale writes to if none are named."""
    with store.read() as connection:
        return {
            name: connection.execute(
                select(func.count()).select_from(tables.metadata.tables[name])
            ).scalar_one()
            for name in names or WRITTEN
        }


def audit_codes(store: Store) -> list[str]:
    """Return the codes in the audit log, oldest first."""
    events = tables.audit_events.c
    with store.read() as connection:
        return list(connection.execute(select(events.code).order_by(events.event_number)).scalars())


def findings(store: Store) -> list[str]:
    """Return what the independent checker finds wrong in the database."""
    url = store.engine.url.render_as_string(hide_password=False)
    return [str(finding) for report in verify(url) for finding in report.findings]


def meter_of(store: Store, drn: str = PIETER, tenant: str = THABANENG) -> Meter:
    """Return a meter as it stands on record."""
    with store.read() as connection:
        return meters.find_meter(tenant, connection, drn=DecoderReferenceNumber(drn))


def change(store: Store, table: Table, **values: Any) -> None:
    """Change all rows of a table, behind the back of every rule."""
    with store.write() as connection:
        connection.execute(update(table).values(**values))


def change_meter(store: Store, drn: str = PIETER, **values: Any) -> Meter:
    """Change a meter's record."""
    changed: Meter = replace(meter_of(store, drn), **values)
    with store.write() as connection:
        meters.change_meter(changed.tenant, connection, meter=changed)
    return changed


# --- more to sell to ----------------------------------------------------------------------------


def tariff(code: str, **changes: Any) -> TariffVersion:
    """Return a tariff of R1 a unit or, of currency credit, of nothing but the credit."""
    service = changes.pop("service", Service.ELECTRICITY)
    unit = UnitCharge(
        code="energy",
        label="Units",
        beneficiary="utility",
        ledger_account="sales:energy",
        schedules=(Schedule(blocks=(Block(rate=changes.pop("rate", Fraction(100))),)),),
    )
    credit = CreditCharge(
        code="credit", label="Credit", beneficiary="utility", ledger_account="sales:energy"
    )
    fields: dict[str, Any] = {
        "code": code,
        "number": 1,
        "name": code.title(),
        "service": service,
        "currency": story.TENANTS[0].currency,
        "first_day": date(2025, 7, 1),
        "minimum_minor": 1,
        "maximum_minor": 10**12,
        "rounding": Rounding.UP,
        "credit_account": "account-credit",
        "charges": (credit,) if changes.pop("currency_credit", False) else (unit,),
    }
    return TariffVersion(**fields | changes)


def add_tariff(store: Store, version: TariffVersion, *, tariff_index: int | None = None) -> None:
    """Add a tariff with one version."""
    with store.write() as connection:
        pricing.add_tariff(
            THABANENG,
            connection,
            tariff=pricing.StoredTariff(
                code=version.code,
                name=version.name,
                service=version.service,
                tariff_index=tariff_index,
            ),
        )
        add_version(connection, version)


def add_version(connection: Connection, version: TariffVersion) -> None:
    """Add a version of a tariff."""
    pricing.add_version(
        THABANENG,
        connection,
        version=pricing.StoredVersion(
            tariff_code=version.code,
            number=version.number,
            first_day=version.first_day,
            last_day=version.last_day,
            document=format_version(version),
            document_hash=version_hash(version),
        ),
        login="admin",
        approved_login="botha",
        now=NOW,
    )


def add_supply(
    store: Store,
    drn: str,
    *,
    tariff_code: str,
    account_state: AccountState = AccountState.OPEN,
    **meter: Any,
) -> Meter:
    """Add a meter with a customer, an account and a place of its own."""
    number = f"X{drn[-6:-1]}"
    like = meter_of(store)
    made: Meter = replace(like, drn=DecoderReferenceNumber(drn), service_point_code=number, **meter)
    with store.write() as connection:
        customer = Customer(tenant=THABANENG, number=number, name="Somebody")
        parties.add_customer(THABANENG, connection, customer=customer)
        account = Account(
            tenant=THABANENG,
            number=number,
            customer_number=number,
            tariff_code=tariff_code,
            state=account_state,
            opened_at=NOW,
        )
        parties.add_account(THABANENG, connection, account=account)
        add_place(connection, number, account_number=number, service=made.service)
        meters.add_meter(THABANENG, connection, meter=made, now=NOW)
    return made


def add_place(
    connection: Connection,
    code: str,
    *,
    account_number: str,
    service: Service = Service.ELECTRICITY,
) -> ServicePoint:
    """Add a place of an account for a meter."""
    point = ServicePoint(
        tenant=THABANENG,
        code=code,
        account_number=account_number,
        place="Somewhere",
        service=service,
    )
    network.add_service_point(THABANENG, connection, point=point)
    return point


def drn_of(serial: int) -> str:
    """Return the number of a further meter."""
    return str(DecoderReferenceNumber.from_serial("00", 7_000_000 + serial))


# --- a module elsewhere --------------------------------------------------------------------------


@dataclass(eq=False)
class Elsewhere:
    """A security module that keeps a journal of its own, as one behind a network does.

    Attributes:
        module: The module.
        before: Called with the name of a method before the module gets to see the request.
        after: The same, when the module has answered and the answer is not back yet.
        asked: The names of the methods that were called.
        shares_journal: Whether it writes into a caller's journal after all.
    """

    module: JournalledModule
    before: Callable[[str], None] = lambda _: None
    after: Callable[[str], None] = lambda _: None
    asked: list[str] = field(default_factory=list)
    shares_journal: bool = False

    def issue(
        self,
        meter: MeterConfiguration,
        request: TokenRequest,
        *,
        message_id: str,
        now: datetime,
        journal: IssueJournal | None = None,
    ) -> IssueAnswer:
        assert self.shares_journal or journal is None, "there is no journal to share"
        return self._through(
            "issue",
            lambda: self.module.issue(
                meter, request, message_id=message_id, now=now, journal=journal
            ),
        )

    def fetch(
        self, meter: MeterConfiguration, request: TokenRequest, *, message_id: str, now: datetime
    ) -> IssueAnswer | None:
        return self._through(
            "fetch",
            lambda: self.module.fetch(meter, request, message_id=message_id, now=now),
        )

    def change_key(
        self,
        meter: MeterConfiguration,
        new: NewKey,
        *,
        message_id: str,
        now: datetime,
        journal: IssueJournal | None = None,
    ) -> KeyChangeAnswer:
        assert self.shares_journal or journal is None, "there is no journal to share"
        return self._through(
            "change_key",
            lambda: self.module.change_key(
                meter, new, message_id=message_id, now=now, journal=journal
            ),
        )

    def fetch_key_change(
        self, meter: MeterConfiguration, new: NewKey, *, message_id: str, now: datetime
    ) -> KeyChangeAnswer | None:
        return self._through(
            "fetch_key_change",
            lambda: self.module.fetch_key_change(meter, new, message_id=message_id, now=now),
        )

    def commission(self, *_: object, **__: object) -> KeyChangeAnswer:
        raise AssertionError

    def bulk_access(self) -> BulkAccess:
        raise AssertionError

    def lab_decoder_key(self, *_: object, **__: object) -> tuple[RegisteredKey, DecoderKey]:
        raise AssertionError

    def verify(self, *_: object, **__: object) -> Verification:
        raise AssertionError

    def vending_key(self, meter: MeterConfiguration) -> RegisteredKey:
        return self.module.vending_key(meter)

    def revisions(self, meter: MeterConfiguration) -> tuple[RegisteredKey, ...]:
        return self.module.revisions(meter)

    def status(self) -> ModuleStatus:
        status = self.module.status()
        capabilities = replace(status.capabilities, shared_journal=self.shares_journal)
        return replace(status, capabilities=capabilities)

    def _through(self, name: str, call: Callable[[], _T]) -> _T:
        self.asked.append(name)
        self.before(name)
        answer = call()
        self.after(name)
        return answer


# --- meters ---------------------------------------------------------------------------------------


@dataclass
class RealMeter:
    """A virtual meter with the key that the demo's vending key makes for it."""

    spec: MeterSpec
    state: MeterState
    volatile: Volatile = field(default_factory=Volatile)

    @classmethod
    def of(cls, meter: Meter, key: MeterKey | None = None) -> "RealMeter":
        """Build the meter of a record, with the present key or another."""
        held = meter.present_key if key is None else key
        attributes = KeyAttributes(
            meter_pan=MeterPan.from_drn(meter.drn),
            supply_group_code=held.supply_group_code,
            tariff_index=held.tariff_index,
            key_revision_number=held.key_revision_number,
            key_type=held.key_type,
            base_date=held.base_date,
            encryption_algorithm=meter.encryption_algorithm,
        )
        currency = meter.credit_kind is CreditKind.CURRENCY
        spec = MeterSpec(
            decoder_reference_number=meter.drn,
            encryption_algorithm=meter.encryption_algorithm,
            service=meter.service,
            credit_kind=MeterCredit.CURRENCY if currency else MeterCredit.UNIT,
            currency="ZAR" if currency else "",
            prices=(PricePeriod(starts_at=NOW, per_thousand=1),) if currency else (),
            supports_three_token_set=meter.takes_supply_group,
        )
        made: DecoderKey = derive_decoder_key(story.KEY_GENERATION_ALGORITHM, KEY, attributes)
        register = DecoderKeyRegister.from_attributes(
            made, attributes, key_expiry_number=held.key_expiry_number
        )
        return cls(spec=spec, state=new_state(spec, register, now=NOW))

    def enter(self, digits: str, *, now: datetime = NOW) -> Outcome:
        """Key in a token."""
        reaction = apply(
            self.spec,
            self.state,
            self.volatile,
            digits=digits,
            cipher=new_cipher(
                self.spec.encryption_algorithm,
                self.state.key_register.decoder_key,
                sta_tables=SAMPLE_TABLES,
            ),
            now=now,
        )
        self.state, self.volatile = reaction.state, reaction.volatile
        return reaction.outcome

    def enter_all(self, tokens: tuple[MadeToken, ...]) -> list[Outcome]:
        """Key in tokens in their order."""
        return [self.enter(token.digits) for token in tokens]
