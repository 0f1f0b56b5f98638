"""Statements about sealed checkpoints: of the books, and of the key audit log."""

from sqlalchemy import Connection, insert, select

from keys.chain_seal import format_checkpoint, parse_checkpoint
from keys.hash_chain import Checkpoint
from vending_app.storage.tables import ledger_checkpoints


def add_checkpoint(tenant: str, connection: Connection, *, checkpoint: Checkpoint) -> None:
    """Keep a sealed checkpoint, of these books or of another chain."""
    connection.execute(
        insert(ledger_checkpoints).values(
            tenant=tenant,
            chain=checkpoint.chain,
            length=checkpoint.head.length,
            document=format_checkpoint(checkpoint).decode("ascii"),
            sealed_at=checkpoint.sealed_at,
        )
    )


def checkpoints(tenant: str, connection: Connection, *, chain: str) -> tuple[Checkpoint, ...]:
    """Return the checkpoints of a chain that are kept here, the shortest first.

    Raises:
        CheckpointFormatError: One that was altered.
    """
    columns = ledger_checkpoints.c
    rows = connection.execute(
        select(columns.document)
        .where(columns.tenant == tenant, columns.chain == chain)
        .order_by(columns.length)
    )
    return tuple(parse_checkpoint(document.encode("utf-8")) for document in rows.scalars())
