"""What becomes of the key changes of a meter, and which keys it may hold because of them.

Nobody sees a customer enter tokens. What is known of the key in a meter is what somebody saw there
last, and which sets of key change tokens may have been entered since. Each set is a step from the
key that it is made for to the key that it brings; the meter may hold whatever key can be reached by
steps on their way. A step is on its way from when its tokens were made until somebody has seen in
the meter

- the key that it brings, or one that lies behind it: it was entered, the change is confirmed;
- a key from which it cannot be reached any more, or any key when changes are given up: nobody is to
  enter it any more.

``follow`` goes through the history of a meter and says where everything stands. What happens next
to the record of the meter follows from that: ``with_set``, ``with_seen`` and ``without_void``.

The order is that of the events in the history, never that of clocks.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, NamedTuple

from vending_app.domain.errors import SeenKeyError, SeenKeyMissingError
from vending_app.domain.network import KeyName, Meter, MeterKey, Serving

ISSUED: Final = "key change issued"
"""The event in a meter's history when the tokens of a key change were made."""
CONFIRMED: Final = "key change confirmed"
"""The event when somebody has seen the meter hold a new key."""
GIVEN_UP: Final = "key change given up"
"""The event when somebody has seen which key it holds, and no change is wanted any more."""
PRESENT_SERVES: Final = "present key serves"
"""The event when the tokens of a key change are not to be had any more, and a new set is wanted."""

_PLAIN: Final = 2
"""Of so many keys, a confirmed change means the one and a change given up the other."""


class ChangeState(StrEnum):
    """Where a key change stands."""

    ON_ITS_WAY = "on_its_way"
    """Its tokens may still have to be entered."""
    CONFIRMED = "confirmed"
    """The meter was seen to hold its key, or one behind it."""
    GIVEN_UP = "given_up"
    """Its tokens must not, or cannot, be entered any more."""
    REPLACED = "replaced"
    """Another set for the same step was made since."""


class Step(NamedTuple):
    """What a set does to a meter: the key that it is made for, and the one that it brings."""

    before: KeyName
    after: KeyName


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEvent:
    """An event in a meter's history that tells of its keys.

    Attributes:
        kind: What happened.
        present: The present key on record after it; where somebody looked at the meter, the key
            that was seen.
        brings: The key that a set brings, where one was made.
    """

    kind: str
    present: MeterKey
    brings: MeterKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySet:
    """A set of key change tokens that was made for a meter.

    Attributes:
        basis_number: The reason of its tokens.
        made_for: The key that they are for.
        void: Whether the sale that they were made with was taken back.
    """

    basis_number: int
    made_for: KeyName
    void: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterKeys:
    """What is known of the keys of a meter.

    Attributes:
        changes: Where its key changes stand, by the numbers of their bases.
        steps: Those on their way, and whether their tokens are to be had.
        held: The keys that may be in it.
        base: The key that was in it when somebody saw it last, or at first.
        gone: Keys that it cannot hold, because it was seen with a key of another supply group or
            revision since it may have held them.
    """

    changes: Mapping[int, ChangeState]
    steps: Mapping[Step, bool]
    held: Mapping[KeyName, MeterKey]
    base: KeyName
    gone: frozenset[KeyName]

    def takes(self, key: MeterKey, *, before: MeterKey) -> bool:
        """Tell whether the meter may take tokens for a key.

        Args:
            key: The key.
            before: The key of the set that comes first and brings it; the key itself without one.
        """
        return key.called in self.held or before.called in self.held


def follow(meter: Meter, events: Iterable[KeyEvent], *, sets: Iterable[KeySet]) -> MeterKeys:
    """Return what is known of the keys of a meter.

    Args:
        meter: The meter as it stands on record.
        events: Those of its history that tell of keys, oldest first.
        sets: Its sets, in the order in which they were made; each has its event.
    """
    course = _Course(base=meter.present_key.called)
    made = iter(sets)
    for event in events:
        if event.kind == ISSUED:
            course.issue(event, next(made))
        else:
            course.see(event)
    for step in course.live:
        course.end(step, ChangeState.ON_ITS_WAY)
    # A key may be on record that nobody has made a set for yet.
    named = {key.called: key for key in (meter.present_key, meter.new_key) if key is not None}
    # Without a step on its way the record alone counts.
    reached = course.held() if course.live else frozenset()
    held = {name: course.known[name] for name in reached} | named
    return MeterKeys(
        changes=course.states,
        steps={step: not all(each.void for each in course.live[step]) for step in course.live},
        held=held,
        base=course.base if course.live else meter.present_key.called,
        gone=frozenset(course.gone.difference(held)),
    )


def with_set(meter: Meter, keys: MeterKeys, *, before: MeterKey, after: MeterKey) -> Meter:
    """Return a meter whose key change tokens have been handed out: the new key serves from now.

    The key before it stays on record, for the customer may not have entered the tokens. While a
    module elsewhere made them, other sets may have come, or somebody may have looked at the meter.

    Args:
        meter: The meter.
        keys: What is known of its keys, without this set.
        before: The key that the set is made for.
        after: The key that it brings.
    """
    if before.called not in keys.held:
        # It was seen with the new key, or is on its way to another from there.
        return meter
    goal = meter.new_key
    if goal is None or meter.key.called == before.called:
        return replace(meter, present_key=before, new_key=after, serving=Serving.NEW)
    if goal.called in _reach(after.called, keys.steps):
        return meter
    if meter.serving is Serving.PRESENT:
        # Sets were lost: the next sale brings another from the key that serves.
        return replace(meter, new_key=after)
    return replace(meter, present_key=before, new_key=after)


def with_seen(meter: Meter, keys: MeterKeys, *, seen: MeterKey, wanted: bool) -> Meter:
    """Return a meter that was seen to hold a key.

    Args:
        meter: The meter.
        keys: What is known of its keys.
        seen: The key.
        wanted: Whether steps from there on are still wanted.
    """
    goal, onward = meter.new_key, _onward(seen.called, keys.steps)
    if wanted and goal is not None and goal.called in _reach(seen.called, onward) - {seen.called}:
        return replace(meter, present_key=seen)
    return replace(meter, present_key=seen, new_key=None, serving=Serving.PRESENT)


def without_void(meter: Meter, keys: MeterKeys) -> Meter:
    """Return a meter after sets have become void: the key before one that is missed serves.

    The next sale then brings a new set. Whether the customer has entered the void one or not, the
    credit after it is taken.

    Args:
        meter: The meter.
        keys: What is known of its keys, with the sets that are void.
    """
    serving = meter.key.called
    to_be_had = [step for step, is_there in keys.steps.items() if is_there]
    for step, is_there in keys.steps.items():
        is_missed = not is_there and serving in _reach(step.after, keys.steps)
        if is_missed and serving not in _reach(step.before, to_be_had):
            return replace(meter, present_key=keys.held[step.before], serving=Serving.PRESENT)
    return meter


def confirmed_key(meter: Meter, keys: MeterKeys, *, seen: KeyName | None) -> MeterKey:
    """Return the key that somebody has seen who confirms a change.

    Args:
        meter: The meter.
        keys: What is known of its keys.
        seen: What the key is called; None: the one on its way, where that is plain.

    Raises:
        SeenKeyMissingError: More than two are possible.
        SeenKeyError: The meter cannot hold that key, or it is the one before all changes.
    """
    key = _seen(meter, keys, seen=seen, plain=meter.new_key)
    if key != meter.new_key and key.called == keys.base:
        raise SeenKeyError(str(meter.drn), _listed(keys.held.keys() - {keys.base}))
    return key


def seen_key(meter: Meter, keys: MeterKeys, *, seen: KeyName | None) -> MeterKey:
    """Return the key that somebody has seen who gives a change up, or wants a new set.

    Args:
        meter: The meter.
        keys: What is known of its keys.
        seen: What the key is called; None: the present one on record, where that is plain.

    Raises:
        SeenKeyMissingError: More than two are possible; or two, there and back.
        SeenKeyError: The meter cannot hold that key.
    """
    present = meter.present_key
    return _seen(meter, keys, seen=seen, plain=present if present.called == keys.base else None)


@dataclass(slots=True, kw_only=True)
class _Course:
    """Where the keys of a meter stand, event by event.

    Attributes:
        base: The key that was seen last.
        live: The sets of each step on its way, oldest first.
        states: Where sets stand that have come to an end, by the number of their basis.
        known: All keys that were named.
        gone: As in ``MeterKeys``.
    """

    base: KeyName
    live: dict[Step, list[KeySet]] = field(default_factory=dict)
    states: dict[int, ChangeState] = field(default_factory=dict)
    known: dict[KeyName, MeterKey] = field(default_factory=dict)
    gone: set[KeyName] = field(default_factory=set)

    def held(self) -> frozenset[KeyName]:
        """Return the keys that the meter may hold."""
        return _reach(self.base, self.live)

    def issue(self, event: KeyEvent, made: KeySet) -> None:
        """Go past the event of a set."""
        assert event.brings is not None
        if not self.live:
            self.base = event.present.called
        self._name(event.present, event.brings)
        step = Step(made.made_for, event.brings.called)
        if step.before in self.held():
            self.live.setdefault(step, []).append(made)
        else:
            # A module elsewhere took so long that somebody has seen another key since.
            moot = step.after in self.held()
            self.states[made.basis_number] = ChangeState.CONFIRMED if moot else ChangeState.GIVEN_UP
        self.gone -= self.held()

    def see(self, event: KeyEvent) -> None:
        """Go past an event at which somebody has seen the key in the meter."""
        seen, wanted = event.present.called, event.kind == CONFIRMED
        self._name(event.present)
        steps = tuple(self.live)
        onward = _onward(seen, steps)
        for step in steps:
            if step in onward:
                if not wanted:
                    self.end(step, ChangeState.GIVEN_UP)
                    del self.live[step]
                continue
            # A set may do nothing but tell the meter another expiry of the same key.
            entered = seen in _reach(step.after, steps) and (wanted or step.before != step.after)
            self.end(step, ChangeState.CONFIRMED if entered else ChangeState.GIVEN_UP)
            del self.live[step]
        self.base = seen
        held = self.held()
        if wanted:
            self.gone.update(name for name in self.known if name[:2] != seen[:2])
        self.gone -= held

    def end(self, step: Step, state: ChangeState) -> None:
        """Say where the sets of a step stand: of several, those before the last are replaced."""
        made = self.live[step]
        last = [each for each in made if not each.void][-1:] or made[-1:]
        for each in made:
            replaced = each not in last and state is not ChangeState.GIVEN_UP
            self.states[each.basis_number] = ChangeState.REPLACED if replaced else state

    def _name(self, *keys: MeterKey) -> None:
        self.known.update((key.called, key) for key in keys)


def _reach(start: KeyName, steps: Collection[Step]) -> frozenset[KeyName]:
    """Return the keys that steps lead to from one, itself among them."""
    found = {start}
    # Each round finds a further key or is the last one.
    while further := {step.after for step in steps if step.before in found} - found:
        found |= further
    return frozenset(found)


def _onward(seen: KeyName, steps: Collection[Step]) -> tuple[Step, ...]:
    """Return the steps that may still be entered by whoever has come to a key by the others."""
    others = [step for step in steps if step.after != seen]
    reached = _reach(seen, others)
    return tuple(step for step in others if step.before in reached)


def _seen(
    meter: Meter, keys: MeterKeys, *, seen: KeyName | None, plain: MeterKey | None
) -> MeterKey:
    drn = str(meter.drn)
    if seen is None:
        if plain is None or len(keys.held) > _PLAIN:
            raise SeenKeyMissingError(drn, _listed(keys.held))
        return plain
    if plain is not None and plain.called == seen:
        return plain
    if seen not in keys.held:
        raise SeenKeyError(drn, _listed(keys.held))
    return keys.held[seen]


def _listed(names: Iterable[KeyName]) -> str:
    """Return keys in words, for people."""
    words = [
        f"supply group {group}, revision {revision}, tariff index {index}"
        for group, revision, index in names
    ]
    return "; ".join(sorted(words))
