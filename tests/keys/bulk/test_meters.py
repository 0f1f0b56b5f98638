"""What comes out is what the scalar core makes, and what virtual meters take."""

import csv
from dataclasses import replace
from pathlib import Path

from keys.bulk.generate import generate
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
from tests.keys.bulk.conftest import DES_KEY, LONG_KEY, NOW, SHARED, Depot

SETS = 1000


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
