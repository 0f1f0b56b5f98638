"""Two substitution tables and a choice between them as a circuit of a few dozen gates.

Bit-slicing has no table look-ups: what a table does to four bits has to be written in AND, OR, XOR
and NOT. Here a search finds such a circuit for any pair of tables, so that a licensed set is as
fast as the printed one. The circuit has five inputs, the four bits of the nibble and the bit that
chooses the table, and four outputs.

A function of five bits is a number of 32 bits here, its truth table: bit n is the value where the
inputs, read as a number, are n. Gates work on truth tables as they work on data, which is how the
search knows what a gate would give.

The search is that of Kwan, "Reducing the Gate Count of Bitslice DES" (2000). To make a function:

    1. take a node that is already there and gives it
    2. or add one or two gates that give it
    3. or choose an input s, make the function f right where s = 0, make the difference d right
       where s = 1, and add two gates: f XOR (s AND d); or the same the other way round, with
       s = 1 first: f XOR (s OR d)

In step 3 the parts need to be right only in half of the rows, which makes them small. Which input
is chosen decides how good the circuit gets, so the search is repeated with many choices and the
smallest circuit is kept. The choices are fixed, so the same tables always give the same circuit.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from itertools import combinations
from operator import and_, or_, xor
from typing import Final, Literal, NamedTuple, TypeAlias

Operation: TypeAlias = Literal["and", "or", "xor", "not"]

INPUTS: Final = 5
"""Bits 0 to 3 of the nibble, then the bit that chooses the table."""

_ALL: Final = (1 << 32) - 1
_TRIALS: Final = 16
"""More find a circuit of one or two gates less; each takes some 20 ms."""
_JOINING_GATES: Final = 2
_NO_LIMIT: Final = 1 << 16
_VARIABLES: Final = tuple(
    sum(1 << row for row in range(32) if row >> place & 1) for place in range(INPUTS)
)
_FUNCTIONS: Final[Mapping[Operation, Callable[[int, int], int]]] = {
    "and": and_,
    "or": or_,
    "xor": xor,
    "not": lambda table, _same: table ^ _ALL,
}


class Gate(NamedTuple):
    """One operation on two earlier nodes; for ``not`` both are the same.

    Nodes 0 to 4 are the inputs, then come the gates in their order.
    """

    operation: Operation
    left: int
    right: int


class Circuit(NamedTuple):
    """Gates in an order in which they can be worked out, and the nodes of the four outputs."""

    gates: tuple[Gate, ...]
    outputs: tuple[int, ...]


@cache
def circuit_for(zero: tuple[int, ...], one: tuple[int, ...]) -> Circuit:
    """Return a small circuit for a pair of tables.

    Args:
        zero: 16 nibbles, the table where the choosing bit is 0.
        one: 16 nibbles, the table where it is 1.
    """
    wanted = [
        sum((nibble >> bit & 1) << row for row, nibble in enumerate(zero + one)) for bit in range(4)
    ]
    best = _attempt(wanted, 0, limit=_NO_LIMIT)
    assert best is not None, "without a limit every function can be made"
    for trial in range(1, _TRIALS):
        best = _attempt(wanted, trial, limit=len(best.gates) - 1) or best
    return best


def _attempt(wanted: Sequence[int], trial: int, *, limit: int) -> Circuit | None:
    """Make all outputs with at most ``limit`` gates, by the choices of one trial."""
    choices = _choices(trial)
    net = _Net(list(_VARIABLES), [], limit)
    outputs = {}
    for bit in _shuffled(range(4), choices):
        made = _make(net, wanted[bit], _ALL, inputs=range(INPUTS), choices=choices, depth=0)
        if made is None:
            return None
        net, outputs[bit] = made
    return Circuit(tuple(net.gates), tuple(outputs[bit] for bit in range(4)))


def _choices(trial: int) -> Iterator[int]:
    """Yield for ever bytes that look like chance and are the same in every run."""
    block = sha256(str(trial).encode()).digest()
    while True:
        yield from block
        block = sha256(block).digest()


def _shuffled(items: Sequence[int], choices: Iterator[int]) -> list[int]:
    left = list(items)
    return [left.pop(next(choices) % len(left)) for _ in items]


class _Net:
    """Gates so far, the truth table of every node, and how many gates there may be at most."""

    __slots__ = ("gates", "limit", "tables")

    def __init__(self, tables: list[int], gates: list[Gate], limit: int) -> None:
        self.tables = tables
        self.gates = gates
        self.limit = limit

    def copy(self, limit: int) -> "_Net":
        return _Net(self.tables.copy(), self.gates.copy(), limit)

    def room(self) -> int:
        return self.limit - len(self.gates)

    def add(self, gate: Gate) -> int:
        """Add a gate and return its node."""
        left, right = self.tables[gate.left], self.tables[gate.right]
        self.gates.append(gate)
        self.tables.append(_FUNCTIONS[gate.operation](left, right))
        return len(self.tables) - 1


_Made: TypeAlias = tuple[_Net, int]
"""A net and the node in it that gives the function."""


def _make(
    net: _Net,
    target: int,
    mask: int,
    *,
    inputs: Sequence[int],
    choices: Iterator[int],
    depth: int,
) -> _Made | None:
    """Extend a copy of ``net`` by ``target``, right in the rows of ``mask``, if there is room."""
    extended = net.copy(net.limit)
    node = _find(extended, target & mask, mask)
    if node is not None:
        return extended, node
    best: _Made | None = None
    limit = net.limit
    # Looking at more choices near the root pays; below, one has to do.
    for place in _shuffled(inputs, choices)[: 2 if depth == 0 else 1]:
        rest = [other for other in inputs if other != place]
        turns = (0, 1) if depth <= 1 else (next(choices) & 1,)
        for turned in turns:
            made = _split(
                net.copy(limit),
                target,
                mask,
                place=place,
                turned=turned,
                rest=rest,
                choices=choices,
                depth=depth + 1,
            )
            if made is not None:
                best = made
                limit = len(made[0].gates) - 1
    if best is not None:
        best[0].limit = net.limit
    return best


def _split(
    net: _Net,
    target: int,
    mask: int,
    *,
    place: int,
    turned: int,
    rest: Sequence[int],
    choices: Iterator[int],
    depth: int,
) -> _Made | None:
    """Make ``target`` of two halves, as input ``place`` is 0 or 1."""
    # Two gates will join the halves: they are kept free.
    if net.room() < _JOINING_GATES:
        return None
    inner = net.copy(net.limit - _JOINING_GATES)
    chosen = _VARIABLES[place]
    # Turned around, s OR d is all ones where s is 1, so the first half is made complemented.
    first_rows, first = (chosen, target ^ _ALL) if turned else (chosen ^ _ALL, target)
    made = _make(
        inner,
        first,
        mask & first_rows,
        inputs=rest,
        choices=choices,
        depth=depth,
    )
    if made is None:
        return None
    half, node = made
    made = _make(
        half,
        target ^ half.tables[node],
        mask & ~first_rows,
        inputs=rest,
        choices=choices,
        depth=depth,
    )
    if made is None:
        return None
    whole, difference = made
    whole.limit = net.limit
    switched = whole.add(Gate("or" if turned else "and", difference, place))
    return whole, whole.add(Gate("xor", node, switched))


def _find(net: _Net, want: int, mask: int) -> int | None:
    """Return a node that gives ``want`` in the rows of ``mask``, adding at most two gates."""
    masked = [table & mask for table in net.tables]
    if want in masked:
        return masked.index(want)
    if net.room() < 1:
        return None
    gate = _one_gate(masked, want, mask)
    if gate is not None:
        return net.add(gate)
    return _two_gates(net, masked, want, mask=mask) if net.room() >= _JOINING_GATES else None


def _one_gate(masked: Sequence[int], want: int, mask: int) -> Gate | None:
    """Return a gate that gives ``want`` in the rows of ``mask``."""
    node_of = dict(zip(masked, range(len(masked)), strict=True))
    node = node_of.get(want ^ mask)
    if node is not None:
        return Gate("not", node, node)
    for node, table in enumerate(masked):
        other = node_of.get(table ^ want)
        if other is not None:
            return Gate("xor", node, other)
    above = [node for node, table in enumerate(masked) if table & want == want]
    for left, right in combinations(above, 2):
        if masked[left] & masked[right] == want:
            return Gate("and", left, right)
    below = [node for node, table in enumerate(masked) if table | want == want]
    for left, right in combinations(below, 2):
        if masked[left] | masked[right] == want:
            return Gate("or", left, right)
    return None


def _two_gates(net: _Net, masked: Sequence[int], want: int, *, mask: int) -> int | None:
    """Add two gates that give ``want`` in the rows of ``mask``, and return the node of it."""
    for node, table in enumerate(masked):
        ways: list[tuple[Operation, int, int]] = [("xor", want ^ table, mask)]
        # Behind an AND only the rows count in which the other operand is 1, behind an OR the rest.
        if table & want == want:
            ways.append(("and", want, mask & table))
        if table | want == want:
            ways.append(("or", want & ~table, mask & ~table))
        for operation, inner, rows in ways:
            gate = _one_gate([other & rows for other in masked], inner, rows)
            if gate is not None:
                return net.add(Gate(operation, node, net.add(gate)))
    gate = _one_gate(masked, want ^ mask, mask)
    if gate is not None:
        inverted = net.add(gate)
        return net.add(Gate("not", inverted, inverted))
    return None
