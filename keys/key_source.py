"""Who keeps the keys of a security module: all that differs between one and another."""

from typing import Protocol

from keys.answers import HeldKey
from keys.registered_key import RegisteredKey
from keys.requests import MeterConfiguration
from keys.secret import Secret
from keys.token_making import DecoderKeys


class KeySource(DecoderKeys, Protocol):
    """Who keeps the keys of a module."""

    @property
    def kind(self) -> str:
        """What it is made of, ``software`` for one."""
        ...

    def registered(self, meter: MeterConfiguration) -> RegisteredKey:
        """Return the metadata of the vending key that made the key in a meter.

        Raises:
            RequestError: There is none, or it is another tenant's.
        """
        ...

    def revisions(self, meter: MeterConfiguration) -> tuple[RegisteredKey, ...]:
        """Return the metadata of the vending keys of all revisions of a meter's supply group."""
        ...

    def held(self) -> tuple[HeldKey, ...]:
        """Return what there is."""
        ...

    def journal_key(self) -> Secret:
        """Return the 32 bytes under which this module's journal entries are encrypted."""
        ...
