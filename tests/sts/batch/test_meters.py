"""Sets that the batch engine made are entered into virtual meters: these move to the new key."""

from dataclasses import replace
from typing import Final

import numpy as np
import pytest

import sts
from sts import batch
from sts.identifiers import (
    BaseDate,
    EncryptionAlgorithm,
    KeyGenerationAlgorithm,
    KeyRevisionNumber,
    KeyType,
    SupplyGroupCode,
    TariffIndex,
)
from sts.key_change import SetSize
from sts.meter.outcomes import Accepted, PartStored
from sts.meter.results import ResultCode
from tests.pair import VENDING_KEY, VendAndMeter
from tests.sts.batch.rows import generator, key_of

STA, _, MISTY1 = EncryptionAlgorithm
_BOUGHT: Final = 1234
_SOLD_AFTERWARDS: Final = 77
_WH: Final = 100
"""In a tenth of a kWh."""
NEW_GROUP: Final = SupplyGroupCode(203557)
SAMPLES: Final[list[tuple[EncryptionAlgorithm, SetSize, int]]] = [
    (STA, 2, 400),
    (STA, 3, 300),
    (MISTY1, 4, 300),
]


class Fleet:
    """Meters with a little credit, and what the batch engine makes for them."""

    def __init__(self, algorithm: EncryptionAlgorithm, rows: int) -> None:
        """Build the meters and derive their present and their new keys."""
        drns = batch.drns_from_serials("01", np.arange(rows) * 7919)
        self.meters = [VendAndMeter(drn.decode(), algorithm) for drn in drns.digits]
        self.present = batch.KeyAttributeColumns(
            meter_pans=batch.parse_meter_numbers(drns.digits),
            supply_group_codes=self.meters[0].attributes.supply_group_code,
            tariff_indexes=1,
            key_revision_numbers=1,
            key_types=KeyType.UNIQUE,
            base_date=BaseDate.Y2014,
            encryption_algorithm=algorithm,
        )
        self.new = replace(
            self.present,
            supply_group_codes=NEW_GROUP,
            tariff_indexes=7,
            key_revision_numbers=2,
            base_date=BaseDate.Y2035,
        )
        self.present_keys, self.new_keys = (
            batch.derive_decoder_keys(KeyGenerationAlgorithm.DKGA04, VENDING_KEY, attributes)
            for attributes in (self.present, self.new)
        )

    def sets(self, set_size: SetSize) -> batch.KeyChangeTokens:
        """Return sets that change key, group, tariff index, revision and base date."""
        changes = batch.KeyChanges(
            new_keys=self.new_keys,
            key_expiry_numbers=200,
            key_revision_numbers=self.new.key_revision_numbers,
            key_types=self.new.key_types,
            tariff_indexes=self.new.tariff_indexes,
            rollover=True,
            supply_group_codes=NEW_GROUP,
        )
        cipher = batch.new_cipher(self.present.encryption_algorithm, self.present_keys)
        return batch.encode_key_changes(changes, cipher, set_size=set_size)

    def credits(self) -> batch.Tokens:
        """Return credit tokens under the new keys, with the first identifiers there are."""
        amounts = batch.encode_amounts(np.full(len(self.meters), _SOLD_AFTERWARDS))
        contents = batch.transfer_credits(
            tids=3, amount_codes=amounts.codes, rnd=5, status=amounts.status
        )
        cipher = batch.new_cipher(self.present.encryption_algorithm, self.new_keys)
        return batch.encode(contents, cipher)


def assert_moved(meter: VendAndMeter, key: sts.DecoderKey, *, group_sent: bool) -> None:
    register = meter.state.key_register
    assert register.decoder_key == key
    assert register.key_revision_number == KeyRevisionNumber(2)
    assert register.tariff_index == TariffIndex(7)
    assert register.base_date is BaseDate.Y2035
    assert register.supply_group_code == (NEW_GROUP if group_sent else SupplyGroupCode(0))
    assert meter.state.credit.whole == _BOUGHT * _WH
    assert set(meter.state.tid_store) == {0}


@pytest.mark.parametrize(("algorithm", "set_size", "rows"), SAMPLES)
def test_a_meter_ends_on_the_new_key_with_its_credit_and_an_empty_store(
    algorithm: EncryptionAlgorithm, set_size: SetSize, rows: int
) -> None:
    fleet = Fleet(algorithm, rows)
    made, sold = fleet.sets(set_size), fleet.credits()
    assert not made.status.any()
    chance = generator()
    for row, meter in enumerate(fleet.meters):
        assert isinstance(meter.credit(_BOUGHT), Accepted)
        old = meter.digits
        digits = [each.decode() for each in made.digits[row]]
        order = chance.permutation(set_size)
        outcomes = [meter.enter(digits[part]) for part in order]
        assert all(isinstance(each, PartStored) for each in outcomes[:-1])
        assert isinstance(outcomes[-1], Accepted)
        assert_moved(meter, key_of(fleet.new_keys, row), group_sent=set_size != 2)
        # The old token is of no use any more, and a new one is.
        assert isinstance(meter.enter(sold.digits[row].decode()), Accepted)
        assert meter.state.credit.whole == (_BOUGHT + _SOLD_AFTERWARDS) * _WH
        assert not isinstance(meter.enter(old), Accepted)


def test_a_set_for_another_meter_is_refused() -> None:
    fleet = Fleet(STA, 2)
    made = fleet.sets(2)
    first = fleet.meters[0]
    outcome = first.enter(made.digits[1][0].decode())
    assert getattr(outcome, "code", None) is ResultCode.CRC_ERROR
    assert first.state.key_register.decoder_key == key_of(fleet.present_keys, 0)
