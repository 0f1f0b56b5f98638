"""The cipher of key load files: X25519, HKDF-SHA-256, AES-256-GCM, Ed25519.

An ephemeral X25519 pair is made for each file. What it agrees on with the module's public key gives
one AES key by HKDF, with both public keys as salt; under that, each vending key is sealed together
with all metadata. The centre signs the whole with Ed25519.
"""

from typing import Final, NoReturn, final

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keys.key_load_errors import (
    KeyLoadMismatchError,
    KeyLoadSignatureError,
    KeyLoadUnwrapError,
)
from keys.key_load_file import (
    KeyLoadFile,
    KeyLoadHeader,
    WrappedKey,
    signed_message,
    wrapping_context,
    wrapping_nonce,
)
from keys.module_identity import IdentityError
from keys.registered_key import RegisteredKey
from keys.secret import Secret
from sts import StsError, VendingKey

HKDF_INFO: Final = b"sts-vending key load file, version 1"
_AES_KEY_BYTES: Final = 32


@final
class EphemeralKey:
    """The X25519 pair of one key load file, on the centre's side."""

    __slots__ = ("_private", "public")

    def __init__(self, private: Secret) -> None:
        """Take over 32 random bytes."""
        self._private: Final = X25519PrivateKey.from_private_bytes(private.expose())
        self.public: Final = self._private.public_key().public_bytes_raw()

    def shared_secret(self, exchange_key: bytes) -> Secret:
        """Return what X25519 makes of this private key and a module's public one.

        Raises:
            IdentityError: A public key that gives the same secret to everybody.
        """
        try:
            return Secret(self._private.exchange(X25519PublicKey.from_public_bytes(exchange_key)))
        except ValueError:
            raise IdentityError("no secret can be agreed on with this public key") from None


@final
class KeyWrap:
    """The AES key of one key load file, on either side."""

    __slots__ = ("_aead", "_header")

    def __init__(self, header: KeyLoadHeader, exchange_key: bytes, *, shared: Secret) -> None:
        """Derive the key.

        Args:
            header: The header of the file; its ephemeral key takes part.
            exchange_key: The module's public key.
            shared: The secret that both sides agreed on.
        """
        material = HKDF(
            algorithm=hashes.SHA256(),
            length=_AES_KEY_BYTES,
            salt=header.ephemeral_key + exchange_key,
            info=HKDF_INFO,
        ).derive(shared.expose())
        self._header: Final = header
        self._aead: Final = AESGCM(material)

    def wrap(self, vending_key: VendingKey, key: RegisteredKey, *, position: int) -> WrappedKey:
        """Return a vending key wrapped, for its position in the list of the file."""
        context = wrapping_context(self._header, key)
        sealed = self._aead.encrypt(wrapping_nonce(position), vending_key.expose(), context)
        return WrappedKey(key=key, wrapped=sealed)

    def unwrap(self, wrapped: WrappedKey, *, position: int) -> VendingKey:
        """Return the vending key at this position in the list.

        Raises:
            KeyLoadUnwrapError: It was wrapped otherwise, or for another place.
            KeyLoadMismatchError: It has a length that no vending key has.
        """
        context = wrapping_context(self._header, wrapped.key)
        try:
            key = self._aead.decrypt(wrapping_nonce(position), wrapped.wrapped, context)
            return VendingKey(key)
        except InvalidTag:
            raise KeyLoadUnwrapError(str(wrapped.key.name)) from None
        except StsError:
            raise KeyLoadMismatchError(str(wrapped.key.name)) from None

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied."""
        raise TypeError("KeyWrap cannot be pickled")


def sign_file(
    header: KeyLoadHeader, keys: tuple[WrappedKey, ...], *, signing_key: Secret
) -> KeyLoadFile:
    """Return the file, signed by the centre's private key."""
    private = Ed25519PrivateKey.from_private_bytes(signing_key.expose())
    return KeyLoadFile(
        header=header, keys=keys, signature=private.sign(signed_message(header, keys))
    )


def require_signature(file: KeyLoadFile, signing_key: bytes) -> None:
    """Refuse a file that the owner of this public key did not sign as it is.

    Raises:
        KeyLoadSignatureError: Not signed, by another, or altered since.
    """
    try:
        Ed25519PublicKey.from_public_bytes(signing_key).verify(
            file.signature, signed_message(file.header, file.keys)
        )
    except InvalidSignature:
        raise KeyLoadSignatureError from None
