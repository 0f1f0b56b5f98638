"""What a key ceremony refuses.

CeremonyError                      CEREMONY
├── ComponentCountError            CEREMONY_COMPONENT_COUNT
├── CustodianNameError             CEREMONY_CUSTODIAN_NAME
├── SameCustodianError             CEREMONY_SAME_CUSTODIAN
├── LedByCustodianError            CEREMONY_LED_BY_CUSTODIAN
├── ComponentFileError             CEREMONY_COMPONENT_FILE
├── AnothersComponentError         CEREMONY_ANOTHERS_COMPONENT
├── ComponentFormatError           CEREMONY_COMPONENT_FORMAT
├── WorthlessComponentError        CEREMONY_WORTHLESS_COMPONENT
├── CeremonyIncompleteError        CEREMONY_INCOMPLETE
├── CeremonyCompleteError          CEREMONY_COMPLETE
├── WeakKeyError                   CEREMONY_WEAK_KEY
└── CeremonyRecordError            CEREMONY_RECORD
"""

from keys.errors import KeysError


class CeremonyError(KeysError):
    """A step of a key ceremony is refused; the ceremony stands where it stood."""

    code = "CEREMONY"


class ComponentCountError(CeremonyError):
    """A key is not made from this many components."""

    code = "CEREMONY_COMPONENT_COUNT"
    hint = "split the key among at least two people"

    def __init__(self, *, least: int, most: int) -> None:
        """Say how many there may be."""
        super().__init__(f"a key ceremony has {least} to {most} components")


class CustodianNameError(CeremonyError):
    """A custodian without a name that can be printed."""

    code = "CEREMONY_CUSTODIAN_NAME"

    def __init__(self) -> None:
        """Say what is wanted."""
        super().__init__("a custodian has a printable name that is not long")


class SameCustodianError(CeremonyError):
    """One person holds two components, and so more than a share of the key."""

    code = "CEREMONY_SAME_CUSTODIAN"
    hint = "each component needs a person of its own"

    def __init__(self, custodian: str) -> None:
        """Say who."""
        super().__init__(f"{custodian} holds a component of this key already")


class LedByCustodianError(CeremonyError):
    """The leader of a ceremony holds a component: nobody would look on."""

    code = "CEREMONY_LED_BY_CUSTODIAN"
    hint = "the ceremony needs a leader who holds no component"

    def __init__(self, person: str) -> None:
        """Say who."""
        super().__init__(f"{person} would lead the ceremony and hold a component")


class ComponentFileError(CeremonyError):
    """Not the file of a component; it is not repeated."""

    code = "CEREMONY_COMPONENT_FILE"
    hint = "give the file that the ceremony wrote for this custodian"

    def __init__(self) -> None:
        """Say so."""
        super().__init__("not the file of a key component")


class AnothersComponentError(CeremonyError):
    """The file of a component is another custodian's."""

    code = "CEREMONY_ANOTHERS_COMPONENT"
    hint = "give each custodian the file that bears the same name"

    def __init__(self, *, custodian: str, found: str) -> None:
        """Say whose it is and whose it should be."""
        super().__init__(f"the component is that of {found}, not of {custodian}")


class ComponentFormatError(CeremonyError):
    """What was entered is not a component; it is not repeated."""

    code = "CEREMONY_COMPONENT_FORMAT"
    hint = "type the component again, as it stands on its custodian's paper"

    def __init__(self, bits: int) -> None:
        """Say what a component looks like."""
        super().__init__(f"a component of this key has {bits // 4} hexadecimal digits")


class WorthlessComponentError(CeremonyError):
    """All zeros, or the same as another component: the other custodians alone would hold it all."""

    code = "CEREMONY_WORTHLESS_COMPONENT"
    hint = "have this component made again, at random"

    def __init__(self) -> None:
        """Say so, without the component."""
        super().__init__("the component is zero, or the same as another one")


class CeremonyIncompleteError(CeremonyError):
    """Components are still missing."""

    code = "CEREMONY_INCOMPLETE"

    def __init__(self, missing: int) -> None:
        """Say how many."""
        super().__init__(f"{missing} more of the components must come first")


class CeremonyCompleteError(CeremonyError):
    """All components are there; one more would make another key."""

    code = "CEREMONY_COMPLETE"

    def __init__(self) -> None:
        """Say so."""
        super().__init__("all components of this key are there already")


class WeakKeyError(CeremonyError):
    """The components make a key that is known to be weak."""

    code = "CEREMONY_WEAK_KEY"
    hint = "begin again with other components"

    def __init__(self) -> None:
        """Say so, without the key."""
        super().__init__("the components make a key that everybody would try first")


class CeremonyRecordError(CeremonyError):
    """The record is to be printed for another key than the ceremony made."""

    code = "CEREMONY_RECORD"

    def __init__(self) -> None:
        """Say by what it shows."""
        super().__init__("the check value of the key is not that of the ceremony")
