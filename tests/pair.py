"""Whatever is vended is entered: the library as the vendor, the virtual meter as the customer's.

The two sides share nothing but digits. The vendor knows the vending key, the meter's attributes
and the token identifiers that it has issued; the meter knows its decoder key and what it accepted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from sts.amount import encode_amount, encode_currency_amount, encode_power_limit
from sts.ciphers import new_cipher
from sts.codec import encode, insert_class
from sts.crc import token_crc
from sts.derivation import KeyAttributes, KeyDerivation
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
from sts.key_change import KeyChange, SetSize, build
from sts.key_material import DecoderKey, VendingKey
from sts.meter import supply
from sts.meter.acceptance import Reaction, apply
from sts.meter.emergency import take_emergency
from sts.meter.events import Advance, DayRecord, Event, IntervalRecord, Written
from sts.meter.loads import Load
from sts.meter.outcomes import Accepted, Outcome
from sts.meter.panel import Answer, Face, Panel, face_of, key, short_code
from sts.meter.power import PowerChange, lose_power, return_power
from sts.meter.profiles import PROFILES, MeterProfile
from sts.meter.spec import CreditKind, MeterSpec, PricePeriod
from sts.meter.state import (
    DecoderKeyRegister,
    MeterState,
    SupplyCause,
    TamperKind,
    Volatile,
    new_state,
)
from sts.token_identifier import LAST_TID_MINUTES, next_token_identifier
from sts.tokens import (
    BlockCipher,
    ClearCredit,
    ClearTamperCondition,
    CreditRegister,
    InitiateMeterTest,
    ProprietaryManagement,
    ProprietaryTest,
    ReadExtended,
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

VENDING_KEY: Final = VendingKey.from_hex("ABABABABABABABAB949494949494949401234567")
"""The 160-bit vending key of the published vectors."""
START: Final = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
DITK: Final = {
    64: DecoderKey.from_hex("0123456789ABCDEF"),
    128: DecoderKey.from_hex("00112233445566778899AABBCCDDEEFF"),
}
"""A maker's own key of each length."""
PRICES: Final = (PricePeriod(starts_at=datetime(2014, 1, 1, tzinfo=UTC), per_thousand=342_500),)
"""R3.425 a kWh."""

_HABITS: Final = frozenset(field.name for field in fields(MeterProfile)) - {"name"}


class VendAndMeter:
    """A vendor and one meter; every method named after a token makes it and enters it.

    Attributes:
        attributes: What the vendor knows of the meter's key.
        issued: Token identifiers that the vendor has used under this base date.
        now: The moment at which things happen.
        spec: What the meter was built as.
        state: What it remembers.
        volatile: What it would forget.
        events: All that happened to its supply.
        intervals: The half hours of its load profile.
        days: Its daily totals.
        digits: The token entered last.
    """

    def __init__(
        self,
        drn: str = "0100200002010",
        algorithm: EncryptionAlgorithm = EncryptionAlgorithm.MISTY1,
        *,
        key_type: KeyType = KeyType.UNIQUE,
        key_expiry_number: int = 255,
        credit_kind: CreditKind = CreditKind.UNIT,
        **built: Any,
    ) -> None:
        """Build a meter and give it the key that the vendor derives for it, or a DITK.

        The rest is what was built: fields of the specification, or habits of its profile, which
        is the plain one if none is named.
        """
        self.attributes = KeyAttributes(
            meter_pan=MeterPan.from_drn(drn),
            supply_group_code=SupplyGroupCode(201457),
            tariff_index=TariffIndex(1),
            key_revision_number=KeyRevisionNumber(1),
            key_type=key_type,
            base_date=BaseDate.Y2014,
            encryption_algorithm=algorithm,
        )
        if credit_kind is CreditKind.CURRENCY:
            built = {"currency": "ZAR", "prices": PRICES, **built}
        habits = {name: built.pop(name) for name in _HABITS & built.keys()}
        profile = replace(built.pop("profile", PROFILES["plain"]), **habits)
        self.spec = MeterSpec(
            decoder_reference_number=self.attributes.meter_pan.drn,
            encryption_algorithm=algorithm,
            credit_kind=credit_kind,
            profile=profile,
            **built,
        )
        self.now = START
        self.issued: list[int] = []
        self.events: list[Event] = []
        self.intervals: list[IntervalRecord] = []
        self.days: list[DayRecord] = []
        self.digits = ""
        register = DecoderKeyRegister.from_attributes(
            self.key_for(self.attributes),
            self.attributes,
            key_expiry_number=KeyExpiryNumber(key_expiry_number),
        )
        self.state: MeterState = new_state(self.spec, register, now=START)
        self.volatile = Volatile()

    # --- the vendor ---------------------------------------------------------------------------

    def key_for(self, attributes: KeyAttributes) -> DecoderKey:
        """Derive a key; of type 0 it is the maker's own value."""
        if attributes.key_type is KeyType.INITIALISATION:
            return DITK[attributes.encryption_algorithm.key_bits]
        return KeyDerivation(KeyGenerationAlgorithm.DKGA04, VENDING_KEY).derive(attributes)

    @property
    def vendor_cipher(self) -> BlockCipher:
        """The cipher under the key that the vendor believes the meter to have."""
        key = self.key_for(self.attributes)
        return new_cipher(self.attributes.encryption_algorithm, key)

    def tid(self) -> int:
        """Take the next token identifier."""
        tid = next_token_identifier(
            self.issued,
            self.now,
            base_date=self.attributes.base_date,
            lead_cap_minutes=LAST_TID_MINUTES,
        )
        self.issued.append(tid)
        return tid

    def _frame(self, tid: int | None) -> dict[str, int]:
        chosen = self.tid() if tid is None else tid
        return {"rnd": chosen % 16, "tid": chosen}

    def digits_of(self, token: Token) -> str:
        """Encode a token for the meter."""
        return encode(token, self.vendor_cipher)

    def digits_of_block(self, token_class: int, subclass: int, content: int) -> str:
        """Make authentic digits of any content, also such as the library refuses to issue."""
        body = subclass << 44 | content
        currency = token_class == 0 and 4 <= subclass <= 7
        crc = token_crc(token_class << 48 | body, currency=currency)
        block = body << 16 | crc
        encrypted = block if token_class == 1 else self.vendor_cipher.encrypt_block(block)
        return f"{insert_class(encrypted, token_class):020d}"

    # --- the meter ----------------------------------------------------------------------------

    @property
    def meter_cipher(self) -> BlockCipher:
        """The cipher under the key that the meter really has."""
        return new_cipher(self.spec.encryption_algorithm, self.state.key_register.decoder_key)

    def reaction(self, digits: str) -> Reaction:
        """Return what the meter would make of digits, without entering them."""
        return apply(
            self.spec,
            self.state,
            self.volatile,
            digits=digits,
            cipher=self.meter_cipher,
            now=self.now,
        )

    def enter(self, digits: str) -> Outcome:
        """Key in digits."""
        reaction = self.reaction(digits)
        self.digits = digits
        self.state, self.volatile = reaction.state, reaction.volatile
        self._log(reaction.events, reaction.written)
        return reaction.outcome

    def vend(self, token: Token) -> Outcome:
        """Encode a token and enter it."""
        return self.enter(self.digits_of(token))

    def take(self, done: Advance) -> None:
        """Let the meter be what came of something, and write down what happened."""
        self.state = done.state
        self._log(done.events, done.written)

    def _log(self, events: Iterable[Event], written: Written) -> None:
        self.events.extend(events)
        self.intervals.extend(written.intervals)
        self.days.extend(written.days)

    def wait(self, length: timedelta, load: Load | None = None) -> None:
        """Let time pass."""
        self.now += length
        self.take(supply.advance(self.spec, self.state, self.now, load=load))

    def set_load(self, load: int | tuple[int, ...], *volts: int) -> None:
        """Switch appliances on."""
        self.wait(timedelta())
        self.state = supply.set_load(self.spec, self.state, load, volts=volts or None)

    def tamper(self, kind: TamperKind = TamperKind.COVER, *, lasting: bool = False) -> None:
        """Open the cover, or hold a magnet to the meter."""
        self.wait(timedelta())
        self.take(supply.tamper(self.spec, self.state, kind, lasting=lasting))

    def end_tamper(self, kind: TamperKind) -> None:
        """Close the cover, or take the magnet away."""
        self.wait(timedelta())
        self.take(supply.end_tamper(self.spec, self.state, kind))

    def press(self) -> None:
        """Press the button."""
        self.wait(timedelta())
        self.take(supply.press(self.spec, self.state))

    def supervise(self, *, on: bool) -> None:
        """Switch the supply off, or let it return, as a technician would."""
        self.wait(timedelta())
        switch = supply.switch_on if on else supply.switch_off
        self.take(switch(self.spec, self.state, SupplyCause.SUPERVISOR))

    def take_emergency(self) -> None:
        """Take emergency credit."""
        self.wait(timedelta())
        self.take(take_emergency(self.spec, self.state))

    def lose_power(self) -> None:
        """Switch the power off."""
        self.wait(timedelta())
        self._powered(lose_power(self.spec, self.state))

    def return_power(self) -> None:
        """Switch the power on."""
        self.wait(timedelta())
        self._powered(return_power(self.spec, self.state, self.volatile))

    def _powered(self, change: PowerChange) -> None:
        self.state, self.volatile = change.state, change.volatile
        self.events.extend(change.events)

    def rebuild(self, **changes: Any) -> None:
        """Put the meter into another state, as a bench would."""
        self.state = replace(self.state, **changes)

    # --- its front ----------------------------------------------------------------------------

    @property
    def panel(self) -> Panel:
        """The front of the meter, for whoever stands before it."""
        return Panel(
            spec=self.spec, state=self.state, volatile=self.volatile, cipher=self.meter_cipher
        )

    def keys(self, symbols: str, *, pause: timedelta = timedelta()) -> Answer:
        """Press keys, each after a pause; return what came of the last one."""
        for symbol in symbols[:-1]:
            self.keys(symbol, pause=pause)
        self.now += pause
        return self._answered(key(self.panel, symbols[-1], now=self.now))

    def short_code(self, code: str) -> Answer:
        """Key in a short code."""
        return self._answered(short_code(self.panel, code, now=self.now))

    def _answered(self, answer: Answer) -> Answer:
        self.state, self.volatile = answer.state, answer.volatile
        self._log(answer.events, answer.written)
        return answer

    def face(self) -> Face:
        """Look at the meter."""
        self.wait(timedelta())
        return face_of(self.spec, self.state, self.volatile)

    # --- one method a kind of token -----------------------------------------------------------

    def credit(
        self, tenths: int, *, tid: int | None = None, service: Service | None = None
    ) -> Outcome:
        """Sell tenths of a unit."""
        chosen = self.spec.service if service is None else service
        amount = encode_amount(tenths)
        return self.vend(TransferCredit(service=chosen, amount=amount, **self._frame(tid)))

    def currency_credit(self, units: int, *, tid: int | None = None) -> Outcome:
        """Sell 0.00001 of a currency."""
        chosen = self.tid() if tid is None else tid
        amount = encode_currency_amount(units)
        return self.vend(
            TransferCurrencyCredit(service=self.spec.service, tid=chosen, amount=amount)
        )

    def test(self, *numbers: int, manufacturer_digits: Literal[2, 4] = 2) -> Outcome:
        """Ask for tests."""
        return self.vend(
            InitiateMeterTest.for_tests(numbers, manufacturer_digits=manufacturer_digits)
        )

    def read_control_value(self) -> Outcome:
        """Read index 0 of the extended token set."""
        return self.vend(ReadExtended(index=0))

    def read_flag(self, number: int) -> Outcome:
        """Read a flag of the extended token set."""
        return self.vend(ReadExtended.flag(number))

    def proprietary_test(self, subclass: int, manufacturer_code: int) -> Outcome:
        """Enter a maker's own test."""
        return self.vend(
            ProprietaryTest(subclass=subclass, control=1, manufacturer_code=manufacturer_code)
        )

    def power_limit(self, watts: int, *, tid: int | None = None) -> Outcome:
        """Set the maximum power limit."""
        limit = encode_power_limit(watts)
        return self.vend(SetMaximumPowerLimit(limit=limit, **self._frame(tid)))

    def clear_credit(
        self, register: CreditRegister = CreditRegister.ALL, *, tid: int | None = None
    ) -> Outcome:
        """Clear a credit register."""
        return self.vend(ClearCredit(register=register, **self._frame(tid)))

    def tariff_rate(self, rate: int) -> Outcome:
        """Set the tariff rate."""
        return self.vend(SetTariffRate(rate=rate, **self._frame(None)))

    def clear_tamper(self, *, tid: int | None = None) -> Outcome:
        """Clear the tamper condition."""
        return self.vend(ClearTamperCondition(**self._frame(tid)))

    def unbalance_limit(self, watts: int) -> Outcome:
        """Set the maximum phase power unbalance limit."""
        limit = encode_power_limit(watts)
        return self.vend(SetMaximumPhasePowerUnbalanceLimit(limit=limit, **self._frame(None)))

    def water_factor(self, factor: int) -> Outcome:
        """Set the water meter factor."""
        return self.vend(SetWaterMeterFactor(factor=factor, **self._frame(None)))

    def write_control_value(self, value: int) -> Outcome:
        """Write index 0 of the extended token set."""
        return self.vend(WriteExtended(index=0, data=value, **self._frame(None)))

    def write_flag(self, number: int, *, value: bool) -> Outcome:
        """Write a flag of the extended token set."""
        data = number << 1 | int(value)
        return self.vend(WriteExtended(index=63, data=data, **self._frame(None)))

    def proprietary_management(self, subclass: int) -> Outcome:
        """Enter a maker's own management token."""
        return self.vend(ProprietaryManagement(subclass=subclass, content=1))

    def reserved(self, token_class: int, subclass: int) -> Outcome:
        """Enter an authentic token of a subclass without a definition."""
        return self.enter(self.digits_of_block(token_class, subclass, 1))

    # --- key changes --------------------------------------------------------------------------

    def key_change_digits(
        self,
        new: Mapping[str, Any],
        *,
        set_size: SetSize | None = None,
        rollover: bool = False,
        key_expiry_number: int = 255,
    ) -> tuple[str, ...]:
        """Make the tokens of a set that changes the attributes named in ``new``."""
        goal = replace(self.attributes, **new)
        change = KeyChange(
            new_key=self.key_for(goal),
            key_expiry_number=KeyExpiryNumber(key_expiry_number),
            key_revision_number=goal.key_revision_number,
            key_type=goal.key_type,
            tariff_index=goal.tariff_index,
            rollover=rollover,
            supply_group_code=goal.supply_group_code,
        )
        return tuple(self.digits_of(part) for part in build(change, set_size=set_size))

    def change_key(
        self,
        new: Mapping[str, Any],
        *,
        order: Sequence[int] | None = None,
        set_size: SetSize | None = None,
        rollover: bool = False,
        key_expiry_number: int = 255,
    ) -> list[Outcome]:
        """Make a set and enter it, in ``order`` (part numbers); then vend under the new key."""
        digits = self.key_change_digits(
            new, set_size=set_size, rollover=rollover, key_expiry_number=key_expiry_number
        )
        parts = range(1, len(digits) + 1) if order is None else order
        outcomes = [self.enter(digits[part - 1]) for part in parts]
        if isinstance(outcomes[-1], Accepted):
            self.attributes = replace(self.attributes, **new)
            if rollover:
                self.issued.clear()
        return outcomes
