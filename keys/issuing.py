"""How a module issues: the same steps whatever keeps the keys.

    find the key → look the message id up → check the rules → make the tokens → decode them afresh
    and compare → write them into the journal → answer

A ``KeySource`` is all that differs between modules: it names the keys there are, and makes the
decoder key of a meter. ``JournalledModule`` does everything else.
"""

import secrets
from datetime import datetime

from keys.answering import Asked, answered, fetched
from keys.answers import (
    Capabilities,
    IssueAnswer,
    IssuedToken,
    KeyChangeAnswer,
    ModuleStatus,
    TidMode,
    Verification,
    without_key_parts,
)
from keys.bulk_access import BulkAccess, BulkKeys, NoBulkError
from keys.client_errors import LabModuleOnlyError
from keys.errors import NotCommissioningError
from keys.journal import IssueJournal, JournalSeal, MadeTokens, require_message_id
from keys.journal_errors import NoJournalError
from keys.key_changes import (
    ChangeWork,
    meter_after,
    plan_change,
    plan_commissioning,
    require_same_change,
)
from keys.key_source import KeySource
from keys.randomness import RandomBytes
from keys.registered_key import RegisteredKey
from keys.request_body import change_body, issue_body
from keys.requests import RANDOM_VALUES, MeterConfiguration, NewKey, TokenRequest
from keys.rules import (
    credit_steps,
    require_fitting_key,
    require_in_use,
    require_initialisation_key,
    require_permitted_kind,
    require_usable,
)
from keys.secret import Secret
from keys.token_making import (
    GivenKey,
    MeterKey,
    make_tokens,
    read_tokens,
)
from keys.verification import verify_token
from sts import SAMPLE_TABLES, DecoderKey, EncryptionAlgorithm, StaTables
from sts.errors import SampleTablesInProductionError
from sts.key_change import build


class JournalledModule:
    """A security module that runs in this process, over a source of keys."""

    def __init__(
        self,
        source: KeySource,
        *,
        lab_mode: bool,
        sta_tables: StaTables = SAMPLE_TABLES,
        journal: IssueJournal | None = None,
        random_bytes: RandomBytes = secrets.token_bytes,
        manufacturing: bool = False,
    ) -> None:
        """Serve the keys of ``source``.

        Args:
            source: Who keeps the keys.
            lab_mode: Whether tokens of the SAMPLE tables are made; a real meter refuses them.
            sta_tables: The tables for EA07.
            journal: Where answers are kept if the caller of a request gives no journal.
            random_bytes: Where the random bits of tokens come from.
            manufacturing: Whether meters are commissioned outside lab mode, too.
        """
        self._source = source
        self._lab_mode = lab_mode
        self._sta_tables = sta_tables
        self._sample_tables = sta_tables.is_sample
        self._own_journal = journal
        self._random_bytes = random_bytes
        self._commissions = lab_mode or manufacturing
        self._seal = JournalSeal(source.journal_key())

    def issue(
        self,
        meter: MeterConfiguration,
        request: TokenRequest,
        *,
        message_id: str,
        now: datetime,
        journal: IssueJournal | None = None,
    ) -> IssueAnswer:
        """Make one token, see ``SecurityModule.issue``.

        What is wrong is looked for in this order: message id; key unknown, another tenant's, of
        another type, not for this carrier; message id of another request; credit under a default
        key; SAMPLE tables; key not in use at this time; expired; token identifier; limit.
        """
        asked, source = self._asked(meter, request, message_id=message_id, now=now)
        key = asked.key

        def permit() -> None:
            require_permitted_kind(request.unrandomised, key)
            self._require_real_tables(meter)
            require_usable(key, now, tid_minutes=request.tid_minutes)

        def make() -> MadeTokens:
            random_bits = self._random_bytes(1)[0] % RANDOM_VALUES
            return make_tokens((request.token(random_bits),), source, random_bits=random_bits)

        made = answered(asked, self._journal(journal), seal=self._seal, permit=permit, make=make)
        return self._answer(meter, request, made, asked=asked, source=source)

    def fetch(
        self, meter: MeterConfiguration, request: TokenRequest, *, message_id: str, now: datetime
    ) -> IssueAnswer | None:
        """Return the answer of an earlier ``issue``, see ``SecurityModule.fetch``."""
        asked, source = self._asked(meter, request, message_id=message_id, now=now)
        made = fetched(asked, self._journal(None), seal=self._seal)
        if made is None:
            return None
        return self._answer(meter, request, made, asked=asked, source=source)

    def change_key(
        self,
        meter: MeterConfiguration,
        new: NewKey,
        *,
        message_id: str,
        now: datetime,
        journal: IssueJournal | None = None,
    ) -> KeyChangeAnswer:
        """Make a key change set, see ``SecurityModule.change_key``.

        What is wrong is looked for in this order: message id; present key, new key; message id of
        another request; SAMPLE tables; keys not in use at this time; then as
        ``sts.key_change.check``.
        """
        change = self._planned(meter, new, message_id=message_id)
        return self._change(change, message_id=message_id, now=now, journal=journal)

    def fetch_key_change(
        self, meter: MeterConfiguration, new: NewKey, *, message_id: str, now: datetime
    ) -> KeyChangeAnswer | None:
        """Return the answer of an earlier ``change_key``, see ``SecurityModule``."""
        change = self._planned(meter, new, message_id=message_id)
        asked = self._asked_change(change, message_id=message_id, now=now)
        made = fetched(asked, self._journal(None), seal=self._seal)
        if made is None:
            return None
        return self._change_answer(change, made, message_id=message_id)

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
        """Make the set for a new meter, see ``SecurityModule.commission``.

        What is wrong is looked for in this order: not a module for this; message id; not a meter
        for this; then as for ``change_key``.
        """
        if not self._commissions:
            raise NotCommissioningError
        require_message_id(message_id)
        require_initialisation_key(meter)
        target = self.vending_key(meter_after(meter, new))
        plan = plan_commissioning(meter, new, target=target)
        given = GivenKey(
            key=ditk,
            encryption_algorithm=meter.encryption_algorithm,
            sta_tables=self._sta_tables,
        )
        body = change_body(meter, new, ditk_digest=self._seal.digest(ditk.expose()))
        change = ChangeWork(plan=plan, present=None, target=target, source=given, body=body)
        return self._change(change, message_id=message_id, now=now, journal=journal)

    def verify(self, meter: MeterConfiguration, digits: str, *, now: datetime) -> Verification:
        """Tell what a token says to a meter, see ``SecurityModule.verify``."""
        key = self.vending_key(meter)
        require_fitting_key(meter, key)
        return verify_token(digits, self._meter_key(meter, key), key=key, now=now)

    def vending_key(self, meter: MeterConfiguration) -> RegisteredKey:
        """Return the metadata of the vending key that serves a meter."""
        return self._source.registered(meter)

    def revisions(self, meter: MeterConfiguration) -> tuple[RegisteredKey, ...]:
        """Return the metadata of all vending keys of a meter's supply group."""
        return self._source.revisions(meter)

    def status(self) -> ModuleStatus:
        """Return what the module says of itself."""
        tables = self._sta_tables
        return ModuleStatus(
            kind=self._source.kind,
            lab_mode=self._lab_mode,
            sta_tables_name=tables.name,
            sta_tables_fingerprint=tables.fingerprint,
            sample_tables=self._sample_tables,
            capabilities=Capabilities(
                tid_mode=TidMode.CALLER,
                holds_sta_tables=not self._sample_tables,
                bulk=isinstance(self._source, BulkKeys),
                verify=True,
                commission=self._commissions,
                shared_journal=True,
                production=not self._lab_mode,
            ),
            keys=self._source.held(),
        )

    def journal_key(self) -> Secret:
        """Return the key of the journal; what the module has besides is locked by way of it."""
        return self._source.journal_key()

    def bulk_access(self) -> BulkAccess:
        """Return what bulk operations need, see ``SecurityModule.bulk_access``."""
        if not isinstance(self._source, BulkKeys):
            raise NoBulkError(self._source.kind)
        return BulkAccess(
            register=self._source,
            keys=self._source,
            journal_key=self._source.journal_key(),
            lab_mode=self._lab_mode,
            sta_tables=self._sta_tables,
        )

    def lab_decoder_key(
        self, meter: MeterConfiguration, *, now: datetime
    ) -> tuple[RegisteredKey, DecoderKey]:
        """Return the key in a lab meter, see ``SecurityModule.lab_decoder_key``.

        What is wrong is looked for in this order: not a lab's module; key unknown, another
        tenant's, of another type, not for this carrier, not in use at this time, expired.
        """
        if not self._lab_mode:
            raise LabModuleOnlyError("taking out the key of a meter")
        key = self.vending_key(meter)
        require_fitting_key(meter, key)
        require_usable(key, now, tid_minutes=0)
        return key, self._source.decoder_key(key, meter.key_attributes(key.record.base_date))

    def _change(
        self,
        change: ChangeWork,
        *,
        message_id: str,
        now: datetime,
        journal: IssueJournal | None,
    ) -> KeyChangeAnswer:
        """Answer a planned key change, whatever the key in the meter comes from."""
        plan, target = change.plan, change.target

        def permit() -> None:
            self._require_real_tables(plan.configuration)
            for key in (change.present, target):
                if key is not None:
                    require_in_use(key.terms, now)
            plan.require_permitted(now)

        def make() -> MadeTokens:
            new_key = self._source.decoder_key(target, plan.new.attributes)
            wanted = plan.change(new_key)
            made = make_tokens(build(wanted, set_size=plan.set_size), change.source)
            require_same_change(wanted, made.tokens, key_bits=new_key.bits)
            return made

        asked = self._asked_change(change, message_id=message_id, now=now)
        made = answered(asked, self._journal(journal), seal=self._seal, permit=permit, make=make)
        return self._change_answer(change, made, message_id=message_id)

    def _planned(self, meter: MeterConfiguration, new: NewKey, *, message_id: str) -> ChangeWork:
        """Plan a change from a key that was derived."""
        require_message_id(message_id)
        present = self.vending_key(meter)
        require_fitting_key(meter, present)
        target = self.vending_key(meter_after(meter, new))
        return ChangeWork(
            plan=plan_change(meter, new, present=present, target=target),
            present=present,
            target=target,
            source=self._meter_key(meter, present),
            body=change_body(meter, new, ditk_digest=None),
        )

    def _asked_change(self, change: ChangeWork, *, message_id: str, now: datetime) -> Asked:
        return Asked(
            message_id=message_id,
            request_hash=self._seal.request_hash(change.body),
            meter_pan=change.plan.configuration.meter_pan,
            key=change.present or change.target,
            tid_minutes=None,
            credit_steps=0,
            at=now,
        )

    def _change_answer(
        self, change: ChangeWork, made: MadeTokens, *, message_id: str
    ) -> KeyChangeAnswer:
        plan = change.plan
        tokens = made.tokens or read_tokens(made.digits, change.source)
        return KeyChangeAnswer(
            message_id=message_id,
            tokens=tuple(
                IssuedToken(digits=digits, token=without_key_parts(token))
                for digits, token in zip(made.digits, tokens, strict=True)
            ),
            reasons=plan.reasons,
            rollover=plan.rollover,
            present_key=change.present,
            new_key=change.target,
            new_configuration=plan.configuration,
            sample_tables=self._uses_sample_tables(plan.configuration),
        )

    def _asked(
        self, meter: MeterConfiguration, request: TokenRequest, *, message_id: str, now: datetime
    ) -> tuple[Asked, MeterKey]:
        """Return a request as the journal sees it, and the meter's key."""
        require_message_id(message_id)
        key = self.vending_key(meter)
        require_fitting_key(meter, key)
        wanted = request.unrandomised
        asked = Asked(
            message_id=message_id,
            request_hash=self._seal.request_hash(issue_body(meter, wanted)),
            meter_pan=meter.meter_pan,
            key=key,
            tid_minutes=request.tid_minutes,
            credit_steps=credit_steps(wanted),
            at=now,
        )
        return asked, self._meter_key(meter, key)

    def _answer(
        self,
        meter: MeterConfiguration,
        request: TokenRequest,
        made: MadeTokens,
        *,
        asked: Asked,
        source: MeterKey,
    ) -> IssueAnswer:
        (token,) = made.tokens or read_tokens(made.digits, source)
        return IssueAnswer(
            message_id=asked.message_id,
            digits=made.digits[0],
            token=token,
            tid_minutes=request.tid_minutes,
            vending_key=asked.key,
            sample_tables=self._uses_sample_tables(meter),
        )

    def _journal(self, given: IssueJournal | None) -> IssueJournal:
        journal = given or self._own_journal
        if journal is None:
            raise NoJournalError
        return journal

    def _require_real_tables(self, meter: MeterConfiguration) -> None:
        if self._uses_sample_tables(meter) and not self._lab_mode:
            raise SampleTablesInProductionError

    def _uses_sample_tables(self, meter: MeterConfiguration) -> bool:
        return self._sample_tables and meter.encryption_algorithm is EncryptionAlgorithm.STA

    def _meter_key(self, meter: MeterConfiguration, key: RegisteredKey) -> MeterKey:
        return MeterKey(
            source=self._source,
            key=key,
            attributes=meter.key_attributes(key.record.base_date),
            sta_tables=self._sta_tables,
        )
