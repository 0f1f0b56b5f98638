"""Opening a lab module to make tokens by hand, and choosing their token identifiers."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from keys.audit_record import AuditEvent
from keys.audited_module import AuditedModule
from keys.cli.common import Session, random_bytes, session_options
from keys.cli.key_options import tenant_option
from keys.journal_file import FileJournal
from keys.module_file import says_lab
from keys.module_home import ModuleHome
from keys.open import Caller, ModuleOptions, open_module, split_name
from keys.requests import MeterConfiguration
from sts import (
    EncryptionAlgorithm,
    KeyRevisionNumber,
    KeyType,
    MeterPan,
    StaTables,
    SupplyGroupCode,
    TariffIndex,
    next_token_identifier,
    special_reserved_token_identifier,
)
from sts.terminal_keys import TABLES_OPTION, read_tables

_MESSAGE_BYTES = 8
_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """A lab module that is open for one command.

    Attributes:
        module: The module.
        journal: Its journal.
        session: Who asks, and when.
        tables: The STA tables.
        message_id: The name of the request.
    """

    module: AuditedModule
    journal: FileJournal
    session: Session
    tables: StaTables
    message_id: str

    def tid_for(self, meter: MeterConfiguration, *, special_reserved: bool) -> int:
        """Return the token identifier of an earlier answer to this message, or the next free one.

        Raises:
            KeysError, StsError: The key is unknown or has expired, or no identifier is free.
        """
        with self.journal.transaction() as transaction:
            entry = transaction.find(meter.tenant, self.message_id)
        if entry is not None and entry.tid_minutes is not None:
            return entry.tid_minutes
        record = self.module.vending_key(meter).record
        choose = special_reserved_token_identifier if special_reserved else next_token_identifier
        return choose(
            self.journal.latest_tids(meter.tenant, meter.meter_pan, base=record.base_date),
            self.session.now,
            base_date=record.base_date,
            key_expiry_number=record.key_expiry_number,
        )


@contextmanager
def open_by_hand(
    name: str,
    session: Session,
    *,
    event: AuditEvent,
    tables: Path | None = None,
    message_id: str | None = None,
    what: str = "making tokens by hand",
) -> Iterator[ByHand]:
    """Open a lab module for one command.

    Args:
        name: The module.
        session: Who asks, and when.
        event: What is asked for.
        tables: The file of licensed STA tables; None for the SAMPLE set.
        message_id: The name of the request; None for a new one.
        what: The same as ``event`` in words, for whoever is refused.

    Raises:
        LabModuleOnlyError: It is a production module; the refusal is in its log.
        KeysError, StsError: It cannot be opened.
    """
    _, place = split_name(name)
    home = ModuleHome(place)
    home.require_begun()
    if not says_lab(home.module):
        _refuse_production(name, session, event, what=what)
    sta_tables = read_tables(tables)
    unlock = session.unlock_for(name)
    with closing(FileJournal.open(home.journal)) as journal:
        options = ModuleOptions(
            lab_mode=True,
            unlock=unlock,
            sta_tables=sta_tables,
            journal=journal,
            random_bytes=random_bytes,
        )
        caller = Caller(actor=session.who, now=session.now)
        yield ByHand(
            module=open_module(name, options, caller=caller),
            journal=journal,
            session=session,
            tables=sta_tables,
            message_id=message_id or f"by-hand-{random_bytes(_MESSAGE_BYTES).hex()}",
        )


def _refuse_production(name: str, session: Session, event: AuditEvent, *, what: str) -> None:
    opened = session.custody(name)
    with opened.audit.refusals_of(event, now=session.now):
        opened.require_lab(what)


def meter_options(command: _Command) -> _Command:
    """Add what describes a meter and the key in it, the tables, and how the module is opened."""
    return configuration_options(TABLES_OPTION(session_options(command)))


def configuration_options(command: _Command) -> _Command:
    """Add what describes a meter and the key in it; ``meter_of`` reads it."""
    options: tuple[Callable[[_Command], _Command], ...] = (
        tenant_option,
        click.option(
            "--meter", required=True, help="11- or 13-digit meter number, or the 18-digit PAN."
        ),
        click.option("--sgc", required=True, help="Supply group code, 6 digits."),
        click.option("--krn", default="1", show_default=True, help="Key revision, 1 to 9."),
        click.option("--ti", default="01", show_default=True, help="Tariff index, 2 digits."),
        click.option(
            "--kt", type=click.IntRange(0, 3), default=2, show_default=True, help="Key type."
        ),
        click.option(
            "--ea",
            type=click.Choice(("07", "09", "11")),
            default="11",
            show_default=True,
            help="Encryption algorithm of the meter: 07 STA, 09 DES (legacy), 11 MISTY1.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def message_option(command: _Command) -> _Command:
    """Add the name of a request, by which its answer can be fetched again."""
    return click.option(
        "--message-id", help="The same id and request give the same tokens.  [default: a new one]"
    )(command)


def meter_of(options: dict[str, Any], *, key_type: int | None = None) -> MeterConfiguration:
    """Return the meter that the options, which are taken out, describe.

    Raises:
        StsError: One of the numbers is not well formed.
    """
    names = ("tenant", "meter", "sgc", "krn", "ti", "kt", "ea")
    tenant, meter, sgc, krn, index, kt, ea = (options.pop(name) for name in names)
    return MeterConfiguration(
        tenant=tenant,
        meter_pan=MeterPan.parse(meter),
        supply_group_code=SupplyGroupCode.parse(sgc),
        tariff_index=TariffIndex.parse(index),
        key_revision_number=KeyRevisionNumber.parse(krn),
        key_type=KeyType.parse(kt if key_type is None else key_type),
        encryption_algorithm=EncryptionAlgorithm.parse(ea),
    )
