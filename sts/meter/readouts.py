"""What the meter shows when asked: one row for each function of a short code.

A readout is made of blocks of lines, each for a page of its own. The lines may be of any length;
the display breaks them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from sts.codec import TOKEN_DIGITS, format_token
from sts.meanings import SERVICE_UNITS, currency_text
from sts.meter.display import credit_text, quantity_text, watts_text
from sts.meter.energy import PhaseReading, payable, price_at
from sts.meter.lcd import Block, two_ends
from sts.meter.meter_tests import SOFTWARE_VERSION
from sts.meter.registers import MICROSECONDS_PER_HOUR
from sts.meter.results import ResultCode
from sts.meter.short_codes import ACTIONS, ShortCode, ShortFunction, function_of
from sts.meter.spec import CreditKind
from sts.meter.state import MeterState
from sts.meter.supply import CAUSES
from sts.meter.view import KeyedToken, View
from sts.tokens import Service

PRODUCT: Final = "STS VEND METER"
TOKENS_SHOWN: Final = 10
"""How many of the latest tokens can be read from the display."""
DAYS_OF_MEAN: Final = 7
"""Over how many of the latest full days consumption is averaged."""

_TAKEN: Final = frozenset(
    {
        ResultCode.ACCEPT,
        ResultCode.FIRST_KEY_CHANGE_TOKEN,
        ResultCode.SECOND_KEY_CHANGE_TOKEN,
    }
)


# --- the answer to a code ---------------------------------------------------------------------


class ShortCodeFault(StrEnum):
    """Why a short code is refused."""

    UNKNOWN = "SHORT_CODE_UNKNOWN"
    NOT_IN_METER = "SHORT_CODE_NOT_IN_METER"
    NOT_NOW = "SHORT_CODE_NOT_NOW"


SHORT_CODE_FAULTS: Final[Mapping[ShortCodeFault, str]] = {
    ShortCodeFault.UNKNOWN: "There is no such short code.",
    ShortCodeFault.NOT_IN_METER: "This meter does not have that.",
    ShortCodeFault.NOT_NOW: "Not possible now.",
}
"""Every refusal in words for the household."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What was asked for."""

    code: str
    function: ShortFunction
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionAsked:
    """Nothing to show but something to do."""

    code: str
    function: ShortFunction


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRefused:
    """A code that this meter has no answer to."""

    code: str
    fault: ShortCodeFault


ShortCodeAnswer: TypeAlias = Shown | ActionAsked | CodeRefused


def answer(view: View, table: tuple[ShortCode, ...], *, code: str) -> ShortCodeAnswer:
    """Return what a meter with this table answers to the digits between two ``#``."""
    function = function_of(table, code)
    if function is None:
        return CodeRefused(code=code, fault=ShortCodeFault.UNKNOWN)
    if function in ACTIONS:
        return ActionAsked(code=code, function=function)
    readout = READOUTS[function]
    if not readout.supported(view):
        return CodeRefused(code=code, fault=ShortCodeFault.NOT_IN_METER)
    return Shown(code=code, function=function, blocks=readout.blocks(view))


# --- what is shown ----------------------------------------------------------------------------


def supply_blocks(state: MeterState) -> tuple[Block, ...]:
    """Return whether supply is on and, if not, every reason, each on a page of its own."""
    if state.relay_closed:
        return (("SUPPLY ON",),)
    reasons = [CAUSES[cause] for cause in sorted(state.causes)] or ["Press the button."]
    return tuple(("SUPPLY OFF", reason) for reason in reasons)


def power_block(view: View) -> Block:
    """Return the power drawn now, of each phase if there are several."""
    total = f"{sum(phase.power_w for phase in view.phases)} W"
    if len(view.phases) == 1:
        return ("POWER NOW", total)
    lines = (f"L{number} {phase.power_w} W" for number, phase in _numbered(view))
    return (two_ends("POWER", total), *lines)


def credit_block(view: View) -> Block:
    """Return the credit that is left."""
    return ("CREDIT", credit_text(view.spec, view.state.credit.whole))


def token_block(token: KeyedToken, head: str = "LAST") -> Block:
    """Return one token of the history: 20 digits on two lines, the answer, the amount."""
    taken = token.result in _TAKEN
    word = "ACCEPT" if taken else f"REJECT {token.result:d}"
    half = TOKEN_DIGITS * 3 // 5
    digits = (format_token(token.digits[:half]), format_token(token.digits[half:TOKEN_DIGITS]))
    return (two_ends(head, word), *digits, token.amount)


def _numbered(view: View) -> enumerate[PhaseReading]:
    return enumerate(view.phases, start=1)


def _volts_and_amperes(view: View) -> tuple[Block, ...]:
    lines = (
        f"L{number} {phase.voltage_v} V {_milli(phase.current_ma)} A"
        for number, phase in _numbered(view)
    )
    return (("VOLTAGE, CURRENT", *lines),)


def _milli(thousandths: int) -> str:
    whole, rest = divmod(abs(thousandths), 1000)
    return f"{'-' if thousandths < 0 else ''}{whole}.{rest:03d}"


def _days_left(view: View) -> tuple[Block, ...]:
    """Divide what the credit pays for at the present price by the mean of the latest days."""
    days = view.daily_use[:DAYS_OF_MEAN]
    used = sum(days) * MICROSECONDS_PER_HOUR
    if used <= 0:
        return (("DAYS LEFT", "Not known yet."),)
    price = price_at(view.spec, view.state.advanced_to)
    left = payable(view.spec, view.state, price) * len(days) // used
    return (("DAYS LEFT", str(left), f"mean of {len(days)} days"),)


def _last_tokens(view: View) -> tuple[Block, ...]:
    tokens = view.tokens[:TOKENS_SHOWN]
    if not tokens:
        return (("LAST TOKEN", "None yet."),)
    return tuple(
        token_block(token, f"{number}/{len(tokens)}")
        for number, token in enumerate(tokens, start=1)
    )


def _last_token(view: View) -> tuple[Block, ...]:
    return tuple(token_block(token) for token in view.tokens[:1]) or _last_tokens(view)


def _key_attributes(view: View) -> tuple[Block, ...]:
    register = view.state.key_register
    return (
        (
            f"SGC {register.supply_group_code}",
            f"KRN {register.key_revision_number or '-'} KT {register.key_type:d}",
            f"TI {register.tariff_index} KEN {register.key_expiry_number}",
            f"BASE {'-' if register.base_date is None else register.base_date.start.year}",
        ),
    )


def _power_limits(view: View) -> tuple[Block, ...]:
    limit = ("POWER LIMIT", watts_text(view.state.power_limit_w))
    if not view.spec.is_polyphase:
        return (limit,)
    return ((*limit, "UNBALANCE LIMIT", watts_text(view.state.unbalance_limit_w)),)


def _tariff(view: View) -> tuple[Block, ...]:
    spec, state = view.spec, view.state
    index = f"TARIFF INDEX {state.key_register.tariff_index}"
    if spec.credit_kind is CreditKind.UNIT:
        return ((index,),)
    unit = "1000 s" if spec.service is Service.TIME else f"1 {SERVICE_UNITS[spec.service]}"
    price = currency_text(price_at(spec, state.advanced_to))
    return ((index, f"PRICE OF {unit}", f"{price} {spec.currency}"),)


def _emergency(view: View) -> tuple[Block, ...]:
    return (
        ("EMERGENCY LEFT", credit_text(view.spec, view.emergency_left)),
        ("TO PAY OFF", credit_text(view.spec, view.owed)),
    )


@dataclass(frozen=True, slots=True)
class Readout:
    """One row: what a function shows, and in which meters.

    Attributes:
        blocks: What it shows.
        supported: Whether the meter has it.
    """

    blocks: Callable[[View], tuple[Block, ...]]
    supported: Callable[[View], bool] = lambda _view: True


def _measures_power(view: View) -> bool:
    return view.spec.measures_power


READOUTS: Final[Mapping[ShortFunction, Readout]] = {
    ShortFunction.VERSION: Readout(lambda _view: ((PRODUCT, f"VERSION {SOFTWARE_VERSION}"),)),
    ShortFunction.CREDIT: Readout(lambda view: (credit_block(view),)),
    ShortFunction.TOTAL_IMPORTED: Readout(
        lambda view: (("TOTAL USED", quantity_text(view.spec.service, view.state.consumed.whole)),)
    ),
    ShortFunction.TOTAL_BOUGHT: Readout(
        lambda view: (("TOTAL BOUGHT", credit_text(view.spec, view.state.credit_bought)),)
    ),
    ShortFunction.POWER_NOW: Readout(lambda view: (power_block(view),), _measures_power),
    ShortFunction.VOLTAGE_AND_CURRENT: Readout(_volts_and_amperes, _measures_power),
    ShortFunction.DAYS_LEFT: Readout(_days_left),
    ShortFunction.LAST_TOKEN: Readout(_last_token),
    ShortFunction.LAST_TOKENS: Readout(_last_tokens),
    ShortFunction.KEY_ATTRIBUTES: Readout(_key_attributes),
    ShortFunction.DECODER_REFERENCE_NUMBER: Readout(
        lambda view: (("DRN", str(view.spec.decoder_reference_number)),)
    ),
    ShortFunction.POWER_LIMIT: Readout(_power_limits, _measures_power),
    ShortFunction.RELAY: Readout(lambda view: supply_blocks(view.state)),
    ShortFunction.TAMPER: Readout(
        lambda view: (("TAMPER", "YES" if view.state.tampered else "NO"),)
    ),
    ShortFunction.TARIFF: Readout(_tariff),
    ShortFunction.EMERGENCY_CREDIT: Readout(
        _emergency, lambda view: view.spec.levels.emergency > 0
    ),
}
"""Function to what it shows; those of ``ACTIONS`` show nothing."""
