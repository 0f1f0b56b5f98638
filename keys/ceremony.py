"""A vending key from components that different people hold: nobody alone ever has the key.

The key is the XOR of its components. Each component comes from a custodian of its own, is either
generated here or entered, and is confirmed by its check value; the combined check value is
confirmed at the end. A ceremony is a value: each step returns the next one.

    ceremony = Ceremony(bits=160, components_wanted=2)
    ceremony = ceremony.with_generated("Ada Ohm", random_bytes)
    ceremony = ceremony.with_entered("Ben Volt", digits, check_value=written_beside_them)
    combined = ceremony.complete(confirmed_check_value)
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import reduce
from typing import Final, Self

from keys.ceremony_errors import (
    CeremonyCompleteError,
    CeremonyIncompleteError,
    ComponentCountError,
    ComponentFormatError,
    CustodianNameError,
    LedByCustodianError,
    SameCustodianError,
    WeakKeyError,
    WorthlessComponentError,
)
from keys.check_values import CheckValueMethod, check_value, require_check_value
from keys.json_fields import is_name
from keys.randomness import RandomBytes
from sts import StsError, VendingKey

LEAST_COMPONENTS: Final = 2
MOST_COMPONENTS: Final = 9
_DES_BITS: Final = (64, 128)
_DES_KEY_BYTES: Final = 8
_SIGNIFICANT: Final = 0xFE
_HMAC: Final = CheckValueMethod.HMAC_SHA_256

_WEAK: Final = bytes.fromhex(
    "0101010101010101 FEFEFEFEFEFEFEFE E0E0E0E0F1F1F1F1 1F1F1F1F0E0E0E0E"
    "011F011F010E010E 1F011F010E010E01 01E001E001F101F1 E001E001F101F101"
    "01FE01FE01FE01FE FE01FE01FE01FE01 1FE01FE00EF10EF1 E01FE01FF10EF10E"
    "1FFE1FFE0EFE0EFE FE1FFE1FFE0EFE0E E0FEE0FEF1FEF1FE FEE0FEE0FEF1FEF1"
)
WEAK_DES_KEYS: Final = frozenset(
    _WEAK[at : at + _DES_KEY_BYTES] for at in range(0, len(_WEAK), _DES_KEY_BYTES)
)
"""The weak and the semi-weak keys of DES (NIST SP 800-67, 3.3.2), in odd parity."""


class Origin(StrEnum):
    """Where a component came from."""

    GENERATED = "generated"
    ENTERED = "entered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One custodian's part of the key.

    Attributes:
        custodian: Who holds it.
        origin: Where it came from.
        check_value: Of the component.
        value: The component; it looks like a key and is guarded like one.
    """

    custodian: str
    origin: Origin
    check_value: str
    value: VendingKey

    def reveal(self) -> str:
        """Return the digits in groups of four. For the eyes of its custodian, and nobody else."""
        digits = self.value.expose().hex().upper()
        return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


@dataclass(frozen=True, slots=True, kw_only=True)
class CombinedKey:
    """What a ceremony has made.

    Attributes:
        vending_key: The key.
        check_value: By which it is recognised.
        has_odd_parity: Whether it has the parity that DES keys should have; None for other keys.
        components: What it was made from, in order.
    """

    vending_key: VendingKey
    check_value: str
    has_odd_parity: bool | None
    components: tuple[Component, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceremony:
    """A ceremony as far as it has come.

    Attributes:
        bits: Length of the key, 64, 128 or 160.
        components_wanted: How many components it is made from.
        components: Those that are there.

    Raises:
        ComponentCountError: Fewer than two components, or more than nine.
        ComponentFormatError: No vending key has this length.
    """

    bits: int
    components_wanted: int = LEAST_COMPONENTS
    components: tuple[Component, ...] = ()

    def __post_init__(self) -> None:
        """Check what the types leave open."""
        if self.bits not in VendingKey.allowed_bits:
            raise ComponentFormatError(self.bits)
        if not LEAST_COMPONENTS <= self.components_wanted <= MOST_COMPONENTS:
            raise ComponentCountError(least=LEAST_COMPONENTS, most=MOST_COMPONENTS)

    @property
    def missing(self) -> int:
        """How many components must still come."""
        return self.components_wanted - len(self.components)

    def with_generated(self, custodian: str, random_bytes: RandomBytes) -> Self:
        """Return the ceremony with a new random component.

        A DES key gets odd parity: the component is made so that all up to it together have it.

        Raises:
            CustodianNameError, SameCustodianError, CeremonyCompleteError: Not from this person, or
                not any more.
            WorthlessComponentError: A broken source of random bytes.
        """
        value = random_bytes(self.bits // 8)
        if self.bits in _DES_BITS:
            so_far = _xor(self.components, self.bits)
            value = _with_parity_beside(value, so_far)
        return self._with(custodian, VendingKey(value), origin=Origin.GENERATED)

    def with_entered(
        self,
        custodian: str,
        digits: str,
        *,
        check_value: str,
        method: CheckValueMethod = _HMAC,
    ) -> Self:
        """Return the ceremony with a component that its custodian typed.

        Args:
            custodian: Who holds it.
            digits: Hexadecimal digits; spaces and hyphens do not count.
            check_value: What is written beside them.
            method: How that check value is defined.

        Raises:
            CustodianNameError, SameCustodianError, CeremonyCompleteError: Not from this person, or
                not any more.
            ComponentFormatError: Not as many hexadecimal digits as the key has.
            CheckValueError: The check value is none, or not that of the component.
            WorthlessComponentError: All zeros, or the same as another component.
        """
        self._require_custodian(custodian)
        try:
            value = VendingKey.from_hex(digits.replace("-", " "))
        except StsError:
            raise ComponentFormatError(self.bits) from None
        if value.bits != self.bits:
            raise ComponentFormatError(self.bits)
        require_check_value(value, check_value, method=method)
        return self._with(custodian, value, origin=Origin.ENTERED)

    def combined_check_value(self, method: CheckValueMethod = _HMAC) -> str:
        """Return the check value of the whole key, to be confirmed.

        Raises:
            CeremonyIncompleteError: Components are missing.
            WeakKeyError: The components make a weak key.
            CheckValueMethodError: A key of this length has no such check value.
        """
        return check_value(self._combined(), method)

    def complete(self, confirmed_check_value: str, method: CheckValueMethod = _HMAC) -> CombinedKey:
        """Return the key, once people have confirmed its check value.

        Raises:
            CeremonyIncompleteError, WeakKeyError: As for ``combined_check_value``.
            CheckValueError: Another check value, or none.
        """
        key = self._combined()
        require_check_value(key, confirmed_check_value, method=method)
        return CombinedKey(
            vending_key=key,
            check_value=check_value(key),
            has_odd_parity=key.has_odd_parity if self.bits in _DES_BITS else None,
            components=self.components,
        )

    def _require_custodian(self, custodian: str) -> None:
        if not is_name(custodian):
            raise CustodianNameError
        if self.missing == 0:
            raise CeremonyCompleteError
        if any(_person(custodian) == _person(other.custodian) for other in self.components):
            raise SameCustodianError(custodian)

    def _with(self, custodian: str, value: VendingKey, *, origin: Origin) -> Self:
        self._require_custodian(custodian)
        others = (_significant(other.value) for other in self.components)
        if _significant(value) in (bytes(self.bits // 8), *others):
            raise WorthlessComponentError
        component = Component(
            custodian=custodian, origin=origin, check_value=check_value(value), value=value
        )
        return replace(self, components=(*self.components, component))

    def _combined(self) -> VendingKey:
        if self.missing:
            raise CeremonyIncompleteError(self.missing)
        key = VendingKey(_xor(self.components, self.bits))
        if _is_weak(key):
            raise WeakKeyError
        return key


def require_leader(led_by: str, custodians: Iterable[str]) -> None:
    """Refuse a leader who holds a component: two eyes would have to watch themselves.

    Raises:
        CustodianNameError: No name that can be printed.
        LedByCustodianError: The leader is one of the custodians.
    """
    if not is_name(led_by):
        raise CustodianNameError
    if any(_person(led_by) == _person(custodian) for custodian in custodians):
        raise LedByCustodianError(led_by)


def generate_vending_key(bits: int, random_bytes: RandomBytes) -> VendingKey:
    """Return a random vending key, of odd parity if it is one for DES. For labs only.

    Whoever runs the program could have seen it, which is what a ceremony is there to prevent.

    Raises:
        KeyLengthError: No vending key has this length.
    """
    value = random_bytes(bits // 8)
    if bits in _DES_BITS:
        value = _with_parity_beside(value, bytes(len(value)))
    return VendingKey(value)


def _person(name: str) -> str:
    """Return a name so that the ways to write it make no difference."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _xor(components: tuple[Component, ...], bits: int) -> bytes:
    values = (int.from_bytes(component.value.expose(), "big") for component in components)
    return reduce(lambda one, other: one ^ other, values, 0).to_bytes(bits // 8, "big")


def _with_parity_beside(value: bytes, other: bytes) -> bytes:
    """Return ``value`` with the lowest bits set so that its XOR with ``other`` has odd parity."""
    return bytes(
        mine & _SIGNIFICANT | ((mine & _SIGNIFICANT ^ beside).bit_count() + 1) % 2
        for mine, beside in zip(value, other, strict=True)
    )


def _significant(key: VendingKey) -> bytes:
    """Return the bits that count: DES ignores the lowest bit of each byte."""
    if key.bits not in _DES_BITS:
        return key.expose()
    return bytes(byte & _SIGNIFICANT for byte in key.expose())


def _is_weak(key: VendingKey) -> bool:
    significant = _significant(key)
    if not any(significant):
        return True
    if key.bits not in _DES_BITS:
        return False
    weak = {bytes(byte & _SIGNIFICANT for byte in each) for each in WEAK_DES_KEYS}
    halves = range(0, len(significant), _DES_KEY_BYTES)
    return any(significant[at : at + _DES_KEY_BYTES] in weak for at in halves)
