"""What a security module answers: tokens, what they say, and what it says of itself."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from keys.registered_key import RegisteredKey
from keys.requests import MeterConfiguration
from sts import (
    Set1stSectionDecoderKey,
    Set2ndSectionDecoderKey,
    Set3rdSectionDecoderKey,
    Set4thSectionDecoderKey,
    Token,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """A token and proof of what it says.

    Attributes:
        digits: The 20 digits.
        token: The fields, from an independent decode of the digits. In the tokens of a key change
            the parts of the new key are zero: no key leaves the module.
    """

    digits: str
    token: Token


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueAnswer:
    """One token for one request.

    Attributes:
        message_id: The caller's name for the request.
        digits: The 20 digits.
        token: The fields, from an independent decode of the digits.
        tid_minutes: The token identifier.
        vending_key: Metadata of the vending key that served.
        sample_tables: Whether the printed SAMPLE tables made the token: not for real meters.
    """

    message_id: str
    digits: str
    token: Token
    tid_minutes: int
    vending_key: RegisteredKey
    sample_tables: bool


class ChangeReason(StrEnum):
    """What a key change changes; one set serves for all of it."""

    COMMISSIONING = "commissioning"
    SUPPLY_GROUP = "supply-group"
    KEY_REVISION = "key-revision"
    TARIFF_INDEX = "tariff-index"
    KEY_TYPE = "key-type"
    BASE_DATE = "base-date"
    KEY_EXPIRY = "key-expiry"
    ALGORITHM = "algorithm"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChangeAnswer:
    """The tokens that bring a meter to another key.

    Attributes:
        message_id: The caller's name for the request.
        tokens: Two, three or four, in the order in which they are numbered.
        reasons: What changes.
        rollover: Whether token identifiers start anew with another base date.
        present_key: Metadata of the vending key of the meter's present key; None for a maker's.
        new_key: Metadata of the vending key of its new key.
        new_configuration: What the meter is once it has taken the tokens.
        tid_minutes: None: the tokens of a key change have no token identifier.
        sample_tables: Whether the printed SAMPLE tables made the tokens: not for real meters.
    """

    message_id: str
    tokens: tuple[IssuedToken, ...]
    reasons: tuple[ChangeReason, ...]
    rollover: bool
    present_key: RegisteredKey | None
    new_key: RegisteredKey
    new_configuration: MeterConfiguration
    sample_tables: bool
    tid_minutes: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptableToken:
    """A token that the meter can accept, as far as its key decides that.

    Attributes:
        token: What it says; of a key change, without the parts of the new key.
        issued_at: The minute of its token identifier, in UTC; None if it has none.
        age_minutes: How long ago that is; negative in the future.
    """

    token: Token
    issued_at: datetime | None
    age_minutes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnacceptableToken:
    """Digits that the meter refuses.

    Attributes:
        code: The code of the error that says why.
        reason: The same in words.
        token: What it says, if it is authentic.
    """

    code: str
    reason: str
    token: Token | None


Verification: TypeAlias = AcceptableToken | UnacceptableToken
"""What ``verify`` finds."""


class TidMode(StrEnum):
    """Who chooses token identifiers."""

    CALLER = "caller"
    MODULE = "module"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a module can do.

    Attributes:
        tid_mode: Who chooses token identifiers.
        holds_sta_tables: Whether it makes tokens for EA07 with licensed tables.
        bulk: Whether it makes tokens for a whole fleet as one use.
        verify: Whether it verifies tokens.
        commission: Whether it moves meters away from the maker's initialisation key.
        shared_journal: Whether it writes into the journal of a caller's open transaction.
        production: Whether it serves real meters.
    """

    tid_mode: TidMode
    holds_sta_tables: bool
    bulk: bool
    verify: bool
    commission: bool
    shared_journal: bool
    production: bool

    @property
    def chooses_tid(self) -> bool:
        """Whether the module chooses token identifiers itself."""
        return self.tid_mode is TidMode.MODULE


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldKey:
    """A key that a module holds, without its bytes.

    Attributes:
        key: Its metadata.
        bits: How long it is.
        odd_parity: Of a 64-bit key, whether every byte has odd parity as a DES key should; None
            for others.
    """

    key: RegisteredKey
    bits: int
    odd_parity: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleStatus:
    """What a module says of itself.

    Attributes:
        kind: What it is made of, ``software`` for one.
        lab_mode: Whether it serves trials only: SAMPLE tables are allowed here.
        sta_tables_name: The EA07 tables in use.
        sta_tables_fingerprint: SHA-256 of the file that they were read from.
        sample_tables: Whether those are the printed SAMPLE tables.
        capabilities: What it can do.
        keys: The keys it holds.
    """

    kind: str
    lab_mode: bool
    sta_tables_name: str
    sta_tables_fingerprint: str
    sample_tables: bool
    capabilities: Capabilities
    keys: tuple[HeldKey, ...]

    @property
    def vending_keys(self) -> int:
        """How many keys it holds."""
        return len(self.keys)


def without_key_parts(token: Token) -> Token:
    """Return a token as it may leave the module: with zero for every part of a decoder key."""
    match token:
        case Set1stSectionDecoderKey():
            return replace(token, new_key_high=0)
        case Set2ndSectionDecoderKey():
            return replace(token, new_key_low=0)
        case Set3rdSectionDecoderKey():
            return replace(token, new_key_middle_2=0)
        case Set4thSectionDecoderKey():
            return replace(token, new_key_middle_1=0)
        case _:
            return token
