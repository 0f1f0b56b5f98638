"""The vending keys of one token: a vault whose bytes stay in the hardware.

A key is there when there is a record of it (``keys.pkcs11.records``), and the record is written
last. So a program that dies in between leaves at most an object that nothing points to, which the
next import of the same key removes. What changes the terms of a key writes a later record and then
removes the earlier one; of two that are there, the later counts.

Somebody with the PIN can remove keys and put old records back, as somebody with the passphrase can
put an old vault back. He cannot read 160-bit keys, nor write a record.
"""

import hashlib
import hmac
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final, NoReturn, Self

from pkcs11.constants import Attribute, ObjectClass
from pkcs11.types import Object, SignMixin

from keys.check_values import CheckValueMismatchError, require_check_value
from keys.errors import AnotherTenantsKeyError, UnknownKeyError
from keys.pkcs11.custody import (
    hmac_of,
    import_hmac_key,
    is_kept,
    make_custody_keys,
    seal,
    take_out,
    wrap_for_storage,
)
from keys.pkcs11.errors import (
    HsmError,
    HsmKeyExposedError,
    HsmKeyMissingError,
    HsmKeyPresentError,
    HsmRecordError,
)
from keys.pkcs11.records import (
    HsmRecord,
    format_record,
    key_id,
    parse_record,
    sealed_bytes,
)
from keys.pkcs11.session import HsmSession, OpenToken
from keys.pkcs11.settings import HsmSettings
from keys.records import check_value_with_mac
from keys.registered_key import KeyName, RegisteredKey
from keys.secret import Secret
from sts import KeyDerivation, KeyGenerationAlgorithm, VendingKey

APPLICATION: Final = "sts-vending"
_IN_TOKEN: Final = KeyGenerationAlgorithm.DKGA04
_DES_KEY_BITS: Final = 64
_FINGERPRINT_LABEL: Final = b"vending key fingerprint"
_JOURNAL_LABEL: Final = b"issue journal, version 1"
_RECORD_LABEL: Final = b"vending key record, version 1"
_IDENTITY_LABEL: Final = b"token identity"


def prepare_token(settings: HsmSettings, *, shared_seal_key: Secret | None = None) -> None:
    """Make the keys in a token under which vending keys are kept. Once for each token.

    Args:
        settings: The token; it exists already and has its PIN.
        shared_seal_key: 32 bytes for a second token that is to take over from the first one, to be
            given to both: they then read the same journal. None makes the key inside, so that
            nobody ever knows it.

    Raises:
        HsmPreparedError: It has been prepared before.
        HsmError: The token cannot be used.
    """
    session = HsmSession(settings, identify=lambda _: b"")
    session.run(
        "make its own keys",
        lambda token: make_custody_keys(token, settings, shared_seal_key=shared_seal_key),
        repeatable=False,
    )


class HsmKeys:
    """The vending keys of a token. Make one with ``open``."""

    def __init__(self, settings: HsmSettings, session: HsmSession) -> None:
        """Read the records of an open session."""
        self.settings = settings
        self._session = session
        self._records = session.run("read its records", _read_records)

    @classmethod
    def open(cls, settings: HsmSettings) -> Self:
        """Open a prepared token and check every record in it.

        Raises:
            HsmNotPreparedError: It has not been prepared.
            HsmRecordError: A record was altered, or not written by this program.
            HsmDriverError, HsmTokenError, HsmPinError, HsmRefusedError: It cannot be opened.
        """
        return cls(settings, HsmSession(settings, identify=_identity))

    @property
    def records(self) -> tuple[RegisteredKey, ...]:
        """The metadata of all vending keys, of every tenant."""
        return tuple(record.key for record in self._records.values())

    @property
    def described(self) -> tuple[HsmRecord, ...]:
        """All that is known of all vending keys."""
        return tuple(self._records.values())

    def find(self, name: KeyName) -> RegisteredKey:
        """Return the metadata of one vending key.

        Raises:
            UnknownKeyError, AnotherTenantsKeyError: No such key, or not for this tenant.
        """
        found = self._records.get(name)
        if found is not None:
            return found.key
        group = (name.supply_group_code, name.key_revision_number)
        another_tenant = any(
            group == (other.supply_group_code, other.key_revision_number) for other in self._records
        )
        refusal = AnotherTenantsKeyError if another_tenant else UnknownKeyError
        raise refusal(*map(str, group))

    def add(self, record: RegisteredKey, key: VendingKey) -> None:
        """Bring a vending key in; raises as ``add_all``."""
        self.add_all([(record, key)])

    def add_all(self, keys: Sequence[tuple[RegisteredKey, VendingKey]]) -> None:
        """Bring vending keys in, all or none of them.

        Raises:
            HsmKeyPresentError: One is there already, or twice in the list.
            CheckValueMismatchError, StsError: One does not fit its record.
            HsmError: The token refuses one; those before it have been removed again.
        """
        names = set(self._records)
        for record, key in keys:
            if record.name in names:
                raise HsmKeyPresentError(str(record.name))
            names.add(record.name)
            _require_fits(record, key)
        wanted = [record.name for record, _ in keys]
        # All at once, because a search takes the longer the more keys there are.
        self._session.run("look for keys", lambda token: _make_room(token, wanted))
        entered: list[KeyName] = []
        try:
            for record, key in keys:
                entered.append(record.name)
                self._bring_in(record, key)
        except BaseException:
            for name in entered:
                self._records.pop(name, None)
            with suppress(HsmError):
                self._session.run("remove a key", lambda token: _remove(token, entered))
            raise

    def load_all(self, keys: Sequence[tuple[RegisteredKey, VendingKey]]) -> None:
        """Bring in what a key centre has sent: new keys, and new terms for those that are there.

        A key that is there may get other terms and another key expiry number, nothing else. If the
        token is lost on the way, some of it may be done; the same once more does the rest.

        Raises:
            HsmKeyPresentError: Another key of this name is there; nothing was changed.
            CheckValueMismatchError, StsError, HsmError: As for ``add_all``.
        """
        renewed, new = [], []
        for record, key in keys:
            known = self._records.get(record.name)
            if known is None:
                new.append((record, key))
                continue
            ken = record.record.key_expiry_number
            same = replace(known.key.record, key_expiry_number=ken) == record.record
            if not same or not hmac.compare_digest(known.fingerprint, self._fingerprint(key)):
                raise HsmKeyPresentError(str(record.name))
            renewed.append(replace(known, key=record, serial_number=known.serial_number + 1))
        self.add_all(new)
        for later in renewed:
            self._write(later)

    def mac(self, key: RegisteredKey, message: bytes) -> bytes:
        """Return HMAC-SHA-256 of a message under a vending key that is an object of the token.

        Raises:
            HsmKeyMissingError, HsmKeyExposedError: The object is not there, or not safe.
            CheckValueMismatchError: It is not the key that its record speaks of.
            HsmError: The token cannot be used.
        """
        return self._session.run(
            "make an HMAC", lambda token: hmac_of(_usable_key(token, key), message)
        )

    def taken_out(self, key: RegisteredKey) -> VendingKey:
        """Return a vending key that cannot be used inside. For one derivation, and nothing else.

        Raises:
            HsmKeyMissingError: This key never leaves the token.
            HsmRecordError, CheckValueMismatchError: It is not the key that its record speaks of.
            HsmError: The token cannot be used.
        """
        record = self._records[key.name]
        wrapped = record.wrapped
        if wrapped is None:
            raise HsmKeyMissingError(str(key.name))
        found = self._session.run(
            "unwrap a key", lambda token: take_out(token, wrapped, size=record.bits // 8)
        )
        vending_key = VendingKey(found)
        require_check_value(vending_key, key.record.check_value)
        return vending_key

    def journal_key(self) -> Secret:
        """Return the key under which modules over this token encrypt their journal entries."""
        return Secret(
            self._session.run("make an HMAC", lambda token: seal(token, _JOURNAL_LABEL, b""))
        )

    def random_bytes(self, size: int) -> bytes:
        """Return so many random bytes of the token."""
        return self._session.run(
            "make random bytes", lambda token: bytes(token.session.generate_random(size * 8))
        )

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied."""
        raise TypeError("HsmKeys cannot be pickled")

    def _fingerprint(self, key: VendingKey) -> bytes:
        """Return by what the token knows a key again; nobody can test a guess without the token."""
        digest = hmac.digest(key.expose(), _FINGERPRINT_LABEL, hashlib.sha256)
        return self._session.run(
            "make an HMAC", lambda token: seal(token, _FINGERPRINT_LABEL, digest)
        )

    def _bring_in(self, record: RegisteredKey, key: VendingKey) -> None:
        settings, identifier = self.settings, key_id(record.name)
        in_token = record.record.key_generation_algorithm is _IN_TOKEN

        def bring_in(token: OpenToken) -> bytes | None:
            if not in_token:
                return wrap_for_storage(token, key.expose(), settings)
            made = import_hmac_key(
                token, key.expose(), settings, identifier=identifier, label=str(record.name)
            )
            try:
                token.checked[identifier] = _checked(made, record)
            except BaseException:
                made.destroy()
                raise
            return None

        wrapped = self._session.run("take a key in", bring_in, repeatable=False)
        parity = key.has_odd_parity if key.bits == _DES_KEY_BITS else None
        self._write(
            HsmRecord(
                serial_number=1,
                key=record,
                bits=key.bits,
                odd_parity=parity,
                wrapped=wrapped,
                fingerprint=self._fingerprint(key),
            )
        )

    def _write(self, record: HsmRecord) -> None:
        """Write a record, and then remove those of the same key that are earlier."""

        def write(token: OpenToken) -> None:
            first = record.serial_number == 1
            earlier = [] if first else _objects(token, record.key.name)
            body = sealed_bytes(record)
            token.session.create_object(
                {
                    Attribute.CLASS: ObjectClass.DATA,
                    Attribute.TOKEN: True,
                    Attribute.PRIVATE: True,
                    Attribute.MODIFIABLE: False,
                    Attribute.APPLICATION: APPLICATION,
                    Attribute.LABEL: str(record.key.name),
                    Attribute.VALUE: format_record(record, seal(token, _RECORD_LABEL, body)),
                }
            )
            for each in earlier:
                each.destroy()

        self._session.run("write a record", write, repeatable=False)
        self._records[record.key.name] = record


def _identity(token: OpenToken) -> bytes:
    return seal(token, _IDENTITY_LABEL, b"")


def _objects(token: OpenToken, name: KeyName | None = None) -> list[Object]:
    template = {Attribute.CLASS: ObjectClass.DATA, Attribute.APPLICATION: APPLICATION}
    if name is not None:
        template[Attribute.LABEL] = str(name)
    return list(token.session.get_objects(template))


def _make_room(token: OpenToken, names: Sequence[KeyName]) -> None:
    """Remove what imports that were cut off have left, but not what another program brought in."""
    for name in names:
        if _objects(token, name):
            raise HsmKeyPresentError(str(name))
        for leftover in list(token.session.get_objects({Attribute.ID: key_id(name)})):
            leftover.destroy()


def _remove(token: OpenToken, names: Sequence[KeyName]) -> None:
    """Remove keys and their records."""
    for name in names:
        identifier = key_id(name)
        token.checked.pop(identifier, None)
        keys = list(token.session.get_objects({Attribute.ID: identifier}))
        for each in [*_objects(token, name), *keys]:
            each.destroy()


def _read_records(token: OpenToken) -> dict[KeyName, HsmRecord]:
    found: dict[KeyName, HsmRecord] = {}
    for each in _objects(token):
        record, given = parse_record(bytes(each[Attribute.VALUE]))
        if not hmac.compare_digest(given, seal(token, _RECORD_LABEL, sealed_bytes(record))):
            raise HsmRecordError
        known = found.get(record.key.name)
        if known is None or known.serial_number < record.serial_number:
            found[record.key.name] = record
    return found


def _usable_key(token: OpenToken, key: RegisteredKey) -> SignMixin:
    """Return the object of a vending key; the first time in a session it is looked at."""
    identifier = key_id(key.name)
    known = token.checked.get(identifier)
    if known is None:
        known = token.checked[identifier] = _checked(token.find(identifier), key)
    return known


def _checked(found: Object | None, key: RegisteredKey) -> SignMixin:
    """Refuse an object that is not the key of a record, or not only here."""
    if not isinstance(found, SignMixin):
        raise HsmKeyMissingError(str(key.name))
    if not is_kept(found):
        raise HsmKeyExposedError(str(key.name))
    check_value = check_value_with_mac(lambda message: hmac_of(found, message))
    if check_value != key.record.check_value:
        raise CheckValueMismatchError(expected=key.record.check_value, found=check_value)
    return found


def _require_fits(record: RegisteredKey, key: VendingKey) -> None:
    """Refuse a key that its record does not speak of, or that its algorithm does not take."""
    KeyDerivation(record.record.key_generation_algorithm, key)
    require_check_value(key, record.record.check_value)
