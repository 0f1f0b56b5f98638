"""Writing down what is done with keys, and what is refused, under the name of who asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from keys.audit import AuditLog
from keys.audit_record import AuditEvent, AuditRecord
from keys.errors import KeysError
from keys.json_fields import is_name
from sts import StsError


class AuditWriter:
    """Appends to one log for one actor.

    Attributes:
        log: The log.
        actor: Who asks for what is done.
    """

    def __init__(self, log: AuditLog, actor: str) -> None:
        """Write to ``log`` for ``actor``."""
        self.log: Final = log
        self.actor: Final = actor

    def write(self, event: AuditEvent, *, now: datetime, **facts: Any) -> None:
        """Append an entry, on the disk when this returns.

        Args:
            event: What happens.
            now: When.
            **facts: Further fields of the record.

        Raises:
            AuditTextError: A fact that may not stand in the log.
            ChainError, VaultError, FileLockedError: As for ``AuditLog.append``.
        """
        self.log.append(self.record(event, now=now, **facts))

    def record(self, event: AuditEvent, *, now: datetime, **facts: Any) -> AuditRecord:
        """Return what ``write`` appends, to append several at once.

        Raises:
            AuditTextError: A fact that may not stand in the log.
        """
        return AuditRecord(at=now, event=event, actor=self.actor, **_clean(facts))

    @contextmanager
    def refusals_of(self, event: AuditEvent, *, now: datetime, **facts: Any) -> Iterator[None]:
        """Append an entry for a refusal of what is done within the context, and pass it on.

        Args:
            event: What is asked for.
            now: When.
            **facts: What is known of it beforehand.

        Raises:
            KeysError, StsError: The refusal itself; it could not be written down if it has another
                one as its context.
        """
        try:
            yield
        except (KeysError, StsError) as error:
            self.write(AuditEvent.REFUSAL, now=now, refused=event, refusal_code=error.code, **facts)
            raise


def _clean(facts: dict[str, Any]) -> dict[str, Any]:
    """Leave out a message id that cannot stand in the log: the request is refused for it."""
    message_id = facts.get("message_id")
    if message_id is None or is_name(message_id):
        return facts
    return {**facts, "message_id": None}
