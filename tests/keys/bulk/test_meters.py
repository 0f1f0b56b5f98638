"""What comes out is what the scalar core makes, and what virtual meters take."""

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from keys.bulk import sources
from keys.bulk.errors import BulkError, InputChangedError, NotVerifiedError
from keys.bulk.generate import generate
from keys.bulk.job import Operation
from keys.bulk.verify import verify
from sts import (
    BaseDate,
    EncryptionAlgorithm,
    KeyAttributes,
    KeyDerivation,
    KeyExpiryNumber,
    KeyGenerationAlgorithm,
    KeyRevisionNumber,
    KeyType,
    MeterPan,
    SupplyGroupCode,
    TariffIndex,
    new_cipher,
)
from sts.meter.acceptance import apply
from sts.meter.outcomes import Accepted, PartStored
from sts.meter.profiles import PROFILES
from sts.meter.registers import Register
from sts.meter.spec import MeterSpec
from sts.meter.state import DecoderKeyRegister, Volatile, new_state
from tests.keys.bulk.conftest import DES_KEY, LONG_KEY, METERS, NOW, SHARED, Depot

Text = Callable[..., str]
SETS = 1000
_CIPHERS = ("07", "11", "07", "11")
_INDEXES = ("01", "01", "02", "02")


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="ascii") as file:
        return list(csv.DictReader(file))


def test_meters_that_take_their_sets_are_on_the_new_key_with_their_credit_kept(
    depot: Depot,
) -> None:
    source = depot.folder / "fleet.csv"
    generate(source, SETS, seed=2024, given={**SHARED, "to_krn": "2"})
    job = depot.job(source)
    depot.done(job)
    old = KeyDerivation(KeyGenerationAlgorithm.DKGA02, DES_KEY)
    new = KeyDerivation(KeyGenerationAlgorithm.DKGA04, LONG_KEY)
    made = _rows(job.output)
    assert len(made) == SETS
    for number, row in enumerate(made):
        present, goal = (
            KeyAttributes(
                meter_pan=MeterPan.parse(row["meter"]),
                supply_group_code=SupplyGroupCode(201457),
                tariff_index=TariffIndex(1),
                key_revision_number=KeyRevisionNumber(revision),
                key_type=KeyType.UNIQUE,
                base_date=base,
                encryption_algorithm=EncryptionAlgorithm.STA,
            )
            for revision, base in ((1, BaseDate.Y1993), (2, BaseDate.Y2014))
        )
        spec = MeterSpec(
            decoder_reference_number=present.meter_pan.drn,
            encryption_algorithm=EncryptionAlgorithm.STA,
            profile=PROFILES["plain"],
        )
        register = DecoderKeyRegister.from_attributes(
            old.derive(present), present, key_expiry_number=KeyExpiryNumber(255)
        )
        state, volatile = new_state(spec, register, now=NOW), Volatile()
        tids = tuple(range(1000, 1000 + len(state.tid_store)))
        state = replace(state, credit=Register(whole=5_000), tid_store=tids)
        tokens = [row["token_1"], row["token_2"]]
        reaction = None
        for digits in tokens if number % 2 else reversed(tokens):
            cipher = new_cipher(EncryptionAlgorithm.STA, old.derive(present))
            reaction = apply(spec, state, volatile, digits=digits, cipher=cipher, now=NOW)
            assert isinstance(reaction.outcome, PartStored | Accepted)
            state, volatile = reaction.state, reaction.volatile
        assert reaction is not None
        assert isinstance(reaction.outcome, Accepted)
        assert state.key_register.decoder_key == new.derive(goal)
        assert state.credit.whole == 5_000
        assert not any(state.tid_store)


@pytest.mark.parametrize("operation", list(Operation))
def test_every_row_of_every_operation_is_verified_without_the_array_engine(
    depot: Depot, csv_text: Text, operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "CSV_PART_BYTES", 200)
    usual = {**SHARED, "krn": "2", "ken": "255"}
    table = depot.table(
        csv_text(
            *(
                {"meter": meter, "tenths": str(100 * n), "ea": ea, "ti": ti}
                for n, (meter, ea, ti) in enumerate(zip(METERS, _CIPHERS, _INDEXES, strict=True))
            ),
            {"meter": "01000000009"},
            common=usual,
        )
    )  # fmt: skip
    source = table
    changes: dict[str, Any] = {}
    if operation is Operation.KEY_CHANGE:
        changes = {"given": {"to_ti": "07"}, "options": {"three": "yes"}}
    if operation is Operation.DECODE:
        credit = depot.job(table, "credit.csv", operation=Operation.CREDIT)
        depot.done(credit)
        tokens = {row["meter"]: row["token"] for row in _rows(credit.output)}
        lines = table.read_text(encoding="ascii").splitlines()
        cells = ["token", *(tokens.get(line.split(",")[0], "1" * 19) for line in lines[1:])]
        source = depot.table(
            "".join(f"{line},{cell}\n" for line, cell in zip(lines, cells, strict=True)), "t.csv"
        )
    job = depot.job(source, operation=operation, **changes)
    depot.done(job)
    found = verify(source, job.output, depot.opened().bulk_access(), sample=None)
    assert (found.rows, found.right, found.checked) == (5, 4, 4)
    few = verify(source, job.output, depot.opened().bulk_access(), sample=2)
    assert few.checked == 2


def _forged(depot: Depot, change: Callable[[list[str]], list[str]]) -> BulkError:
    """Return what verification says when output and manifest have both been changed."""
    source = depot.folder / "fleet.csv"
    generate(source, 5, seed=1, given={**SHARED, "to_krn": "2"})
    job = depot.job(source)
    depot.done(job)
    manifest = job.output.with_name("out.csv.manifest")
    before = sources._digest(job.output)  # noqa: SLF001 - to forge it
    lines = change(job.output.read_text(encoding="ascii").splitlines())
    job.output.write_text("\n".join(lines) + "\n", encoding="ascii")
    text = manifest.read_text(encoding="ascii")
    manifest.write_text(
        text.replace(before, sources._digest(job.output)),  # noqa: SLF001 - as above
        encoding="ascii",
    )
    with pytest.raises(BulkError) as refusal:
        verify(source, job.output, depot.opened().bulk_access(), sample=None)
    return refusal.value


def _with_anothers_tokens(lines: list[str]) -> list[str]:
    mine, others = lines[3].split(","), lines[2].split(",")
    return [*lines[:3], ",".join([*mine[:2], *others[2:]]), *lines[4:]]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: [lines[0], *lines[2:]], "line 2 of the input: neither"),
        (lambda lines: [*lines, lines[-1]], "line 6 of the input: more rows"),
        (lambda lines: [lines[0], lines[1].replace("2,0001", "2,0002"), *lines[2:]], "another"),
        (lambda lines: [lines[0], "2" + lines[2][1:], *lines[2:]], "line 2 of the input: another"),
        (_with_anothers_tokens, "line 4 of the input: CRC_MISMATCH"),
    ],
)  # fmt: skip
def test_an_output_that_was_tampered_with_is_not_verified(
    depot: Depot, change: Callable[[list[str]], list[str]], said: str
) -> None:
    refusal = _forged(depot, change)
    assert isinstance(refusal, NotVerifiedError)
    assert refusal.code == "NOT_VERIFIED"
    assert said in str(refusal)


def test_files_that_are_not_those_of_the_manifest_are_not_verified(depot: Depot) -> None:
    source = depot.folder / "fleet.csv"
    generate(source, 5, seed=1, given={**SHARED, "to_krn": "2"})
    job = depot.job(source)
    access = depot.opened().bulk_access()
    with pytest.raises(BulkError) as refusal:
        verify(source, job.output, access, sample=None)
    assert refusal.value.code == "INPUT_FORMAT"
    depot.done(job)
    with source.open("a", encoding="ascii") as file:
        file.write("\n")
    with pytest.raises(InputChangedError):
        verify(source, job.output, access, sample=None)
