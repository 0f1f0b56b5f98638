"""What every security module does, whatever it is made of: requests in, tokens out.

The protocol is token-level, as real STS modules are. A caller names a meter, the key that the meter
holds and what to say; the module finds the vending key, makes the token, decodes it afresh and
compares. So the caller never has a key, and no token leaves that does not say what was asked for.

A message id is the caller's name for a request. The same id and the same request get the same
answer, also after a crash; the same id with another request is refused.
"""

from datetime import datetime
from typing import Protocol

from keys.answers import IssueAnswer, KeyChangeAnswer, ModuleStatus, Verification
from keys.bulk_access import BulkAccess
from keys.journal import IssueJournal
from keys.registered_key import RegisteredKey
from keys.requests import MeterConfiguration, NewKey, TokenRequest
from sts import DecoderKey


class SecurityModule(Protocol):
    """The only place where vending keys are used."""

    def issue(
        self,
        meter: MeterConfiguration,
        request: TokenRequest,
        *,
        message_id: str,
        now: datetime,
        journal: IssueJournal | None = None,
    ) -> IssueAnswer:
        """Make one credit or management token.

        Args:
            meter: The meter and the key in it.
            request: What the token is to say.
            message_id: The caller's name for the request, the same again for the same request.
            now: The present time, aware.
            journal: Where to write the answer down instead of the module's own journal; the
                caller commits. Only for modules with the capability ``shared_journal``.

        Raises:
            KeysError: The key is unknown, another tenant's, of a wrong type, not active yet or no
                longer to be used; the credit limit is reached; the message id came with another
                request; or the token made is not the token asked for.
            StsError: The key has expired, the token identifier has been used, the tables are the
                SAMPLE set outside lab mode, or an argument has no code in a token.
        """
        ...

    def fetch(
        self, meter: MeterConfiguration, request: TokenRequest, *, message_id: str, now: datetime
    ) -> IssueAnswer | None:
        """Return the answer of an earlier ``issue`` from the module's own journal; never make one.

        This is how a caller whose connection broke finds out whether there is a token.

        Args:
            meter: As it was then.
            request: What was asked for.
            message_id: The name that it was given.
            now: The present time, aware.

        Returns:
            The answer, or None if the module never gave one.

        Raises:
            KeysError: The key is unknown, another tenant's or of a wrong type; or the message id
                came with another request.
        """
        ...

    def fetch_key_change(
        self, meter: MeterConfiguration, new: NewKey, *, message_id: str, now: datetime
    ) -> KeyChangeAnswer | None:
        """Return the answer of an earlier ``change_key``, as ``fetch`` does; never make one.

        Raises:
            KeysError: As for ``fetch``.
        """
        ...

    def change_key(
        self,
        meter: MeterConfiguration,
        new: NewKey,
        *,
        message_id: str,
        now: datetime,
        journal: IssueJournal | None = None,
    ) -> KeyChangeAnswer:
        """Make the two, three or four tokens that bring a meter to another key.

        All that changes goes into one set, and the rollover bit is set exactly when the base date
        changes. The present key may have expired, the new one may not.

        Args:
            meter: The meter and the key in it.
            new: The key that it is to have.
            message_id: As for ``issue``.
            now: As for ``issue``.
            journal: As for ``issue``.

        Raises:
            KeysError: As for ``issue``.
            KeyChangeError: Nothing would change, the type of key may not follow the present one,
                the new key has expired, or its algorithm does not fit.
            StsError: As for ``issue``.
        """
        ...

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
        """Make the tokens that bring a new meter from the maker's own key to a derived one.

        Args:
            meter: The meter, with a key of type 0.
            ditk: The maker's key in it.
            new: The key that it is to have.
            message_id: As for ``issue``.
            now: As for ``issue``.
            journal: As for ``issue``.

        Raises:
            NotCommissioningError: The module is neither a laboratory's nor a meter factory's.
            NotInitialisationKeyError: The meter is not said to hold a key of type 0.
            KeysError, KeyChangeError, StsError: As for ``change_key``.
        """
        ...

    def verify(self, meter: MeterConfiguration, digits: str, *, now: datetime) -> Verification:
        """Tell what a token says to a meter, or why the meter does not accept it.

        What only the meter knows, such as the token identifiers it has stored, is left out.

        Args:
            meter: The meter and the key in it.
            digits: 20 digits; spaces and dashes are ignored.
            now: The present time, aware.

        Raises:
            KeysError: The key is unknown, another tenant's or of a wrong type.
        """
        ...

    def vending_key(self, meter: MeterConfiguration) -> RegisteredKey:
        """Return the metadata of the vending key that serves a meter.

        Raises:
            UnknownKeyError: The module holds no such key.
            AnotherTenantsKeyError: It does, but not for the tenant of this meter.
        """
        ...

    def revisions(self, meter: MeterConfiguration) -> tuple[RegisteredKey, ...]:
        """Return the metadata of the vending keys of all revisions of a meter's supply group.

        Args:
            meter: The meter; its own revision does not matter.

        Returns:
            Those of its tenant that the module has for it, in no order; perhaps none.
        """
        ...

    def bulk_access(self) -> BulkAccess:
        """Return what operations on whole fleets need; only ``keys.bulk`` calls it.

        Raises:
            NoBulkError: The module makes tokens one at a time (capability ``bulk``).
        """
        ...

    def lab_decoder_key(
        self, meter: MeterConfiguration, *, now: datetime
    ) -> tuple[RegisteredKey, DecoderKey]:
        """Return the key in a meter, and the vending key's metadata; only for ``keys.meter_file``.

        Raises:
            LabModuleOnlyError: The module serves real meters, whose keys never leave.
            KeysError: The key is unknown, another tenant's, of a wrong type, not active yet or no
                longer to be used.
            StsError: The key has expired, or its algorithm makes no such key.
        """
        ...

    def status(self) -> ModuleStatus:
        """Return what the module says of itself."""
        ...
