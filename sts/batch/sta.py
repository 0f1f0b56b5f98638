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

from collections.abc import Callable, Sequence
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

_Step: TypeAlias = tuple[Callable[..., object], tuple[NDArray[np.uint64], ...]]
"""A ufunc and its operands, the last of which takes the result."""

_UFUNCS: Final[dict[str, Callable[..., object]]] = {
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "not": np.invert,
}


class _Direction(NamedTuple):
    """What one direction does in each round, from the tables alone.

    Attributes:
        circuit: The substitution.
        gather: Entry j names the plane that becomes plane j, planes counted bit by bit.
    """

    circuit: Circuit
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
        self._temporary: list[Planes] = []
        self._encrypting = self._rounds(self._encryption.circuit, self._state, self._substituted)
        self._decrypting = self._rounds(self._decryption.circuit, self._substituted, self._state)

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
        for steps in self._encrypting:
            _run(steps)
            np.take(substituted, self._encryption.gather, axis=0, out=state, mode="clip")
        self._store(self._state, out)

    def decrypt(
        self, blocks: NDArray[np.uint64], keys: NDArray[np.uint8], out: NDArray[np.uint64]
    ) -> None:
        """Write the clear blocks of ``blocks`` to ``out``; arguments as for ``encrypt``."""
        self._load_keys(keys)
        self._load(blocks, self._state)
        state, substituted = self._flat(self._state), self._flat(self._substituted)
        for steps in reversed(self._decrypting):
            np.take(state, self._decryption.gather, axis=0, out=substituted, mode="clip")
            _run(steps)
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

    def _rounds(self, circuit: Circuit, source: Planes, target: Planes) -> list[list[_Step]]:
        """Bind the gates of each round to the memory they work on."""
        rounds = []
        for number in range(_ROUNDS):
            window, residue = divmod(_ROUNDS - 1 - number, _NIBBLE_BITS)
            chosen = self._keys[residue, window : window + _NIBBLES]
            rounds.append(self._bound(circuit, [*source, chosen], target))
        return rounds

    def _bound(self, circuit: Circuit, inputs: Sequence[Planes], target: Planes) -> list[_Step]:
        """Bind the gates of a circuit, giving memory back as soon as its node is read no more."""
        last_read = {node: at for at, gate in enumerate(circuit.gates) for node in gate[1:]}
        output_of = {node: bit for bit, node in enumerate(circuit.outputs)}
        places = dict(enumerate(inputs))
        free = list(self._temporary)
        steps: list[_Step] = []
        for at, gate in enumerate(circuit.gates):
            node = INPUTS + at
            if node in output_of:
                place = target[output_of[node]]
            elif free:
                place = free.pop()
            else:
                place = np.empty_like(target[0])
                self._temporary.append(place)
            places[node] = place
            operands = dict.fromkeys((gate.left, gate.right))
            steps.append((_UFUNCS[gate.operation], (*[places[each] for each in operands], place)))
            free += [
                places[each]
                for each in operands
                if last_read[each] == at and each >= INPUTS and each not in output_of
            ]
        # A table may hand a bit through, or give the same bit twice.
        for bit, node in enumerate(circuit.outputs):
            if places[node] is not target[bit]:
                steps.append((np.bitwise_or, (places[node], places[node], target[bit])))
        return steps


def _run(steps: list[_Step]) -> None:
    for operation, operands in steps:
        operation(*operands)


@lru_cache(maxsize=_KEPT_TABLE_SETS)
def _directions(tables: StaTables) -> tuple[_Direction, _Direction]:
    """Work out everything that depends on the tables alone (some 0.7 s)."""
    # The key is complemented: where its bit is 1, the first table counts.
    encryption = _Direction(
        circuit=circuit_for(tables.substitution_2, tables.substitution_1),
        gather=_gather(_inverse(tables.permutation)),
    )
    decryption = _Direction(
        circuit=circuit_for(_inverse(tables.substitution_2), _inverse(tables.substitution_1)),
        gather=_gather(tables.permutation),
    )
    return encryption, decryption


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
