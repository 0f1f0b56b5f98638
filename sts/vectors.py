"""Test vectors: JSON cases into typed values, each mistake in a file named by its case.

A file is ``{"title", "source", "checked", "cases": [...]}``; keys and blocks are hexadecimal with
the most significant byte first, times are UTC. ``docs/conformance.md`` describes the fields. What
the token of a case must say is built here from its payload, so that the encoder and the decoder
can both be held against it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from sts.amount import CurrencyAmount, PowerLimit, UnitAmount
from sts.derivation import KeyAttributes
from sts.errors import StsError, VectorFileError
from sts.identifiers import (
    BaseDate,
    EncryptionAlgorithm,
    KeyExpiryNumber,
    KeyGenerationAlgorithm,
    KeyRevisionNumber,
    KeyType,
    MeterPan,
    SupplyGroupCode,
    TariffIndex,
)
from sts.key_change import KeyChange, SetSize
from sts.key_material import DecoderKey, VendingKey
from sts.token_identifier import (
    TID_STORE_SIZE,
    is_reserved_minute,
    reserved_minute_of_day,
    tid_from_datetime,
)
from sts.tokens import (
    ClearCredit,
    ClearTamperCondition,
    CreditRegister,
    InitiateMeterTest,
    Service,
    SetMaximumPhasePowerUnbalanceLimit,
    SetMaximumPowerLimit,
    SetTariffRate,
    SetWaterMeterFactor,
    Token,
    TransferCredit,
    TransferCurrencyCredit,
    WriteExtended,
)

StaTablesNeeded = Literal["none", "sample", "licensed"]
Raw = Mapping[str, Any]

_KEY_INPUTS: Final = (
    "dkga",
    "vending_key_hex",
    "meter_pan",
    "supply_group_code",
    "tariff_index",
    "key_revision_number",
    "key_type",
    "base_date",
)
_KIND_FIELD: Final = "token_kind"
_CONTROL_DIGITS: Final[dict[int, Literal[2, 4]]] = {36: 2, 28: 4}
_PART_OF_KIND: Final = {
    "Set1stSectionDecoderKey": 1,
    "Set2ndSectionDecoderKey": 2,
    "Set3rdSectionDecoderKey": 3,
    "Set4thSectionDecoderKey": 4,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyInput:
    """What a decoder key is derived from, and what must come out.

    Attributes:
        algorithm: The derivation, or None where only the decoder key is given.
        vending_key: As above.
        attributes: As above.
        decoder_key: The expected key.
    """

    algorithm: KeyGenerationAlgorithm | None
    vending_key: VendingKey | None
    attributes: KeyAttributes | None
    decoder_key: DecoderKey


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorCase:
    """One case, read and checked for form.

    Attributes:
        identity: The case's ``id``.
        group: Suite and test, as reports are grouped.
        sta_tables: Which tables the tokens need.
        encryption_algorithm: The cipher; None for a token that needs none.
        key: The present key; None for a token that needs none.
        token: The token of a ``token`` case; None for parts of key change sets and for others.
        change: The key change of a set, or of a single part.
        new_key: The derivation of the new key of a key change.
        set_size: How many tokens the set has.
        part: Which part a single key change token is.
        expected: The expected tokens, 20 digits each; none for a ``key`` case.
        clear_block: The expected block before encryption, if given.
        cipher_block: The expected block after encryption, if given.
    """

    identity: str
    group: tuple[str, str]
    sta_tables: StaTablesNeeded
    encryption_algorithm: EncryptionAlgorithm | None
    key: KeyInput | None
    token: Token | None
    change: KeyChange | None
    new_key: KeyInput | None
    set_size: SetSize | None
    part: int | None
    expected: tuple[str, ...]
    clear_block: int | None
    cipher_block: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableCase:
    """A case that is not one; it counts against the file."""

    identity: str
    group: tuple[str, str]
    reason: str


def read_cases(document: object) -> tuple[str, tuple[VectorCase | UnreadableCase, ...]]:
    """Return the title and the cases of a vector file that has been parsed as JSON.

    Raises:
        VectorFileError: Not an object with a list of cases, or a list without any.
    """
    cases = document.get("cases") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(cases, list) or not cases:
        message = 'a vector file is a JSON object with a list "cases" that is not empty'
        raise VectorFileError(message)
    title = str(document.get("title", "untitled"))
    return title, tuple(_read_case(case, number, title) for number, case in enumerate(cases, 1))


def _read_case(case: object, number: int, title: str) -> VectorCase | UnreadableCase:
    if not isinstance(case, dict):
        identity = f"case {number}"
        return UnreadableCase(identity=identity, group=(title, "-"), reason="not a JSON object")
    identity = str(case.get("id", f"case {number}"))
    kind = str(case.get("token_kind", case.get("op", "-")))
    group = (str(case.get("suite", title)), str(case.get("test", kind)))
    try:
        return _parse(case, identity, group)
    except KeyError as error:
        reason = f"field {error.args[0]!r} is missing or has an unknown value"
    except StsError as error:
        reason = f"{error.code}: {error}"
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        # Hexadecimal and dates are parsed by the standard library; its words may hold the value
        # of a key, so only the kind of mistake is passed on.
        reason = f"a field has the wrong form ({type(error).__name__})"
    return UnreadableCase(identity=identity, group=group, reason=reason)


def _parse(case: Raw, identity: str, group: tuple[str, str]) -> VectorCase:
    operation = case["op"]
    algorithm = EncryptionAlgorithm.parse(case["ea"]) if "ea" in case else None
    kind = case.get("token_kind", "")
    part = _PART_OF_KIND.get(kind)
    is_change = operation == "set" or part is not None
    key = _key_input(case, "", algorithm) if "decoder_key_hex" in case else None
    new_key = _key_input(case, "new_", algorithm) if is_change else None
    if operation == "key" and (key is None or key.algorithm is None):
        missing = "decoder_key_hex" if key is None else "dkga"
        raise KeyError(missing)
    return VectorCase(
        identity=identity,
        group=group,
        sta_tables=_tables_needed(case),
        encryption_algorithm=algorithm,
        key=key,
        token=_token(case) if operation == "token" and not is_change else None,
        change=None if new_key is None else _change(case, new_key),
        new_key=new_key,
        set_size=_set_size(case) if operation == "set" else None,
        part=part,
        expected=_EXPECTED[operation](case),
        clear_block=_hexadecimal(case, "block_hex"),
        cipher_block=_hexadecimal(case, "expected_block_hex"),
    )


def _digits(tokens: object) -> tuple[str, ...]:
    if not isinstance(tokens, list) or not tokens or not all(type(t) is str for t in tokens):
        message = "an expected token is a text of 20 digits, and a set has some"
        raise VectorFileError(message)
    return tuple(tokens)


def _set_size(case: Raw) -> SetSize:
    if case["set_size"] not in (2, 3, 4) or "block_hex" in case:
        name = "block_hex" if "block_hex" in case else "set_size"
        raise KeyError(name)
    size: SetSize = case["set_size"]
    return size


_EXPECTED: Final[Mapping[str, Callable[[Raw], tuple[str, ...]]]] = {
    "token": lambda case: _digits([case["expected_token"]]),
    "set": lambda case: _digits(case["expected_tokens"]),
    "key": lambda _case: (),
}
"""Operation to the tokens that must come out."""


def _tables_needed(case: Raw) -> StaTablesNeeded:
    name = "sta_tables"
    tables: StaTablesNeeded = case.get(name, "none")
    if tables not in ("none", "sample", "licensed"):
        raise KeyError(name)
    if tables == "licensed" and case.get("ea") != EncryptionAlgorithm.STA.value:
        raise KeyError(name)
    return tables


def _hexadecimal(case: Raw, name: str) -> int | None:
    return int(case[name], 16) if name in case else None


def _key_input(case: Raw, prefix: str, algorithm: EncryptionAlgorithm | None) -> KeyInput:
    decoder_key = DecoderKey.from_hex(case[f"{prefix}decoder_key_hex"])
    if f"{prefix}dkga" not in case:
        return KeyInput(algorithm=None, vending_key=None, attributes=None, decoder_key=decoder_key)
    if algorithm is None:
        name = "ea"
        raise KeyError(name)
    values = {name: case[f"{prefix}{name}"] for name in _KEY_INPUTS}
    return KeyInput(
        algorithm=KeyGenerationAlgorithm.parse(values["dkga"]),
        vending_key=VendingKey.from_hex(values["vending_key_hex"]),
        attributes=KeyAttributes(
            meter_pan=MeterPan(values["meter_pan"]),
            supply_group_code=SupplyGroupCode.parse(values["supply_group_code"]),
            tariff_index=TariffIndex.parse(values["tariff_index"]),
            key_revision_number=KeyRevisionNumber(values["key_revision_number"]),
            key_type=KeyType.parse(values["key_type"]),
            base_date=BaseDate.parse(values["base_date"]),
            encryption_algorithm=algorithm,
        ),
        decoder_key=decoder_key,
    )


def _change(case: Raw, new_key: KeyInput) -> KeyChange:
    if new_key.attributes is None:
        name = "new_dkga"
        raise KeyError(name)
    return KeyChange(
        new_key=new_key.decoder_key,
        key_expiry_number=KeyExpiryNumber(case["new_key_expiry_number"]),
        key_revision_number=new_key.attributes.key_revision_number,
        key_type=new_key.attributes.key_type,
        tariff_index=new_key.attributes.tariff_index,
        # A second, third or fourth part does not say whether its set is a rollover.
        rollover=_flag(case, "ro"),
        supply_group_code=new_key.attributes.supply_group_code,
    )


def _flag(case: Raw, name: str) -> bool:
    value = case.get(name, 0)
    if type(value) is not int or value not in (0, 1):
        raise KeyError(name)
    return bool(value)


def _token(case: Raw) -> Token:
    kind = case["token_kind"]
    if kind.startswith("TransferCredit/"):
        token = _credit(case, kind.removeprefix("TransferCredit/"))
    else:
        if kind not in _BUILDERS:
            raise KeyError(_KIND_FIELD)
        token = _BUILDERS[kind](case)
    told = (case.get("token_class", token.token_class), case.get("subclass", token.subclass))
    if told != (token.token_class, token.subclass):
        message = f"class and subclass do not belong to a {kind} token"
        raise VectorFileError(message)
    if "date_of_issue" in case and "base_date" in case:
        _require_matching_time(case)
    return token


def _require_matching_time(case: Raw) -> None:
    """Refuse a case whose token identifier does not belong to its time.

    Of several tokens made in one minute all but the first run ahead of the clock, by no more than
    a meter remembers; a special token has the reserved minute of its day, past or to come.
    """
    when = datetime.fromisoformat(case["date_of_issue"])
    when = when.replace(tzinfo=UTC) if when.tzinfo is None else when
    minutes = tid_from_datetime(when, BaseDate.parse(case["base_date"]))
    first = minutes + is_reserved_minute(minutes)
    runs_ahead = first <= case["tid"] < first + TID_STORE_SIZE
    if not runs_ahead and case["tid"] != reserved_minute_of_day(minutes):
        message = f"token identifier {case['tid']} does not belong to {case['date_of_issue']}"
        raise VectorFileError(message)


def _credit(case: Raw, what: str) -> Token:
    service_name, dash, currency = what.partition("-")
    if service_name.upper() not in Service.__members__:
        raise KeyError(_KIND_FIELD)
    service = Service[service_name.upper()]
    if not dash:
        amount = UnitAmount.rounding_up(case["amount_tenths"])
        return TransferCredit(service=service, rnd=case["rnd"], tid=case["tid"], amount=amount)
    if currency != "currency":
        raise KeyError(_KIND_FIELD)
    return TransferCurrencyCredit(
        service=service,
        tid=case["tid"],
        amount=CurrencyAmount.rounding_up(case["currency_units"]),
    )


def _test(case: Raw) -> Token:
    return InitiateMeterTest(
        control=int(case["control_hex"], 16),
        manufacturer_code=int(case["manufacturer_code"]),
        manufacturer_digits=_CONTROL_DIGITS[case["control_bits"]],
    )


def _power_limit(case: Raw) -> Token:
    limit = PowerLimit.rounding_up(case["mpl"])
    return SetMaximumPowerLimit(rnd=case["rnd"], tid=case["tid"], limit=limit)


def _unbalance_limit(case: Raw) -> Token:
    limit = PowerLimit.rounding_up(case["mppul"])
    return SetMaximumPhasePowerUnbalanceLimit(rnd=case["rnd"], tid=case["tid"], limit=limit)


def _clear_credit(case: Raw) -> Token:
    register = CreditRegister(case["register"])
    return ClearCredit(rnd=case["rnd"], tid=case["tid"], register=register)


def _clear_tamper(case: Raw) -> Token:
    return ClearTamperCondition(rnd=case["rnd"], tid=case["tid"])


def _extended(case: Raw) -> Token:
    word = case["extended_field"]
    return WriteExtended(
        rnd=case["rnd"], tid=case["tid"], index=word >> 10, data=word & (1 << 10) - 1
    )


_BUILDERS: Final[Mapping[str, Callable[[Raw], Token]]] = {
    "InitiateMeterTest/Display1": _test,
    "InitiateMeterTest/Display2": _test,
    "SetMaximumPowerLimit": _power_limit,
    "ClearCredit": _clear_credit,
    "SetTariffRate": lambda case: SetTariffRate(
        rnd=case["rnd"], tid=case["tid"], rate=case["rate"]
    ),
    "ClearTamperCondition": _clear_tamper,
    "SetMaximumPhasePowerUnbalanceLimit": _unbalance_limit,
    "SetWaterMeterFactor": lambda case: SetWaterMeterFactor(
        rnd=case["rnd"], tid=case["tid"], factor=case["water_meter_factor"]
    ),
    "ExtendedToken": _extended,
}
"""Token kind of a case to the function that builds what it says."""
