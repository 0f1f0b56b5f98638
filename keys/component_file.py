"""The file of one key component, on a medium that its custodian alone has.

KEY COMPONENT, for its custodian alone
custodian    Ada Ohm
check value  229A7E
digits       ABAB ABAB …
"""

from dataclasses import dataclass
from typing import Final

from keys.ceremony import Component
from keys.ceremony_errors import AnothersComponentError, ComponentFileError
from keys.secret import Secret

_TITLE: Final = "KEY COMPONENT, for its custodian alone"
_CUSTODIAN: Final = "custodian    "
_CHECK_VALUE: Final = "check value  "
_DIGITS: Final = "digits       "
_LINES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredComponent:
    """A component as it stands in its file; whether its digits are right is not known yet."""

    check_value: str
    digits: Secret


def format_component(component: Component) -> bytes:
    """Return the file of a component; it looks like a key and is guarded like one."""
    lines = (
        _TITLE,
        f"{_CUSTODIAN}{component.custodian}",
        f"{_CHECK_VALUE}{component.check_value}",
        f"{_DIGITS}{component.reveal()}",
    )
    return "".join(f"{line}\n" for line in lines).encode("utf-8")


def parse_component(content: bytes, custodian: str) -> StoredComponent:
    """Read the file of a component.

    Args:
        content: The file.
        custodian: Whose it is to be.

    Raises:
        ComponentFileError: Not such a file.
        AnothersComponentError: Another custodian's.
    """
    try:
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise ComponentFileError from None
    if len(lines) != _LINES or lines[0] != _TITLE:
        raise ComponentFileError
    labels = (_CUSTODIAN, _CHECK_VALUE, _DIGITS)
    if not all(line.startswith(label) for line, label in zip(lines[1:], labels, strict=True)):
        raise ComponentFileError
    found, check_value, digits = (
        line.removeprefix(label) for line, label in zip(lines[1:], labels, strict=True)
    )
    if found != custodian:
        raise AnothersComponentError(custodian=custodian, found=found)
    return StoredComponent(check_value=check_value, digits=Secret(digits.encode()))
