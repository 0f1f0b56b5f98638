"""The keys of a token under which vending keys are brought in, kept and sealed.

=============  ===============================  =================================================
key            kind                             for
=============  ===============================  =================================================
seal key       256-bit secret, HMAC             seals of records, the journal key
storage key    AES-256, wraps and unwraps       vending keys that can only be used outside
import key     RSA-3072, unwraps                bringing keys in: the token unwraps what was
                                                encrypted outside under the public half
=============  ===============================  =================================================

All are made inside, sensitive and not extractable. So is, with one exception, every vending key:
it comes in by ``C_UnwrapKey`` and never by ``C_CreateObject``, which takes keys in clear. RSA-OAEP
is the one mechanism for this that every library has; SoftHSM 2.6 has it with SHA-1 only.

The exception is a key of DKGA02 or DKGA03. It is unwrapped as an object of the session only, and
wrapped under the storage key by AES key wrap (RFC 3394), filled up to 16 bytes, which is the least
that this takes. What is stored is that.
"""

from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from pkcs11.constants import Attribute, MechanismFlag, ObjectClass
from pkcs11.mechanisms import MGF, KeyType, Mechanism
from pkcs11.types import Key, Object, SignMixin, UnwrapMixin, WrapMixin

from keys.pkcs11.errors import HsmNotPreparedError, HsmPreparedError
from keys.pkcs11.session import OpenToken
from keys.pkcs11.settings import HsmSettings, OaepHash
from keys.secret import Secret

SEAL_KEY: Final = b"sts-vending seal"
STORAGE_KEY: Final = b"sts-vending storage"
IMPORT_KEY: Final = b"sts-vending import"
SEAL_KEY_BYTES: Final = 32
_AES_BITS: Final = 256
_RSA_BITS: Final = 3072
_LEAST_WRAPPED: Final = 16
_LEAST_HMAC_KEY: Final = 32

_KEPT: Final[Mapping[Attribute, Any]] = {
    Attribute.SENSITIVE: True,
    Attribute.EXTRACTABLE: False,
    Attribute.PRIVATE: True,
    Attribute.MODIFIABLE: False,
}
_PASSING: Final[Mapping[Attribute, Any]] = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: True}
_LEAVING: Final[Mapping[Attribute, Any]] = {Attribute.SENSITIVE: False, Attribute.EXTRACTABLE: True}


def make_custody_keys(
    token: OpenToken, settings: HsmSettings, *, shared_seal_key: Secret | None
) -> None:
    """Make the three keys in a token that has none of them.

    Raises:
        HsmPreparedError: It has one.
    """
    session = token.session
    for identifier in (SEAL_KEY, STORAGE_KEY, IMPORT_KEY):
        if list(session.get_objects({Attribute.ID: identifier})):
            raise HsmPreparedError
    session.generate_keypair(
        KeyType.RSA,
        _RSA_BITS,
        id=IMPORT_KEY,
        label=IMPORT_KEY.decode("ascii"),
        store=True,
        capabilities=MechanismFlag.WRAP | MechanismFlag.UNWRAP,
        public_template={Attribute.MODIFIABLE: False},
        private_template=dict(_KEPT),
    )
    session.generate_key(
        KeyType.AES,
        _AES_BITS,
        id=STORAGE_KEY,
        label=STORAGE_KEY.decode("ascii"),
        store=True,
        capabilities=MechanismFlag.WRAP | MechanismFlag.UNWRAP,
        template=dict(_KEPT),
    )
    # The seal key last: with it, the token counts as prepared.
    if shared_seal_key is not None:
        import_hmac_key(token, shared_seal_key.expose(), settings, identifier=SEAL_KEY)
        return
    session.generate_key(
        KeyType.GENERIC_SECRET,
        SEAL_KEY_BYTES * 8,
        id=SEAL_KEY,
        label=SEAL_KEY.decode("ascii"),
        store=True,
        capabilities=MechanismFlag.SIGN,
        template=dict(_KEPT),
    )


def seal(token: OpenToken, label: bytes, message: bytes) -> bytes:
    """Return HMAC-SHA-256 of a message under the token's seal key, for one purpose.

    Raises:
        HsmNotPreparedError: There is no such key.
    """
    key = token.find(SEAL_KEY)
    if not isinstance(key, SignMixin) or not is_kept(key):
        raise HsmNotPreparedError
    return hmac_of(key, label + b"\0" + message)


def hmac_of(key: SignMixin, message: bytes) -> bytes:
    """Return HMAC-SHA-256 of a message under a key of the token."""
    return bytes(key.sign(message, mechanism=Mechanism.SHA256_HMAC))


def is_kept(key: Object) -> bool:
    """Tell whether a key can never leave the token."""
    return bool(key[Attribute.SENSITIVE]) and not key[Attribute.EXTRACTABLE]


def import_hmac_key(
    token: OpenToken, key: bytes, settings: HsmSettings, *, identifier: bytes, label: str = ""
) -> Key:
    """Bring an HMAC key in for good and return it; it comes in wrapped."""
    material = key.ljust(_LEAST_HMAC_KEY, b"\0") if settings.pad_hmac_keys else key
    return _unwrapped(
        token,
        material,
        settings,
        id=identifier,
        label=label or identifier.decode("ascii"),
        store=True,
        capabilities=MechanismFlag.SIGN,
        template=dict(_KEPT),
    )


def wrap_for_storage(token: OpenToken, key: bytes, settings: HsmSettings) -> bytes:
    """Return a key wrapped under the storage key; it comes in wrapped, and stays in no object."""
    storage_key = token.find(STORAGE_KEY)
    if not isinstance(storage_key, WrapMixin):
        raise HsmNotPreparedError
    passing = _unwrapped(
        token,
        key.ljust(_LEAST_WRAPPED, b"\0"),
        settings,
        store=False,
        capabilities=MechanismFlag.SIGN,
        template=dict(_PASSING),
    )
    try:
        return bytes(storage_key.wrap_key(passing, mechanism=Mechanism.AES_KEY_WRAP))
    finally:
        passing.destroy()


def take_out(token: OpenToken, wrapped: bytes, *, size: int) -> bytes:
    """Return a key that was wrapped for storage, in clear. The one way for a key to leave."""
    storage_key = token.find(STORAGE_KEY)
    if not isinstance(storage_key, UnwrapMixin):
        raise HsmNotPreparedError
    leaving = storage_key.unwrap_key(
        ObjectClass.SECRET_KEY,
        KeyType.GENERIC_SECRET,
        wrapped,
        mechanism=Mechanism.AES_KEY_WRAP,
        store=False,
        capabilities=MechanismFlag.SIGN,
        template=dict(_LEAVING),
    )
    try:
        return bytes(leaving[Attribute.VALUE])[:size]
    finally:
        leaving.destroy()


def _unwrapped(token: OpenToken, key: bytes, settings: HsmSettings, **options: Any) -> Key:
    """Encrypt a key under the import key's public half and have the token unwrap it."""
    public = token.find(IMPORT_KEY, ObjectClass.PUBLIC_KEY)
    private = token.find(IMPORT_KEY, ObjectClass.PRIVATE_KEY)
    if public is None or not isinstance(private, UnwrapMixin):
        raise HsmNotPreparedError
    algorithm, mechanism, mgf = _OAEP[settings.oaep_hash]
    numbers = RSAPublicNumbers(
        int.from_bytes(public[Attribute.PUBLIC_EXPONENT], "big"),
        int.from_bytes(public[Attribute.MODULUS], "big"),
    )
    oaep = OAEP(mgf=MGF1(algorithm), algorithm=algorithm, label=None)
    return private.unwrap_key(
        ObjectClass.SECRET_KEY,
        KeyType.GENERIC_SECRET,
        numbers.public_key().encrypt(key, oaep),
        mechanism=Mechanism.RSA_PKCS_OAEP,
        mechanism_param=(mechanism, mgf, None),  # type: ignore[arg-type]  # of OAEP, a tuple
        **options,
    )


_OAEP: Final = {
    OaepHash.SHA_1: (hashes.SHA1(), Mechanism.SHA_1, MGF.SHA1),  # noqa: S303 - not weak in OAEP
    OaepHash.SHA_256: (hashes.SHA256(), Mechanism.SHA256, MGF.SHA256),
}
