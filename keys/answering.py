"""One request, one answer: the journal's part of issuing, in one transaction."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from keys.journal import (
    IssueJournal,
    JournalEntry,
    JournalSeal,
    JournalTransaction,
    LookedUp,
    MadeTokens,
    entry_context,
    require_same_request,
)
from keys.registered_key import RegisteredKey
from keys.rules import require_within_limit
from sts import BaseDate, MeterPan
from sts.errors import TidAlreadyUsedError


class Asked(NamedTuple):
    """A request as the journal sees it.

    Attributes:
        message_id: The caller's name for it.
        request_hash: Keyed hash of all of it.
        meter_pan: For which meter.
        key: The vending key that it counts for.
        tid_minutes: The token identifier; None for a key change.
        credit_steps: By how much it counts against the credit limit.
        at: When.
    """

    message_id: str
    request_hash: str
    meter_pan: MeterPan
    key: RegisteredKey
    tid_minutes: int | None
    credit_steps: int
    at: datetime

    @property
    def tenant(self) -> str:
        """Whose request it is."""
        return self.key.record.tenant

    @property
    def base_date(self) -> BaseDate:
        """What the token identifier counts from."""
        return self.key.record.base_date

    def entry(self, seal: JournalSeal, made: MadeTokens) -> JournalEntry:
        """Return the entry for the tokens that were made."""
        key, base_date = self.key.name, self.base_date
        context = entry_context(
            key,
            self.message_id,
            request_hash=self.request_hash,
            meter_pan=self.meter_pan,
            base_date=base_date,
            tid_minutes=self.tid_minutes,
            credit_units=self.credit_steps,
        )
        return JournalEntry(
            message_id=self.message_id,
            request_hash=self.request_hash,
            meter_pan=self.meter_pan,
            key=key,
            base_date=base_date,
            tid_minutes=self.tid_minutes,
            credit_units=self.credit_steps,
            sealed=seal.sealed(made, context),
            made_at=self.at,
        )


def answered(
    asked: Asked,
    journal: IssueJournal,
    *,
    seal: JournalSeal,
    permit: Callable[[], None],
    make: Callable[[], MadeTokens],
) -> MadeTokens:
    """Return the tokens of a request: those of the journal, or new ones that are now in it.

    Args:
        asked: The request.
        journal: Where answers are kept.
        seal: Encrypts what goes there.
        permit: Raises if the request may not be answered; an answer there is is given anyway.
        make: Makes the tokens.

    Raises:
        MessageIdReusedError: The message id came with another request.
        TidAlreadyUsedError: The token identifier was used for this meter and base date.
        CreditLimitError: The key's credit limit would be exceeded.
        JournalTamperedError: The answer in the journal is not as it was written.
    """
    tid = asked.tid_minutes
    with journal.transaction() as transaction:
        found = _looked_up(asked, transaction)
        earlier = _earlier(asked, found.entry, seal=seal)
        if earlier is not None:
            return earlier
        permit()
        if tid is not None and found.tid_is_used:
            raise TidAlreadyUsedError(tid)
        # What was used is counted only where something limits it: that may take long.
        if asked.credit_steps and asked.key.terms.credit_limit_units is not None:
            used = transaction.credit_used(asked.key.name)
            require_within_limit(asked.key.terms, used, steps=asked.credit_steps)
        made = make()
        transaction.add(asked.entry(seal, made))
    return made


def fetched(asked: Asked, journal: IssueJournal, *, seal: JournalSeal) -> MadeTokens | None:
    """Return the tokens of a request that was answered before, or None; nothing is made.

    Raises:
        MessageIdReusedError: The message id came with another request.
    """
    with journal.transaction() as transaction:
        entry = transaction.find(asked.tenant, asked.message_id)
        return _earlier(asked, entry, seal=seal)


def _looked_up(asked: Asked, transaction: JournalTransaction) -> LookedUp:
    tid = asked.tid_minutes
    if tid is None:
        entry = transaction.find(asked.tenant, asked.message_id)
        return LookedUp(entry=entry, tid_is_used=False)
    return transaction.look_up(
        asked.tenant,
        asked.message_id,
        meter_pan=asked.meter_pan,
        base_date=asked.base_date,
        tid=tid,
    )


def _earlier(asked: Asked, entry: JournalEntry | None, *, seal: JournalSeal) -> MadeTokens | None:
    if entry is None:
        return None
    require_same_request(entry, asked.request_hash)
    return seal.unsealed(entry.sealed, entry.context)
