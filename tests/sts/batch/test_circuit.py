"""Circuits give what the tables give, for any pair of tables."""

from hashlib import sha256
from typing import Final

import pytest

from sts.batch.circuit import INPUTS, Circuit, Gate, circuit_for
from sts.ciphers import SAMPLE_TABLES
from tests.strategies import MADE_UP_TABLES

Table = tuple[int, ...]

_IDENTITY: Final[Table] = tuple(range(16))
_REVERSED: Final[Table] = _IDENTITY[::-1]


def shuffled(seed: str) -> Table:
    return tuple(sorted(range(16), key=lambda entry: sha256(f"{seed}{entry}".encode()).digest()))


PAIRS: Final[dict[str, tuple[Table, Table]]] = {
    "sample": (SAMPLE_TABLES.substitution_1, SAMPLE_TABLES.substitution_2),
    "sample the other way round": (SAMPLE_TABLES.substitution_2, SAMPLE_TABLES.substitution_1),
    "made up": (MADE_UP_TABLES[0].substitution_1, MADE_UP_TABLES[0].substitution_2),
    "nothing at all": (_IDENTITY, _IDENTITY),
    "complement by choice": (_IDENTITY, _REVERSED),
    "complement": (_REVERSED, _REVERSED),
    "one table": (shuffled("one"), shuffled("one")),
    "two tables": (shuffled("first"), shuffled("second")),
}


def evaluate(circuit: Circuit, row: int) -> int:
    """Work the circuit out for one nibble and one choice, gate by gate."""
    nodes = [row >> place & 1 for place in range(INPUTS)]
    for operation, left, right in circuit.gates:
        a, b = nodes[left], nodes[right]
        nodes.append({"and": a & b, "or": a | b, "xor": a ^ b, "not": 1 - a}[operation])
    return sum(nodes[node] << bit for bit, node in enumerate(circuit.outputs))


@pytest.mark.parametrize(("zero", "one"), PAIRS.values(), ids=PAIRS.keys())
def test_a_circuit_gives_what_its_tables_give(zero: Table, one: Table) -> None:
    circuit = circuit_for(zero, one)
    assert [evaluate(circuit, row) for row in range(32)] == [*zero, *one]


@pytest.mark.parametrize(("zero", "one"), PAIRS.values(), ids=PAIRS.keys())
def test_a_circuit_is_small(zero: Table, one: Table) -> None:
    """It decides how fast EA07 is: 38 gates are what the figures in the documents rest on."""
    assert len(circuit_for(zero, one).gates) <= 40


def test_the_same_tables_always_give_the_same_circuit() -> None:
    zero, one = shuffled("third"), shuffled("fourth")
    first = circuit_for(zero, one)
    circuit_for.cache_clear()
    assert circuit_for(zero, one) == first


def test_tables_that_do_nothing_need_no_gate() -> None:
    assert circuit_for(_IDENTITY, _IDENTITY) == Circuit(gates=(), outputs=(0, 1, 2, 3))


def test_a_complement_is_a_gate_with_one_operand() -> None:
    circuit = circuit_for(_REVERSED, _REVERSED)
    assert sorted(circuit.gates) == [Gate("not", bit, bit) for bit in range(4)]
