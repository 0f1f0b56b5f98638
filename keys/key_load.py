"""Bringing vending keys from a key centre to one security module, and nowhere else.

``issue`` is the centre's side, ``load`` the module's. A file that is refused has changed nothing;
one that is loaded gives the keys for the vault, and what to remember of the centre. Store the keys
first and remember the file then: a crash between the two lets the same file be loaded once more,
which is harmless, while the other order could lose it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from keys.check_values import CheckValueError, require_check_value
from keys.key_load_errors import (
    AnotherModulesFileError,
    KeyLoadExpiredError,
    KeyLoadMismatchError,
    KeyLoadNotYetValidError,
    KeyLoadReplayedError,
    KeyLoadUnwrapError,
    RevokedCentreError,
    UnknownCentreError,
)
from keys.key_load_file import (
    KeyLoadFile,
    KeyLoadHeader,
    Party,
    format_key_load_file,
    parse_key_load_file,
)
from keys.key_wrap import EphemeralKey, KeyWrap, require_signature, sign_file
from keys.module_identity import KEY_BYTES, IdentityError, ModuleIdentity, PublicIdentity
from keys.randomness import RandomBytes
from keys.registered_key import RegisteredKey
from keys.secret import Secret
from keys.trusted_centres import CentreIdentity, TrustedCentre
from sts import KeyDerivation, StsError, VendingKey
from sts.token_identifier import require_utc

CLOCK_TOLERANCE: Final = timedelta(minutes=5)
"""How far the clock of a centre may be ahead of that of a module."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyInTransit:
    """A vending key on its way between a vault and a key load file."""

    key: RegisteredKey
    vending_key: VendingKey


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedFile:
    """What a module takes from a key load file.

    Attributes:
        header: Who made it, when, and which of the centre's files it is.
        keys: The keys, for the vault.
        centre: The centre, remembering this file.
    """

    header: KeyLoadHeader
    keys: tuple[KeyInTransit, ...]
    centre: TrustedCentre


def issue(
    keys: Iterable[KeyInTransit],
    module: PublicIdentity,
    *,
    centre: CentreIdentity,
    signing_key: Secret,
    serial_number: int,
    now: datetime,
    expires_at: datetime,
    random_bytes: RandomBytes,
) -> bytes:
    """Return a key load file for one module.

    Args:
        keys: What it brings.
        module: Who it is for.
        centre: Who makes it.
        signing_key: The private key of the centre.
        serial_number: The centre's next one.
        now: When it is made.
        expires_at: From when it cannot be loaded any more.
        random_bytes: Where random bytes come from.

    Raises:
        KeyLoadFormatError: No keys, one twice, too many, or it expires before it is issued.
        KeyLoadMismatchError: A key does not fit its check value or its algorithm.
        IdentityError: The module's public key is worthless.
    """
    ephemeral = EphemeralKey(Secret(random_bytes(KEY_BYTES)))
    header = KeyLoadHeader(
        centre=Party(name=centre.name, id=centre.id),
        serial_number=serial_number,
        issued_at=require_utc(now).replace(microsecond=0),
        expires_at=require_utc(expires_at).replace(microsecond=0),
        module=Party(name=module.name, id=module.id),
        ephemeral_key=ephemeral.public,
    )
    shared = ephemeral.shared_secret(module.exchange_key)
    wrap = KeyWrap(header, module.exchange_key, shared=shared)
    wrapped = []
    for position, each in enumerate(keys):
        require_fits(each)
        wrapped.append(wrap.wrap(each.vending_key, each.key, position=position))
    return format_key_load_file(sign_file(header, tuple(wrapped), signing_key=signing_key))


def load(
    content: bytes,
    identity: ModuleIdentity,
    *,
    centres: Iterable[TrustedCentre],
    now: datetime,
) -> LoadedFile:
    """Take the keys out of a key load file.

    What is wrong is looked for in the order of ``key_load_errors``.

    Args:
        content: The file.
        identity: The module that loads it.
        centres: Those that the module knows, revoked ones included.
        now: The present time, aware.

    Raises:
        KeyLoadError: The file is refused, nothing was loaded.
        NaiveDatetimeError: ``now`` has no zone.
    """
    present = require_utc(now)
    file = parse_key_load_file(content)
    centre = _trusted(file.header.centre.id, centres)
    require_signature(file, centre.identity.signing_key)
    _require_for(file.header, identity.public, present=present)
    if file.header.serial_number <= centre.last_serial_number:
        raise KeyLoadReplayedError(file.header.serial_number, last=centre.last_serial_number)
    return LoadedFile(
        header=file.header,
        keys=_unwrapped(file, identity),
        centre=centre.after(file.header.serial_number),
    )


def require_fits(key: KeyInTransit) -> None:
    """Refuse a key that is not the one that its metadata describes.

    Raises:
        KeyLoadMismatchError: Another check value, or a length that its algorithm does not take.
    """
    record = key.key.record
    try:
        KeyDerivation(record.key_generation_algorithm, key.vending_key)
        require_check_value(key.vending_key, record.check_value)
    except (StsError, CheckValueError):
        raise KeyLoadMismatchError(str(key.key.name)) from None


def _trusted(centre_id: str, centres: Iterable[TrustedCentre]) -> TrustedCentre:
    for centre in centres:
        if centre.identity.id == centre_id:
            if centre.revoked_at is not None:
                raise RevokedCentreError(centre_id, centre.revoked_at)
            return centre
    raise UnknownCentreError(centre_id)


def _require_for(header: KeyLoadHeader, module: PublicIdentity, *, present: datetime) -> None:
    if header.module.id != module.id:
        raise AnotherModulesFileError(header.module.id)
    if header.issued_at > present + CLOCK_TOLERANCE:
        raise KeyLoadNotYetValidError(header.issued_at)
    if present >= header.expires_at:
        raise KeyLoadExpiredError(header.expires_at)


def _unwrapped(file: KeyLoadFile, identity: ModuleIdentity) -> tuple[KeyInTransit, ...]:
    try:
        shared = identity.shared_secret(file.header.ephemeral_key)
    except IdentityError:
        raise KeyLoadUnwrapError(str(file.keys[0].key.name)) from None
    wrap = KeyWrap(file.header, identity.public.exchange_key, shared=shared)
    loaded = tuple(
        KeyInTransit(key=wrapped.key, vending_key=wrap.unwrap(wrapped, position=position))
        for position, wrapped in enumerate(file.keys)
    )
    for key in loaded:
        require_fits(key)
    return loaded
