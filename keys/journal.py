"""What was issued under which message id: the promise that one request has one answer.

A module looks a message id up before it makes tokens, and writes them down before it hands them
out, all in one transaction. Where the entries are kept is not its business: in a file of the module
(``keys.journal_file``), or in the database of a caller, within the transaction that the caller has
open. Whoever keeps them learns no token: those are encrypted under the module's journal key, bound
to the tenant, the message id, the meter and the request.

Entries and the like are named tuples: a frozen dataclass takes twice as long to build, and several
are built for every token.
"""

import hmac
import secrets
from contextlib import AbstractContextManager
from datetime import datetime
from hashlib import sha256
from typing import Final, NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from keys.errors import MessageIdError, MessageIdReusedError
from keys.journal_errors import JournalTamperedError
from keys.registered_key import KeyName
from keys.secret import Secret
from sts import BaseDate, MeterPan, Token

LONGEST_MESSAGE_ID: Final = 200
TOKEN_DIGITS: Final = 20
_NONCE_BYTES: Final = 12
_RANDOM_BITS_DIGITS: Final = 2


class JournalEntry(NamedTuple):
    """One answered request.

    Attributes:
        message_id: The tenant's name for the request.
        request_hash: Keyed hash of what was asked for, hexadecimal.
        meter_pan: For which meter.
        key: Under which key; its tenant is whose request it was.
        base_date: What the token identifier counts from.
        tid_minutes: The token identifier; None for a key change, which has none.
        credit_units: The credit in 0.00001 of the currency; 0 for everything else.
        sealed: Nonce, random bits and tokens, encrypted.
        made_at: When.
    """

    message_id: str
    request_hash: str
    meter_pan: MeterPan
    key: KeyName
    base_date: BaseDate
    tid_minutes: int | None
    credit_units: int
    sealed: bytes
    made_at: datetime

    @property
    def context(self) -> bytes:
        """What the tokens are bound to: everything else that the entry says, but when."""
        return entry_context(
            self.key,
            self.message_id,
            request_hash=self.request_hash,
            meter_pan=self.meter_pan,
            base_date=self.base_date,
            tid_minutes=self.tid_minutes,
            credit_units=self.credit_units,
        )


class KeyUsage(NamedTuple):
    """How much was made under one vending key.

    Attributes:
        tokens: How many answers, a key change counting as one.
        credit_units: How much credit, in 0.00001 of the currency.
    """

    tokens: int
    credit_units: int


class LookedUp(NamedTuple):
    """What a journal knows of a request before it is answered.

    Attributes:
        entry: The entry of its message id; None if the request is new.
        tid_is_used: Whether there is an entry of its meter, base date and token identifier.
    """

    entry: JournalEntry | None
    tid_is_used: bool


class IssueJournal(Protocol):
    """Where entries are kept."""

    def transaction(self) -> AbstractContextManager["JournalTransaction"]:
        """Begin a transaction; it is durable when the context ends without an error.

        Nobody else may write an entry of the same tenant meanwhile that this one would have to
        see: an implementation either locks, or refuses one of the two when it is written.
        """
        ...


class JournalTransaction(IssueJournal, Protocol):
    """An open transaction. As a journal it stands for itself, so a group is one transaction."""

    def find(self, tenant: str, message_id: str) -> JournalEntry | None:
        """Return the entry of a message id, or None if the request is new."""
        ...

    def look_up(
        self, tenant: str, message_id: str, *, meter_pan: MeterPan, base_date: BaseDate, tid: int
    ) -> LookedUp:
        """Find the entry of a message id, and whether a token identifier has been used for a meter.

        In one step: for most requests it is all that is read.
        """
        ...

    def credit_used(self, key: KeyName) -> int:
        """Return how much credit was made under a vending key, in 0.00001 of the currency.

        Nobody else makes any under this key until the transaction ends.
        """
        ...

    def add(self, entry: JournalEntry) -> None:
        """Take an entry; it is durable when the transaction has ended, all of it or nothing."""
        ...


class MadeTokens(NamedTuple):
    """The tokens of one answer.

    Attributes:
        random_bits: The random bits in them, kept with the digits.
        digits: Twenty digits each.
        tokens: What they say, decoded when they were made; empty when they come from a journal.
    """

    random_bits: int
    digits: tuple[str, ...]
    tokens: tuple[Token, ...] = ()


class JournalSeal:
    """Encrypts and hashes with the journal key of one module."""

    __slots__ = ("_aead", "_mac")

    def __init__(self, key: Secret) -> None:
        """Take the 32 bytes of the journal key."""
        material = key.expose()
        self._aead = AESGCM(hmac.digest(material, b"seal", sha256))
        # Copied for each message: to key an HMAC takes several times what a short message does.
        self._mac = HMAC(hmac.digest(material, b"request", sha256), SHA256())

    def request_hash(self, request: bytes) -> str:
        """Return the keyed hash of a request; without the key nobody can guess the request."""
        return self._keyed_hash(b"request\0" + request)

    def digest(self, secret: bytes) -> str:
        """Return a keyed hash that can stand for a secret in a request."""
        return self._keyed_hash(b"secret\0" + secret)

    def sealed(self, made: MadeTokens, context: bytes) -> bytes:
        """Return nonce and cipher text."""
        random_bits = str(made.random_bits).zfill(_RANDOM_BITS_DIGITS)
        clear = "".join((random_bits, *made.digits)).encode("ascii")
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, clear, context)

    def unsealed(self, sealed: bytes, context: bytes) -> MadeTokens:
        """Return what was sealed.

        Raises:
            JournalTamperedError: Altered, or sealed under another key or for another entry.
        """
        nonce, cipher_text = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            clear = self._aead.decrypt(nonce, cipher_text, context).decode("ascii")
        except (InvalidTag, ValueError):
            raise JournalTamperedError from None
        tokens = clear[_RANDOM_BITS_DIGITS:]
        return MadeTokens(
            random_bits=int(clear[:_RANDOM_BITS_DIGITS]),
            digits=tuple(
                tokens[at : at + TOKEN_DIGITS] for at in range(0, len(tokens), TOKEN_DIGITS)
            ),
        )

    def _keyed_hash(self, message: bytes) -> str:
        mac = self._mac.copy()
        mac.update(message)
        return mac.finalize().hex()


def entry_context(
    key: KeyName,
    message_id: str,
    *,
    request_hash: str,
    meter_pan: MeterPan,
    base_date: BaseDate,
    tid_minutes: int | None,
    credit_units: int,
) -> bytes:
    """Return what the tokens of an entry are bound to, see ``JournalEntry``."""
    # No part but the tenant and the message id can hold a line feed, and those are printable.
    return (
        f"{key.tenant}\n{message_id}\n{request_hash}\n{meter_pan.digits}\n"
        f"{str(key.supply_group_code.number).zfill(6)}\n{key.key_revision_number.number}\n"
        f"{base_date.year}\n{tid_minutes}\n{credit_units}"
    ).encode()


def require_message_id(message_id: str) -> None:
    """Refuse what cannot name a message.

    Raises:
        MessageIdError: Empty, too long, or not printable.
    """
    if not 0 < len(message_id) <= LONGEST_MESSAGE_ID or not message_id.isprintable():
        raise MessageIdError(LONGEST_MESSAGE_ID)


def require_same_request(entry: JournalEntry, request_hash: str) -> None:
    """Refuse an entry that answers another request.

    Raises:
        MessageIdReusedError: It does.
    """
    if not hmac.compare_digest(entry.request_hash, request_hash):
        raise MessageIdReusedError
