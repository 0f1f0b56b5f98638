"""A component on its custodian's own medium comes back as it was, and to nobody else."""

from typing import Final

import pytest

from keys.ceremony import Ceremony, require_leader
from keys.ceremony_errors import (
    AnothersComponentError,
    ComponentFileError,
    CustodianNameError,
    LedByCustodianError,
)
from keys.component_file import format_component, parse_component
from tests.keys.custody import fixed_random

BEGUN: Final = Ceremony(bits=160).with_generated("Ada Ohm", fixed_random("ada"))
ADA: Final = BEGUN.components[0]
FILE: Final = format_component(ADA)


def test_a_component_comes_back_with_its_check_value() -> None:
    stored = parse_component(FILE, "Ada Ohm")
    again = Ceremony(bits=160).with_entered(
        "Ada Ohm", stored.digits.expose().decode(), check_value=stored.check_value
    )
    assert again.components[0].value == ADA.value


def test_the_file_says_for_whom_it_is_and_how_it_is_checked() -> None:
    title, custodian, check_value, digits = FILE.decode().splitlines()
    assert title == "KEY COMPONENT, for its custodian alone"
    assert custodian == "custodian    Ada Ohm"
    assert check_value == f"check value  {ADA.check_value}"
    assert digits == f"digits       {ADA.reveal()}"


def test_anothers_component_is_not_taken() -> None:
    with pytest.raises(AnothersComponentError, match="of Ada Ohm, not of Ben Volt"):
        parse_component(FILE, "Ben Volt")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        FILE.replace(b"KEY COMPONENT", b"KEY"),
        FILE.replace(b"check value  ", b"check "),
        FILE.replace(b"digits       ", b"key "),
        FILE + b"one line more\n",
        FILE.rpartition(b"digits")[0],
    ],
)
def test_anything_else_is_no_component_and_is_not_repeated(content: bytes) -> None:
    with pytest.raises(ComponentFileError) as refusal:
        parse_component(content, "Ada Ohm")
    assert str(refusal.value) == "not the file of a key component"


def test_the_leader_of_a_ceremony_looks_on() -> None:
    require_leader("Cy Watt", ["Ada Ohm", "Ben Volt"])
    with pytest.raises(LedByCustodianError, match="ada ohm"):
        require_leader("ada ohm", ["Ada Ohm", "Ben Volt"])
    with pytest.raises(CustodianNameError):
        require_leader("", ["Ada Ohm"])
