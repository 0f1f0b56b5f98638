"""A security module that writes down every use of a key before its answer leaves.

It stands in front of any other module. An answer is in the journal first, then in the audit log,
and only then handed out; so no token leaves unseen. If the log cannot be written, the answer stays
inside: the same message id fetches it later. Where a caller gives the journal of its own open
transaction and does not commit, the log says more than has happened, never less.
"""

from datetime import datetime
from typing import Final

from keys.answers import IssueAnswer, KeyChangeAnswer, ModuleStatus, UnacceptableToken, Verification
from keys.audit_record import AuditEvent, TokenTrace
from keys.audit_writing import AuditWriter
from keys.bulk_access import BulkAccess
from keys.journal import TOKEN_DIGITS, IssueJournal
from keys.registered_key import KeyName, RegisteredKey
from keys.requests import MeterConfiguration, NewKey, TokenRequest
from keys.security_module import SecurityModule
from sts import DecoderKey


class AuditedModule:
    """A security module in front of another one; see ``SecurityModule`` for what it answers.

    Attributes:
        audit: Where everything is written down; a caller that refuses something beforehand may
            write that down as well.
    """

    def __init__(self, module: SecurityModule, audit: AuditWriter) -> None:
        """Stand in front of ``module`` and write to ``audit``."""
        self._module: Final = module
        self.audit: Final = audit

    def issue(
        self,
        meter: MeterConfiguration,
        request: TokenRequest,
        *,
        message_id: str,
        now: datetime,
        journal: IssueJournal | None = None,
    ) -> IssueAnswer:
        """Make one token, see ``SecurityModule.issue``."""
        facts = {**meter_facts(meter), "message_id": message_id}
        with self.audit.refusals_of(
            AuditEvent.ISSUE, now=now, tid_minutes=request.tid_minutes, **facts
        ):
            answer = self._module.issue(
                meter, request, message_id=message_id, now=now, journal=journal
            )
        self._write_issue(meter, answer, facts, now=now)
        return answer

    def fetch(
        self, meter: MeterConfiguration, request: TokenRequest, *, message_id: str, now: datetime
    ) -> IssueAnswer | None:
        """Return the answer of an earlier ``issue``, see ``SecurityModule.fetch``."""
        facts = {**meter_facts(meter), "message_id": message_id}
        with self.audit.refusals_of(
            AuditEvent.ISSUE, now=now, tid_minutes=request.tid_minutes, **facts
        ):
            answer = self._module.fetch(meter, request, message_id=message_id, now=now)
        if answer is not None:
            self._write_issue(meter, answer, facts, now=now)
        return answer

    def fetch_key_change(
        self, meter: MeterConfiguration, new: NewKey, *, message_id: str, now: datetime
    ) -> KeyChangeAnswer | None:
        """Return the answer of an earlier ``change_key``, see ``SecurityModule``."""
        facts = {**meter_facts(meter), "message_id": message_id}
        with self.audit.refusals_of(AuditEvent.KEY_CHANGE, now=now, **facts):
            answer = self._module.fetch_key_change(meter, new, message_id=message_id, now=now)
        if answer is not None:
            self._write_change(AuditEvent.KEY_CHANGE, meter, answer, now=now)
        return answer

    def change_key(
        self,
        meter: MeterConfiguration,
        new: NewKey,
        *,
        message_id: str,
        now: datetime,
        journal: IssueJournal | None = None,
    ) -> KeyChangeAnswer:
        """Make a key change set, see ``SecurityModule.change_key``."""
        facts = {**meter_facts(meter), "message_id": message_id}
        with self.audit.refusals_of(AuditEvent.KEY_CHANGE, now=now, **facts):
            answer = self._module.change_key(
                meter, new, message_id=message_id, now=now, journal=journal
            )
        self._write_change(AuditEvent.KEY_CHANGE, meter, answer, now=now)
        return answer

    def commission(
        self,
        meter: MeterConfiguration,
        ditk: DecoderKey,
        new: NewKey,
        *,
        message_id: str,
        now: datetime,
        journal: IssueJournal | None = None,
    ) -> KeyChangeAnswer:
        """Make the set for a new meter, see ``SecurityModule.commission``."""
        target = KeyName(
            tenant=meter.tenant,
            supply_group_code=new.supply_group_code,
            key_revision_number=new.key_revision_number,
        )
        facts = {"key": target, "meter_pan": meter.meter_pan, "message_id": message_id}
        with self.audit.refusals_of(AuditEvent.COMMISSION, now=now, **facts):
            answer = self._module.commission(
                meter, ditk, new, message_id=message_id, now=now, journal=journal
            )
        self._write_change(AuditEvent.COMMISSION, meter, answer, now=now)
        return answer

    def verify(self, meter: MeterConfiguration, digits: str, *, now: datetime) -> Verification:
        """Tell what a token says to a meter, see ``SecurityModule.verify``."""
        facts = meter_facts(meter)
        with self.audit.refusals_of(AuditEvent.VERIFY, now=now, **facts):
            found = self._module.verify(meter, digits, now=now)
        self.audit.write(
            AuditEvent.VERIFY,
            now=now,
            tokens=_traces(digits, meter),
            refusal_code=found.code if isinstance(found, UnacceptableToken) else None,
            **facts,
        )
        return found

    def vending_key(self, meter: MeterConfiguration) -> RegisteredKey:
        """Return the metadata of the vending key that serves a meter; no key is used."""
        return self._module.vending_key(meter)

    def revisions(self, meter: MeterConfiguration) -> tuple[RegisteredKey, ...]:
        """Return the metadata of all vending keys of a meter's supply group; no key is used."""
        return self._module.revisions(meter)

    def bulk_access(self) -> BulkAccess:
        """Return what operations on whole fleets need; ``keys.bulk`` writes the use down."""
        return self._module.bulk_access()

    def lab_decoder_key(
        self, meter: MeterConfiguration, *, now: datetime
    ) -> tuple[RegisteredKey, DecoderKey]:
        """Return the key in a lab meter; ``keys.meter_file`` writes the use down."""
        return self._module.lab_decoder_key(meter, now=now)

    def status(self) -> ModuleStatus:
        """Return what the module says of itself; no key is used."""
        return self._module.status()

    def _write_issue(
        self,
        meter: MeterConfiguration,
        answer: IssueAnswer,
        facts: dict[str, object],
        *,
        now: datetime,
    ) -> None:
        self.audit.write(
            AuditEvent.ISSUE,
            now=now,
            tid_minutes=answer.tid_minutes,
            check_value=answer.vending_key.record.check_value,
            tokens=(TokenTrace.of(answer.digits, meter.meter_pan),),
            **facts,
        )

    def _write_change(
        self,
        event: AuditEvent,
        meter: MeterConfiguration,
        answer: KeyChangeAnswer,
        *,
        now: datetime,
    ) -> None:
        """Write a key change down under the key that it brings."""
        self.audit.write(
            event,
            now=now,
            key=answer.new_key.name,
            check_value=answer.new_key.record.check_value,
            meter_pan=meter.meter_pan,
            message_id=answer.message_id,
            tokens=tuple(TokenTrace.of(made.digits, meter.meter_pan) for made in answer.tokens),
        )


def meter_facts(meter: MeterConfiguration) -> dict[str, object]:
    """Return what the audit log says of a meter and the key in it."""
    return {"key": meter.key_name, "meter_pan": meter.meter_pan}


def _traces(digits: str, meter: MeterConfiguration) -> tuple[TokenTrace, ...]:
    """Return the trace of what was keyed, if it has the digits of a token at all."""
    keyed = "".join(each for each in digits if each not in " -")
    if len(keyed) != TOKEN_DIGITS or not (keyed.isascii() and keyed.isdigit()):
        return ()
    return (TokenTrace.of(keyed, meter.meter_pan),)
