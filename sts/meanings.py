"""What the numbers in a token mean, in words: test names, flags, services, registers."""

from typing import Final

from sts.identifiers import KeyType
from sts.tokens import CreditRegister, Service

TEST_NAMES: Final[dict[int, str]] = {
    0: "all tests that the meter supports",
    1: "test the load switch",
    2: "test the information display",
    3: "display the total of consumption",
    4: "display key revision number and key type",
    5: "display the tariff index",
    6: "test the token input device",
    7: "display the maximum power limit",
    8: "display the tamper status",
    9: "display the present power",
    10: "display the software version",
    11: "display the phase power unbalance limit",
    12: "display the water meter factor",
    13: "display the tariff rate",
    14: "display the encryption algorithm",
    15: "display how many key change tokens are supported",
    16: "display the supply group code",
    17: "display the key expiry number",
    18: "display the decoder reference number",
}
"""Test number to name (IEC 62055-41, 6.3.8); higher control bits are reserved."""

EXTENDED_FLAG_NAMES: Final[dict[int, str]] = {
    0: "conformance test",
    1: "detect tamper",
    2: "disconnect the service",
    3: "disconnect on tamper",
    4: "disconnect on power limit",
    5: "disconnect on under-frequency",
    6: "electricity is prepaid",
    7: "water is prepaid",
    8: "gas is prepaid",
    9: "time is prepaid",
    10: "commissioning mode",
    11: "tariff index fallback power limit",
}
"""Flag number of the extended token set to name (STS 202-5)."""

CLASS_NAMES: Final[dict[int, str]] = {
    0: "credit",
    1: "test or display, for any meter",
    2: "management of one meter",
    3: "reserved",
}

SERVICE_UNITS: Final[dict[Service, str]] = {
    Service.ELECTRICITY: "kWh",
    Service.WATER: "m³",
    Service.GAS: "m³",
    Service.TIME: "min",
}
"""Service to the unit whose tenths its credit tokens carry (IEC 62055-41, 6.3.6)."""

REGISTER_NAMES: Final[dict[CreditRegister, str]] = {
    CreditRegister.ELECTRICITY: "electricity credit",
    CreditRegister.WATER: "water credit",
    CreditRegister.GAS: "gas credit",
    CreditRegister.TIME: "time credit",
    CreditRegister.ELECTRICITY_CURRENCY: "electricity currency credit",
    CreditRegister.WATER_CURRENCY: "water currency credit",
    CreditRegister.GAS_CURRENCY: "gas currency credit",
    CreditRegister.TIME_CURRENCY: "time currency credit",
    CreditRegister.ALL: "all credit registers",
}

KEY_TYPE_NAMES: Final[dict[KeyType, str]] = {
    KeyType.INITIALISATION: "initialisation key (DITK)",
    KeyType.DEFAULT: "default key (DDTK)",
    KeyType.UNIQUE: "unique key (DUTK)",
    KeyType.COMMON: "common key (DCTK)",
}


def tenths_text(tenths: int) -> str:
    """Return tenths of a unit with one decimal place."""
    return f"{tenths // 10}.{tenths % 10}"


def currency_text(units: int) -> str:
    """Return 0.00001 units of a currency with five decimal places."""
    whole, fraction = divmod(abs(units), 100_000)
    return f"{'-' if units < 0 else ''}{whole}.{fraction:05d}"


def names_of_tests(tests: tuple[int, ...]) -> str:
    """Return the names of tests, in their order."""
    if not tests:
        return "no test"
    return ", ".join(f"{test}: {TEST_NAMES.get(test, 'reserved')}" for test in tests)
