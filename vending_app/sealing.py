"""The key that seals checkpoints of the books: made once, kept in the data directory.

``ledger-seal.key`` is the private half, readable for its owner alone. ``ledger-seal.pub`` is the
public half in hexadecimal: auditors keep a copy of it, and check with it what they are shown.
"""

from pathlib import Path
from typing import Final

from keys.chain_seal import Ed25519SealKey, Ed25519SealVerifier
from keys.errors import FileUnreadableError, KeyFileError
from keys.files import create_key_file, read_key_file, write_new
from keys.module_identity import parse_identity

KEY_FILE: Final = "ledger-seal.key"
PUBLIC_FILE: Final = "ledger-seal.pub"


def seal_key(data_dir: Path) -> Ed25519SealKey:
    """Return the key of an installation, made if there is none.

    Raises:
        KeysError: The file cannot be used.
    """
    path = data_dir / KEY_FILE
    secret = read_key_file(path) if path.exists() else create_key_file(path)
    key = Ed25519SealKey(secret)
    public = data_dir / PUBLIC_FILE
    if not public.exists():
        write_new(public, f"{key.public_key.hex()}\n".encode("ascii"))
    return key


def read_public_key(path: Path) -> Ed25519SealVerifier:
    """Read the public half of a key.

    Raises:
        KeyFileError: Not 32 bytes in hexadecimal.
        FileUnreadableError: It cannot be read.
    """
    try:
        return Ed25519SealVerifier(public_bytes(path))
    except ValueError:
        raise KeyFileError(path) from None


def public_bytes(path: Path) -> bytes:
    """Return the bytes of a public key: of a ``.pub`` file, or of a security module's identity.

    Raises:
        KeyFileError: Neither hexadecimal nor an identity.
        IdentityError: An identity that is not whole.
        FileUnreadableError: It cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileUnreadableError(path, error.strerror) from error
    if content.startswith(b"{"):
        return parse_identity(content).audit_key
    try:
        return bytes.fromhex(content.decode("ascii"))
    except ValueError:
        raise KeyFileError(path) from None
