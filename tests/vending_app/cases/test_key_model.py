"""Which keys a meter may hold and where its key changes stand, from its history alone."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from sts import KeyExpiryNumber, KeyRevisionNumber, SupplyGroupCode, TariffIndex
from vending_app import demo_story as story
from vending_app.domain.errors import VendingError
from vending_app.domain.key_changes import (
    CONFIRMED,
    GIVEN_UP,
    ISSUED,
    ChangeState,
    KeyEvent,
    KeySet,
    MeterKeys,
    confirmed_key,
    follow,
    seen_key,
    with_seen,
    with_set,
    without_void,
)
from vending_app.domain.network import KeyName, Meter, MeterKey, Serving

STOCK = story.STOCK_METER


def _key(index: int, **changes: Any) -> MeterKey:
    """Return a key that is told apart by its tariff index; from 50 on it is of revision 2."""
    revision = KeyRevisionNumber(1 if index < 50 else 2)
    key: MeterKey = replace(
        STOCK.present_key, tariff_index=TariffIndex(index), key_revision_number=revision
    )
    changed: MeterKey = replace(key, **changes)
    return changed


def _name(index: int) -> KeyName:
    return _key(index).called


def _indices(names: Iterable[KeyName]) -> list[int]:
    return sorted(int(index) for _, _, index in names)


@dataclass
class _Told:
    """A meter's record and history as the use cases write them."""

    meter: Meter = field(default_factory=lambda: replace(STOCK, present_key=_key(1)))
    events: list[KeyEvent] = field(default_factory=list)
    sets: list[KeySet] = field(default_factory=list)

    @property
    def keys(self) -> MeterKeys:
        return follow(self.meter, self.events, sets=self.sets)

    @property
    def record(self) -> tuple[int, int | None, str]:
        """The present key, the new one, and which serves."""
        meter, new = self.meter, self.meter.new_key
        return (
            int(meter.present_key.tariff_index),
            None if new is None else int(new.tariff_index),
            meter.serving.value,
        )

    def issue(self, before: MeterKey, after: MeterKey) -> None:
        self.meter = with_set(self.meter, self.keys, before=before, after=after)
        self.sets.append(KeySet(basis_number=len(self.sets), made_for=before.called))
        self.events.append(KeyEvent(kind=ISSUED, present=self.meter.present_key, brings=after))

    def see(self, seen: MeterKey, *, wanted: bool) -> None:
        self.meter = with_seen(self.meter, self.keys, seen=seen, wanted=wanted)
        kind = CONFIRMED if wanted else GIVEN_UP
        self.events.append(KeyEvent(kind=kind, present=seen))

    def take_back(self, number: int) -> None:
        self.sets[number] = replace(self.sets[number], void=True)
        self.meter = without_void(self.meter, self.keys)

    def serve_present(self, seen: MeterKey) -> None:
        self.meter = replace(self.meter, present_key=seen, serving=Serving.PRESENT)

    def tell(self, words: str) -> "_Told":
        """Let things happen: ``1>7`` a set, ``=7`` confirmed, ``-7`` given up, ``!0`` void."""
        for word in words.split():
            if ">" in word:
                before, after = word.split(">")
                self.issue(_key(int(before)), _key(int(after)))
            elif word[0] == "!":
                self.take_back(int(word[1:]))
            elif word[0] == "~":
                self.serve_present(_key(int(word[1:])))
            else:
                self.see(_key(int(word[1:])), wanted=word[0] == "=")
        return self


def _told(words: str) -> _Told:
    return _Told().tell(words)


@pytest.mark.parametrize(
    ("words", "states", "held", "record"),
    [
        ("", "", [1], (1, None, "present")),
        ("1>7", "on_its_way", [1, 7], (1, 7, "new")),
        ("1>7 =7", "confirmed", [7], (7, None, "present")),
        ("1>7 -1", "given_up", [1], (1, None, "present")),
        # Whoever gives up has looked as well.
        ("1>7 -7", "confirmed", [7], (7, None, "present")),
        # The first was lost.
        ("1>7 ~1 1>7", "replaced on_its_way", [1, 7], (1, 7, "new")),
        ("1>7 ~1 1>7 =7", "replaced confirmed", [7], (7, None, "present")),
        ("1>7 ~1 1>7 -1", "given_up given_up", [1], (1, None, "present")),
        # The second builds on the first.
        ("1>7 7>8", "on_its_way on_its_way", [1, 7, 8], (7, 8, "new")),
        ("1>7 7>8 =8", "confirmed confirmed", [8], (8, None, "present")),
        ("1>7 7>8 =7", "confirmed on_its_way", [7, 8], (7, 8, "new")),
        ("1>7 7>8 -7", "confirmed given_up", [7], (7, None, "present")),
        ("1>7 7>8 -1", "given_up given_up", [1], (1, None, "present")),
        ("1>7 7>8 =7 -7", "confirmed given_up", [7], (7, None, "present")),
        ("1>7 7>8 8>9 =7", "confirmed on_its_way on_its_way", [7, 8, 9], (7, 9, "new")),
        # The second has the same key before it and another goal: both may be entered.
        ("1>7 ~1 1>8", "on_its_way on_its_way", [1, 7, 8], (1, 8, "new")),
        ("1>7 ~1 1>8 =7", "confirmed given_up", [7], (7, None, "present")),
        ("1>7 ~1 1>8 =8", "given_up confirmed", [8], (8, None, "present")),
        ("1>7 ~1 1>8 -1", "given_up given_up", [1], (1, None, "present")),
        # What has come to its end stays there.
        ("1>7 -1 1>7", "given_up on_its_way", [1, 7], (1, 7, "new")),
        ("1>7 =7 7>8 -7", "confirmed given_up", [7], (7, None, "present")),
        ("1>7 =7 7>1 =1", "confirmed confirmed", [1], (1, None, "present")),
        # There and back; that the first key is seen does not say whether anything was entered.
        ("1>7 7>1", "on_its_way on_its_way", [1, 7], (7, 1, "new")),
        ("1>7 7>1 =7", "confirmed on_its_way", [1, 7], (7, 1, "new")),
        ("1>7 7>1 =1", "on_its_way confirmed", [1, 7], (1, None, "present")),
        ("1>7 7>1 =1 -1", "given_up confirmed", [1], (1, None, "present")),
        ("1>7 7>1 =1 =7", "confirmed confirmed", [7], (7, None, "present")),
        ("1>7 7>1 -7", "confirmed given_up", [7], (7, None, "present")),
        # A set from elsewhere that took long: nothing was seen meanwhile.
        ("1>7 1>7", "replaced on_its_way", [1, 7], (1, 7, "new")),
        ("1>7 7>8 1>7", "replaced on_its_way on_its_way", [1, 7, 8], (7, 8, "new")),
        ("1>8 1>7", "on_its_way on_its_way", [1, 7, 8], (1, 7, "new")),
        ("1>7 ~1 7>8", "on_its_way on_its_way", [1, 7, 8], (1, 8, "present")),
        ("1>7 7>1 =1 7>8", "on_its_way confirmed on_its_way", [1, 7, 8], (7, 8, "new")),
        # Or its key was, or another.
        ("1>7 =7 1>7", "confirmed confirmed", [7], (7, None, "present")),
        ("1>7 =7 7>8 1>7", "confirmed on_its_way confirmed", [7, 8], (7, 8, "new")),
        ("1>8 =8 1>7", "confirmed given_up", [8], (8, None, "present")),
        # Taken back, entered or not: the key before serves, and the next set is another.
        ("1>7 !0", "on_its_way", [1, 7], (1, 7, "present")),
        ("1>7 !0 1>7", "replaced on_its_way", [1, 7], (1, 7, "new")),
        ("1>7 1>7 !1", "on_its_way replaced", [1, 7], (1, 7, "new")),
        ("1>7 1>7 !1 !0", "replaced on_its_way", [1, 7], (1, 7, "present")),
        ("1>7 7>8 !1", "on_its_way on_its_way", [1, 7, 8], (7, 8, "present")),
        ("1>7 7>8 !0", "on_its_way on_its_way", [1, 7, 8], (1, 8, "present")),
        ("1>7 7>8 !1 !0", "on_its_way on_its_way", [1, 7, 8], (1, 8, "present")),
        ("1>7 7>8 !0 !1", "on_its_way on_its_way", [1, 7, 8], (1, 8, "present")),
        ("1>7 7>8 !0 1>8 !1", "on_its_way on_its_way on_its_way", [1, 7, 8], (7, 8, "present")),
        ("1>7 7>1 !1", "on_its_way on_its_way", [1, 7], (7, 1, "present")),
        ("1>7 ~1 1>8 !0", "on_its_way on_its_way", [1, 7, 8], (1, 8, "new")),
        ("1>7 =7 !0", "confirmed", [7], (7, None, "present")),
    ],
)
def test_the_history_of_a_meter_says_where_everything_stands(
    words: str, states: str, held: list[int], record: tuple[int, int | None, str]
) -> None:
    told = _told(words)
    keys = told.keys
    assert [keys.changes[number].value for number in sorted(keys.changes)] == states.split()
    assert _indices(keys.held) == held
    assert told.record == record


@pytest.mark.parametrize(
    ("words", "gone"),
    [
        ("1>50", []),
        ("1>50 -1", []),
        ("1>50 =50", [1]),
        # The tariff index alone is changed back by the next change.
        ("1>7 =7", []),
        ("1>7 7>50 =50", [1, 7]),
        ("1>7 7>50 =7", []),
        # Given up, it may still be entered, until another key is seen.
        ("1>7 -1 1>50 =50", [1, 7]),
        # It was brought back, or may be.
        ("1>50 =50 50>1", []),
        ("1>50 =50 50>1 =1", [50]),
        ("1>50 =50 50>1 -50", []),
        # On its way from there, and then given up: it may be entered nevertheless.
        ("1>50 50>2 =50 -50", [1]),
    ],
)
def test_keys_are_gone_once_another_revision_was_seen(words: str, gone: list[int]) -> None:
    assert _indices(_told(words).keys.gone) == gone


def test_of_a_key_of_another_group_it_is_the_same() -> None:
    told = _Told()
    other = _key(1, supply_group_code=SupplyGroupCode(201461))
    told.issue(_key(1), other)
    told.see(other, wanted=True)
    assert told.keys.gone == {_name(1)}


def test_a_set_may_tell_another_expiry_of_the_same_key() -> None:
    other = _key(1, key_expiry_number=KeyExpiryNumber(99))
    told = _Told()
    told.issue(_key(1), other)
    keys = told.keys
    assert confirmed_key(told.meter, keys, seen=_name(1)) == other
    assert seen_key(told.meter, keys, seen=_name(1)) == _key(1)
    told.see(_key(1), wanted=False)
    assert told.keys.changes == {0: ChangeState.GIVEN_UP}
    told.issue(_key(1), other)
    told.see(other, wanted=True)
    assert told.keys.changes == {0: ChangeState.GIVEN_UP, 1: ChangeState.CONFIRMED}
    assert told.meter.present_key == other


def test_a_key_on_record_counts_before_any_set_for_it() -> None:
    told = _Told(meter=replace(STOCK, present_key=_key(1), new_key=_key(7)))
    assert _indices(told.keys.held) == [1, 7]
    assert confirmed_key(told.meter, told.keys, seen=None) == _key(7)


@pytest.mark.parametrize(
    ("words", "key", "before", "takes"),
    [
        ("", 1, 1, True),
        ("", 7, 1, True),
        ("1>8 =8", 1, 1, False),
        ("1>8 =8", 7, 1, False),
        ("1>8 =8", 8, 1, True),
        ("1>8", 7, 1, True),
    ],
)
def test_what_was_planned_is_taken_while_its_key_can_be_reached(
    words: str, key: int, before: int, *, takes: bool
) -> None:
    assert _told(words).keys.takes(_key(key), before=_key(before)) is takes


# --- which key was seen --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "confirmed", "given_up"),
    [
        ("1>7", 7, 1),
        ("1>7 7>1", 1, "SEEN_KEY_MISSING"),
        ("1>7 7>8", "SEEN_KEY_MISSING", "SEEN_KEY_MISSING"),
        ("1>7 ~1 1>8", "SEEN_KEY_MISSING", "SEEN_KEY_MISSING"),
        ("1>7 7>8 =7", 8, 7),
        ("1>7 7>1 =1", "SEEN_KEY_MISSING", 1),
    ],
)
def test_of_two_keys_the_seen_one_goes_without_saying(
    words: str, confirmed: int | str, given_up: int | str
) -> None:
    told = _told(words)
    for found, expected in ((confirmed_key, confirmed), (seen_key, given_up)):
        if isinstance(expected, int):
            assert found(told.meter, told.keys, seen=None) == _key(expected)
            continue
        with pytest.raises(VendingError) as refusal:
            found(told.meter, told.keys, seen=None)
        assert refusal.value.code == expected


def test_of_several_any_key_may_have_been_seen_that_is_possible() -> None:
    told = _told("1>7 7>8")
    for index in (1, 7, 8):
        assert seen_key(told.meter, told.keys, seen=_name(index)) == _key(index)
    for index in (7, 8):
        assert confirmed_key(told.meter, told.keys, seen=_name(index)) == _key(index)
    with pytest.raises(VendingError) as refusal:
        seen_key(told.meter, told.keys, seen=_name(9))
    assert refusal.value.code == "SEEN_KEY"
    group = STOCK.present_key.supply_group_code
    assert str(refusal.value).endswith(
        f"only: supply group {group}, revision 1, tariff index 01;"
        f" supply group {group}, revision 1, tariff index 07;"
        f" supply group {group}, revision 1, tariff index 08."
    )


def test_the_key_before_all_changes_confirms_none() -> None:
    told = _told("1>7 7>8")
    with pytest.raises(VendingError) as refusal:
        confirmed_key(told.meter, told.keys, seen=_name(1))
    assert refusal.value.code == "SEEN_KEY"
    assert "index 01" not in str(refusal.value)


# --- whatever happens ----------------------------------------------------------------------------


class _World(_Told):
    """A record, and a real meter with a customer who enters sets on their way as they like."""

    def __init__(self) -> None:
        super().__init__()
        self.truth = _key(1)
        self.planned: list[tuple[MeterKey, MeterKey]] = []
        self.steps: list[tuple[MeterKey, MeterKey]] = []

    def sell(self, number: int) -> None:
        self._answered(self.meter.key, _key(1 + number % 4))

    def plan(self, number: int) -> None:
        """A module elsewhere is asked for a set."""
        self.planned.append((self.meter.key, _key(1 + number % 4)))

    def answer(self, number: int) -> None:
        """The module has answered."""
        if self.planned:
            before, after = self.planned.pop(number % len(self.planned))
            if self.keys.takes(after, before=before):
                self._answered(before, after)

    def enter(self, number: int) -> None:
        if self.steps:
            before, after = self.steps[number % len(self.steps)]
            if (before.called, after.called) in self.keys.steps and before == self.truth:
                self.truth = after

    def back(self, number: int) -> None:
        if self.steps:
            self.take_back(number % len(self.steps))

    def end(self, number: int) -> None:
        del number
        self.see(seen_key(self.meter, self.keys, seen=self.truth.called), wanted=False)

    def confirm(self, number: int) -> None:
        del number
        if self.truth.called != self.keys.base:
            key = confirmed_key(self.meter, self.keys, seen=self.truth.called)
            self.see(key, wanted=True)

    def serve(self, number: int) -> None:
        del number
        if self.meter.new_key not in {None, self.truth}:
            self.serve_present(self.truth)

    def check(self) -> None:
        keys = self.keys
        assert self.truth.called in keys.held
        assert self.meter.key.called in keys.held
        assert keys.gone.isdisjoint(keys.held)
        assert len(keys.changes) == len(self.sets)
        for step in keys.steps:
            assert {step.before, step.after} <= keys.held.keys()

    def _answered(self, before: MeterKey, after: MeterKey) -> None:
        if before != after:
            self.issue(before, after)
            self.steps.append((before, after))


ACTS = (
    _World.sell,
    _World.plan,
    _World.answer,
    _World.enter,
    _World.back,
    _World.end,
    _World.confirm,
    _World.serve,
)


@given(some.lists(some.tuples(some.sampled_from(ACTS), some.integers(0, 9)), max_size=30))
def test_the_key_in_the_meter_is_always_one_that_it_may_hold(
    acts: list[tuple[Callable[[_World, int], None], int]],
) -> None:
    world = _World()
    for act, number in acts:
        act(world, number)
        world.check()
