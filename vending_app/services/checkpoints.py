"""Checkpoints: the sealed end of the books, kept where the books are not.

Once a day the books are checked from the last checkpoint on, and their end is sealed with the
installation's key. The key audit log writes the checkpoint down, and the books keep the checkpoint
of the key audit log: whoever rewrites one of the two has to rewrite the other as well, and every
copy that was handed out.
"""

from collections.abc import Iterable
from datetime import datetime
from itertools import chain as joined
from itertools import islice
from typing import Protocol

from keys.audit_record import AuditEvent, AuditRecord
from keys.chain_seal import SealKey, SealVerifier, require_seal, seal_head
from keys.hash_chain import Checkpoint, Entry, Head, verify
from vending_app.domain.ledger import chain_name
from vending_app.storage import checkpoints, ledger, ledger_reading, tenants
from vending_app.storage.engine import Store


class KeyAudit(Protocol):
    """The key audit log of a security module, ``keys.audit.AuditLog`` for one."""

    def append(self, *records: AuditRecord) -> tuple[Entry, ...]:
        """Write entries down."""
        ...

    def checkpoint(
        self, key: SealKey, *, now: datetime, since: Iterable[Checkpoint] = ()
    ) -> Checkpoint:
        """Check the log and return its sealed end."""
        ...


def seal_books(store: Store, tenant: str, *, key: SealKey, now: datetime) -> Checkpoint:
    """Check the books from their last checkpoint on, and return their sealed end.

    If nothing was booked since, that is the last checkpoint itself.

    Args:
        store: Where the books are.
        tenant: Whose.
        key: The installation's.
        now: The present time, aware.

    Raises:
        UnknownTenantError: There is no such tenant.
        ChainError: The books, or an earlier checkpoint of them, are not right.
    """
    chain = chain_name(tenant)
    with store.read() as connection:
        tenants.find_tenant(tenant, connection)
        earlier = checkpoints.checkpoints(tenant, connection, chain=chain)
        for checkpoint in earlier:
            require_seal(checkpoint, (key,))
        start = earlier[-1].head if earlier else Head.start(chain)
        # The entry of the checkpoint itself is read again: it may be what was replaced.
        before = max(start.length - 1, 0)
        links = ledger_reading.chain_entries(tenant, connection, after=before)
        first = tuple(islice(links, 1))
        after = Head(length=before, hash=first[0].previous) if first and before else None
        head = verify(joined(first, links), chain, since=earlier, after=after)
    if earlier and head == earlier[-1].head:
        return earlier[-1]
    sealed = seal_head(head, chain, key=key, now=now)
    keep_checkpoint(store, tenant, checkpoint=sealed, keys=(key,))
    return sealed


def keep_checkpoint(
    store: Store, tenant: str, *, checkpoint: Checkpoint, keys: Iterable[SealVerifier]
) -> None:
    """Keep a checkpoint beside the books, of these books or of another chain; once.

    Args:
        store: Where the books are.
        tenant: Whose.
        checkpoint: What is kept.
        keys: Those whose seal is taken.

    Raises:
        SealMismatchError: None of the keys sealed it.
    """
    require_seal(checkpoint, keys)
    with store.write() as connection:
        # Who holds the end of the books is alone here.
        ledger.lock_books(tenant, connection)
        kept = checkpoints.checkpoints(tenant, connection, chain=checkpoint.chain)
        if all(other.head.length != checkpoint.head.length for other in kept):
            checkpoints.add_checkpoint(tenant, connection, checkpoint=checkpoint)


def exchange_checkpoints(
    store: Store, tenant: str, *, key: SealKey, key_audit: KeyAudit, now: datetime
) -> tuple[Checkpoint, Checkpoint]:
    """Seal both chains, and let each keep the checkpoint of the other.

    Args:
        store: Where the books are.
        tenant: Whose.
        key: The installation's.
        key_audit: The key audit log.
        now: The present time, aware.

    Returns:
        The checkpoint of the books, and that of the key audit log, which covers the entry that
        holds the first.

    Raises:
        UnknownTenantError: There is no such tenant.
        ChainError: One of the chains is not right.
        KeysError: The key audit log cannot be used.
    """
    of_books = seal_books(store, tenant, key=key, now=now)
    witness = AuditRecord(
        at=now, event=AuditEvent.WITNESS, actor=f"books of {tenant}", checkpoint=of_books
    )
    key_audit.append(witness)
    of_audit = key_audit.checkpoint(key, now=now)
    keep_checkpoint(store, tenant, checkpoint=of_audit, keys=(key,))
    return of_books, of_audit
