"""Making tokens under a meter's key, each decoded afresh and compared before it may leave."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple, Protocol

from keys.errors import TokenMismatchError
from keys.journal import MadeTokens
from keys.registered_key import RegisteredKey
from sts import (
    BlockCipher,
    DecoderKey,
    EncryptionAlgorithm,
    KeyAttributes,
    StaTables,
    Token,
    decode,
    encode,
    new_cipher,
)


class DecoderKeys(Protocol):
    """Makes decoder keys; called anew for each use, so that a wrong one shows."""

    def decoder_key(self, key: RegisteredKey, attributes: KeyAttributes) -> DecoderKey:
        """Return the decoder key of a meter under a vending key."""
        ...


class MeterKey(NamedTuple):
    """The key in a meter, to be made whenever it is needed.

    Attributes:
        source: Who makes it.
        key: The vending key.
        attributes: What decides it besides.
        sta_tables: The tables for EA07.
    """

    source: DecoderKeys
    key: RegisteredKey
    attributes: KeyAttributes
    sta_tables: StaTables

    def cipher(self) -> BlockCipher:
        """Return the meter's cipher under a key made afresh."""
        made = self.source.decoder_key(self.key, self.attributes)
        return new_cipher(self.attributes.encryption_algorithm, made, sta_tables=self.sta_tables)


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenKey:
    """A maker's own key, as the maker gave it.

    Attributes:
        key: The key.
        encryption_algorithm: The cipher in the meter.
        sta_tables: The tables for EA07.
    """

    key: DecoderKey
    encryption_algorithm: EncryptionAlgorithm
    sta_tables: StaTables

    def cipher(self) -> BlockCipher:
        """Return the meter's cipher, prepared afresh."""
        return new_cipher(self.encryption_algorithm, self.key, sta_tables=self.sta_tables)


class CipherSource(Protocol):
    """Prepares the cipher of one meter as often as it is asked to."""

    def cipher(self) -> BlockCipher:
        """Return a cipher that shares nothing with the one before."""
        ...


def make_tokens(
    tokens: Sequence[Token], source: CipherSource, *, random_bits: int = 0
) -> MadeTokens:
    """Return the digits of tokens, and what they say when they are decoded afresh.

    Raises:
        TokenMismatchError: Decoded under a cipher prepared afresh, one says something else.
    """
    cipher = source.cipher()
    digits = tuple([encode(token, cipher) for token in tokens])
    decoded = read_tokens(digits, source)
    for made, read in zip(tokens, decoded, strict=True):
        require_same(made, read)
    return MadeTokens(random_bits=random_bits, digits=digits, tokens=decoded)


def read_tokens(digits: Sequence[str], source: CipherSource) -> tuple[Token, ...]:
    """Return what digits say under a meter's key."""
    cipher = source.cipher()
    return tuple([decode(each, cipher) for each in digits])


def require_same(made: Token, decoded: Token) -> None:
    """Compare field by field what was made with what the digits say.

    Raises:
        TokenMismatchError: They differ. The error names the field and neither of its values.
    """
    if made == decoded:
        return
    if type(made) is not type(decoded):
        raise TokenMismatchError("kind of token")
    differing = next(
        field.name
        for field in fields(made)
        if getattr(made, field.name) != getattr(decoded, field.name)
    )
    raise TokenMismatchError(differing)
