"""EA07 bit-sliced: 64 blocks in every machine word, each under a key of its own.

The blocks of a chunk are turned into 64 bit planes (``sts.batch.bit_planes``), and so are the keys.
Then a round is

    substitution   a circuit of some 37 AND, OR, XOR and NOT (``sts.batch.circuit``), each of them
                   one NumPy call over all 16 nibbles and all rows of the chunk
    permutation    64 planes copied to other places: no bit moves within a word
    key            the same key planes, read one place further on

The round key rotates by one bit a round, and of each of its nibbles only the highest bit counts.
Bit 4n + 3 of the key of round r is bit 4n + 15 − r of the decoder key (complemented, modulo 64). So
for q = 15 − r the choosing planes are those of bits q, q + 4, q + 8 …: a window of 16 planes that
begins q ÷ 4 planes into the residue class q mod 4. The complement costs nothing: the tables change
places in the circuit instead.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sts.batch.bit_planes import WORD_BITS, Planes, turn, words_for
from sts.batch.circuit import INPUTS, Circuit, circuit_for
from sts.ciphers import StaTables

_ROUNDS: Final = 16
_NIBBLES: Final = 16
_NIBBLE_BITS: Final = 4
_WINDOWS: Final = _NIBBLES + (_ROUNDS - 1) // _NIBBLE_BITS
"""Planes of a residue class with those repeated into which the last windows reach."""
_KEPT_TABLE_SETS: Final = 4
_FIRST_SPARE: Final = INPUTS + _NIBBLE_BITS

_UFUNCS: Final[dict[str, Callable[..., object]]] = {
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "not": np.invert,
}

_Calls: TypeAlias = list[tuple[Callable[..., object], tuple[NDArray[np.uint64], ...]]]
"""Ufuncs and their operands, the last of which takes the result."""


class _Step(NamedTuple):
    """One call of a ufunc: what it reads and where it writes, as places of memory."""

    ufunc: Callable[..., object]
    operands: tuple[int, ...]
    result: int


class _Direction(NamedTuple):
    """What one direction does in each round, from the tables alone.

    Attributes:
        steps: The substitution. Places 0 to 3 are the bits of the nibbles before it, 4 the choosing
            bits, 5 to 8 the bits after it, and those from 9 on are for what lies between.
        places: How many places there are.
        gather: Entry j names the plane that becomes plane j, planes counted bit by bit.
    """

    steps: tuple[_Step, ...]
    places: int
    gather: NDArray[np.intp]


class StaKernel:
    """Encrypts and decrypts chunks of up to ``rows`` blocks; holds no key between calls.

    Args:
        tables: The set of tables.
        rows: The most rows of a call; the working memory is some 90 bytes a row.
    """

    def __init__(self, tables: StaTables, rows: int) -> None:
        """Find the circuits of the tables and set memory aside."""
        self._words = words_for(rows)
        self._encryption, self._decryption = _directions(tables)
        shape = (_NIBBLE_BITS, _NIBBLES, self._words)
        self._rows = np.empty((WORD_BITS, self._words), np.uint64)
        self._half = np.empty((WORD_BITS // 2, self._words), np.uint64)
        self._state = np.empty(shape, np.uint64)
        self._substituted = np.empty(shape, np.uint64)
        self._keys = np.empty((_NIBBLE_BITS, _WINDOWS, self._words), np.uint64)
        spare = max(self._encryption.places, self._decryption.places) - _FIRST_SPARE
        self._spare = np.empty((spare, _NIBBLES, self._words), np.uint64)
        # Bound when first needed: most callers go one way only.
        self._encrypting: list[_Calls] = []
        self._decrypting: list[_Calls] = []

    def encrypt(
        self, blocks: NDArray[np.uint64], keys: NDArray[np.uint8], out: NDArray[np.uint64]
    ) -> None:
        """Write the cipher blocks of ``blocks`` to ``out``.

        Args:
            blocks: At most ``rows`` clear blocks.
            keys: Of the shape (blocks, 8), most significant byte first.
            out: As long as ``blocks``; may be the same array.
        """
        self._load_keys(keys)
        self._load(blocks, self._state)
        state, substituted = self._flat(self._state), self._flat(self._substituted)
        if not self._encrypting:
            self._encrypting = self._bound(self._encryption, self._state, self._substituted)
        for calls in self._encrypting:
            _run(calls)
            np.take(substituted, self._encryption.gather, axis=0, out=state, mode="clip")
        self._store(self._state, out)

    def decrypt(
        self, blocks: NDArray[np.uint64], keys: NDArray[np.uint8], out: NDArray[np.uint64]
    ) -> None:
        """Write the clear blocks of ``blocks`` to ``out``; arguments as for ``encrypt``."""
        self._load_keys(keys)
        self._load(blocks, self._state)
        state, substituted = self._flat(self._state), self._flat(self._substituted)
        if not self._decrypting:
            self._decrypting = self._bound(self._decryption, self._substituted, self._state)
        for calls in reversed(self._decrypting):
            np.take(state, self._decryption.gather, axis=0, out=substituted, mode="clip")
            _run(calls)
        self._store(self._state, out)

    def _flat(self, planes: Planes) -> Planes:
        return planes.reshape(WORD_BITS, self._words)

    def _load(self, blocks: NDArray[np.uint64], planes: Planes) -> None:
        """Turn blocks into planes, those of the same bit of all nibbles side by side."""
        flat = self._rows.reshape(-1)
        flat[: len(blocks)] = blocks
        flat[len(blocks) :] = 0
        turn(self._rows, self._half)
        planes[...] = self._rows.reshape(_NIBBLES, _NIBBLE_BITS, self._words).swapaxes(0, 1)

    def _store(self, planes: Planes, out: NDArray[np.uint64]) -> None:
        by_nibble = self._rows.reshape(_NIBBLES, _NIBBLE_BITS, self._words)
        by_nibble[...] = planes.swapaxes(0, 1)
        turn(self._rows, self._half)
        out[...] = self._rows.reshape(-1)[: len(out)]

    def _load_keys(self, keys: NDArray[np.uint8]) -> None:
        numbers = np.ascontiguousarray(keys).view(">u8").reshape(-1)
        self._load(numbers, self._keys[:, :_NIBBLES])
        self._keys[:, _NIBBLES:] = self._keys[:, : _WINDOWS - _NIBBLES]

    def _bound(self, direction: _Direction, source: Planes, target: Planes) -> list[_Calls]:
        """Return the calls of each round's substitution, with the memory that they work on."""
        rounds = []
        for number in range(_ROUNDS):
            window, residue = divmod(_ROUNDS - 1 - number, _NIBBLE_BITS)
            chosen = self._keys[residue, window : window + _NIBBLES]
            memory = [*source, chosen, *target, *self._spare]
            rounds.append(
                [
                    (step.ufunc, (*[memory[place] for place in step.operands], memory[step.result]))
                    for step in direction.steps
                ]
            )
        return rounds


def _run(calls: _Calls) -> None:
    for ufunc, operands in calls:
        ufunc(*operands)


@lru_cache(maxsize=_KEPT_TABLE_SETS)
def _directions(tables: StaTables) -> tuple[_Direction, _Direction]:
    """Work out everything that depends on the tables alone (some 0.7 s)."""
    # The key is complemented: where its bit is 1, the first table counts.
    encryption = _Direction(
        *_plan(circuit_for(tables.substitution_2, tables.substitution_1)),
        gather=_gather(_inverse(tables.permutation)),
    )
    decryption = _Direction(
        *_plan(circuit_for(_inverse(tables.substitution_2), _inverse(tables.substitution_1))),
        gather=_gather(tables.permutation),
    )
    return encryption, decryption


def _plan(circuit: Circuit) -> tuple[tuple[_Step, ...], int]:
    """Give every gate a place for its result, using places again whose value is read no more."""
    last_read = {node: at for at, gate in enumerate(circuit.gates) for node in gate[1:]}
    bit_of = {node: bit for bit, node in enumerate(circuit.outputs)}
    place_of = {node: node for node in range(INPUTS)}
    places = _FIRST_SPARE
    free: list[int] = []
    steps = []
    for at, gate in enumerate(circuit.gates):
        operands = tuple(dict.fromkeys((gate.left, gate.right)))
        # The result may take the place of an operand: what is freed last is used first, while it
        # is still in the cache.
        free += [
            place_of[node]
            for node in operands
            if last_read[node] == at and node >= INPUTS and node not in bit_of
        ]
        node = INPUTS + at
        if node in bit_of:
            place_of[node] = INPUTS + bit_of[node]
        elif free:
            place_of[node] = free.pop()
        else:
            place_of[node] = places
            places += 1
        read = tuple(place_of[each] for each in operands)
        steps.append(_Step(_UFUNCS[gate.operation], read, place_of[node]))
    # A table may hand a bit through, or give the same bit twice.
    for bit, node in enumerate(circuit.outputs):
        if place_of[node] != INPUTS + bit:
            steps.append(_Step(np.bitwise_or, (place_of[node],) * 2, INPUTS + bit))
    return tuple(steps), places


def _inverse(permutation: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(range(len(permutation)), key=permutation.__getitem__))


def _gather(source: tuple[int, ...]) -> NDArray[np.intp]:
    """Number planes bit by bit: entry for bit b of nibble n at 16·b + n."""
    return np.array(
        [
            _plane(source[_NIBBLE_BITS * nibble + bit])
            for bit in range(_NIBBLE_BITS)
            for nibble in range(_NIBBLES)
        ],
        np.intp,
    )


def _plane(bit: int) -> int:
    return _NIBBLES * (bit % _NIBBLE_BITS) + bit // _NIBBLE_BITS
