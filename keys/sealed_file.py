"""A file with a part that everybody with the file can read, and a part that needs a key.

The secret part is sealed with AES-256-GCM together with the header and the public part, so none of
the three can be exchanged for another. The header has a seal of its own (HMAC-SHA-256), which tells
a wrong passphrase from altered content. Both keys come by HKDF-SHA-256 from the key file, or from
what scrypt makes of the passphrase. What the file holds is the business of its ``kind``.
"""

import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keys.canonical_json import (
    CanonicalJsonError,
    JsonObject,
    JsonValue,
    canonical_bytes,
    read_json,
    readable_bytes,
)
from keys.errors import FileUnreadableError
from keys.file_lock import locked_beside
from keys.files import read_private, replace, write_new
from keys.json_fields import Fields
from keys.randomness import RandomBytes
from keys.sealed_file_errors import (
    SealedFileChangedError,
    SealedFileFormatError,
    SealedFileKeyError,
    SealedFileProtectionError,
    SealedFileTamperedError,
)
from keys.secret import Secret
from keys.unlock import Passphrase, ScryptCost, ScryptCostError, Unlock

FORMAT: Final = "sts-vending sealed file"
VERSION: Final = 1
KEY_FILE: Final = "key file"
PASSPHRASE: Final = "passphrase"  # noqa: S105 - the name of a kind of protection

_KEY_BYTES: Final = 32
_SALT_BYTES: Final = 16
_NONCE_BYTES: Final = 12
_LABEL: Final = b"sts-vending sealed file, version 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    """What must be known before anything can be opened; no scrypt cost means a key file."""

    kind: str
    cost: ScryptCost | None
    salt: bytes

    @property
    def protection(self) -> str:
        return KEY_FILE if self.cost is None else PASSPHRASE

    def body(self) -> dict[str, JsonValue]:
        scrypt: dict[str, JsonValue] = {}
        if self.cost is not None:
            scrypt = {"scrypt": {"n": self.cost.n, "r": self.cost.r, "p": self.cost.p}}
        named: dict[str, JsonValue] = {"format": FORMAT, "version": VERSION, "kind": self.kind}
        opened: dict[str, JsonValue] = {"protection": self.protection}
        return named | opened | scrypt | {"salt": self.salt.hex()}


class SealedFile:
    """An opened sealed file. Make one with ``create``, open one with ``open``.

    Attributes:
        public: The part that everybody can read, as it was sealed.
        secret: The part that needs the key.
    """

    __slots__ = ("_content", "_keys", "_path", "public", "secret")

    def __init__(self, path: Path, keys: "_Keys", *, public: JsonObject, secret: Secret) -> None:
        """Take over what has been checked."""
        self._path = path
        self._keys = keys
        self._content = b""
        self.public = public
        self.secret = secret

    @classmethod
    def create(
        cls,
        path: Path,
        kind: str,
        *,
        unlock: Unlock,
        public: JsonObject,
        secret: Secret,
        random_bytes: RandomBytes,
        cost: ScryptCost | None = None,
    ) -> Self:
        """Write a new file.

        Args:
            path: Where.
            kind: What it is, checked when it is opened.
            unlock: What opens it.
            public: What everybody can read.
            secret: What needs the key.
            random_bytes: Where random bytes come from.
            cost: How slow a passphrase is made; None for the default.

        Raises:
            FileExistsRefusedError: A file is in the way.
            FileUnreadableError: The operating system refuses.
        """
        slow = (cost or ScryptCost()) if isinstance(unlock, Passphrase) else None
        header = _Header(kind=kind, cost=slow, salt=random_bytes(_SALT_BYTES))
        created = cls(path, _Keys(header, unlock), public=public, secret=secret)
        created._content = created._keys.sealed(public, secret, nonce=random_bytes(_NONCE_BYTES))
        write_new(path, created._content)
        return created

    @classmethod
    def open(cls, path: Path, kind: str, *, unlock: Unlock) -> Self:
        """Open a file and check all of it.

        Raises:
            SealedFileFormatError: Not a sealed file of this kind.
            SealedFileProtectionError: A passphrase in the place of a key file, or the reverse.
            SealedFileKeyError: Another key, or an altered header.
            SealedFileTamperedError: The content was altered.
            UnsafeFileModeError, FileUnreadableError: The file cannot be used.
        """
        content = read_private(path)
        fields, header = _parse(content, kind)
        if isinstance(unlock, Passphrase) is (header.cost is None):
            raise SealedFileProtectionError(path, header.protection)
        keys = _Keys(header, unlock)
        if not hmac.compare_digest(keys.header_seal, fields.hexadecimal("header_seal")):
            raise SealedFileKeyError(path)
        public = _public_of(fields)
        try:
            secret = keys.unsealed(
                public, fields.hexadecimal("sealed"), nonce=fields.hexadecimal("nonce")
            )
        except InvalidTag:
            raise SealedFileTamperedError(path) from None
        opened = cls(path, keys, public=public, secret=secret)
        opened._content = content
        return opened

    def replace(self, public: JsonObject, secret: Secret, *, random_bytes: RandomBytes) -> None:
        """Put new content into the file at one instant.

        Raises:
            SealedFileChangedError: Another program wrote it since it was opened.
            FileLockedError: Another program is writing it.
            FileUnreadableError: The operating system refuses.
        """
        content = self._keys.sealed(public, secret, nonce=random_bytes(_NONCE_BYTES))
        try:
            with locked_beside(self._path):
                if read_private(self._path) != self._content:
                    raise SealedFileChangedError(self._path)
                replace(self._path, content)
        except OSError as error:
            raise FileUnreadableError(self._path, error.strerror) from error
        self._content, self.public, self.secret = content, public, secret


def read_public(path: Path, kind: str) -> JsonObject:
    """Return the public part without a key, and so without knowing whether anybody altered it.

    Raises:
        SealedFileFormatError: Not a sealed file of this kind.
        UnsafeFileModeError, FileUnreadableError: The file cannot be used.
    """
    fields, _ = _parse(read_private(path), kind)
    return _public_of(fields)


class _Keys:
    """The two keys of one file."""

    __slots__ = ("_aead", "_header", "_mac_key")

    def __init__(self, header: _Header, unlock: Unlock) -> None:
        if isinstance(unlock, Passphrase):
            assert header.cost is not None
            unlock = unlock.stretched(header.salt, header.cost)
        material = HKDF(
            algorithm=hashes.SHA256(), length=2 * _KEY_BYTES, salt=header.salt, info=_LABEL
        ).derive(unlock.expose())
        self._header = header
        self._aead = AESGCM(material[:_KEY_BYTES])
        self._mac_key = material[_KEY_BYTES:]

    @property
    def header_seal(self) -> bytes:
        """The seal of the header."""
        return hmac.digest(self._mac_key, canonical_bytes(self._header.body()), hashlib.sha256)

    def sealed(self, public: JsonObject, secret: Secret, *, nonce: bytes) -> bytes:
        """Return the whole file."""
        sealed = self._aead.encrypt(nonce, secret.expose(), self._context(public))
        return readable_bytes(
            {
                "header": self._header.body(),
                "header_seal": self.header_seal.hex(),
                "public": public,
                "nonce": nonce.hex(),
                "sealed": sealed.hex(),
            }
        )

    def unsealed(self, public: JsonObject, sealed: bytes, *, nonce: bytes) -> Secret:
        """Return the secret part, or raise ``InvalidTag``."""
        return Secret(self._aead.decrypt(nonce, sealed, self._context(public)))

    def _context(self, public: JsonObject) -> bytes:
        return canonical_bytes({"header": self._header.body(), "public": public})


def _parse(content: bytes, kind: str) -> tuple[Fields, _Header]:
    try:
        value = read_json(content)
    except CanonicalJsonError as error:
        _refuse(str(error))
    if readable_bytes(value) != content:
        _refuse("the JSON is not written as this program writes it")
    fields = _fields("the file", value, ("header", "header_seal", "public", "nonce", "sealed"))
    fields.hexadecimal("header_seal", size=_KEY_BYTES)
    fields.hexadecimal("nonce", size=_NONCE_BYTES)
    return fields, _parse_header(fields.raw("header"), kind)


def _parse_header(value: JsonValue, kind: str) -> _Header:
    names = ("format", "version", "kind", "protection", "salt")
    has_scrypt = isinstance(value, dict) and "scrypt" in value
    fields = _fields("the header", value, (*names, "scrypt") if has_scrypt else names)
    if (fields.raw("format"), fields.raw("version")) != (FORMAT, VERSION):
        _refuse("another format or version")
    if fields.raw("kind") != kind:
        _refuse(f"this is no {kind}")
    if fields.raw("protection") != (PASSPHRASE if has_scrypt else KEY_FILE):
        _refuse("the file is opened by something that this program does not know")
    cost = _scrypt_cost(fields.raw("scrypt")) if has_scrypt else None
    return _Header(kind=kind, cost=cost, salt=fields.hexadecimal("salt", size=_SALT_BYTES))


def _scrypt_cost(value: JsonValue) -> ScryptCost:
    scrypt = _fields("scrypt", value, ("n", "r", "p"))
    try:
        return ScryptCost(n=scrypt.number("n"), r=scrypt.number("r"), p=scrypt.number("p"))
    except ScryptCostError as error:
        _refuse(str(error))


def _public_of(fields: Fields) -> JsonObject:
    public = fields.raw("public")
    if not isinstance(public, dict):
        _refuse("the public part is not an object")
    return public


def _fields(where: str, value: JsonValue, names: tuple[str, ...]) -> Fields:
    return Fields(where, value, names=names, refuse=SealedFileFormatError)


def _refuse(reason: str) -> NoReturn:
    raise SealedFileFormatError(f"not a sealed file: {reason}")
