"""Tokens and keys a second by the batch engine, on one core, beside the scalar core.

Everything is measured from arrays to arrays, keys and checks included, in the time of the
processor. The best of several rounds is what the machine can do, the median what it does while
others use it too.
"""

import statistics
from collections.abc import Callable
from time import process_time
from typing import Final

import numpy as np

import sts
from benchmarks.measure import ROUNDS, machine, row
from sts import batch
from sts.batch.circuit import circuit_for
from sts.batch.sta import StaKernel
from sts.ciphers import SAMPLE_TABLES

ROWS: Final = 1_000_000
_SCALAR_ROWS: Final = 3_000
_TOKEN_AIMS: Final = {"07": 4_400_000, "11": 3_400_000}
_DERIVATION_AIMS: Final = {"02": 3_000_000, "04": 700_000}
_VENDING_KEYS: Final = {"02": "ab" * 8, "04": "ab" * 8 + "94" * 8 + "01234567"}
_UNIQUE: Final = sts.KeyType.UNIQUE
_GROUP: Final = sts.SupplyGroupCode(201457)


def run() -> None:
    """Measure and print."""
    print(f"batch, one core, {ROWS:,} rows ({machine()}, NumPy {np.__version__})")
    _tables()
    for algorithm in (sts.EncryptionAlgorithm.STA, sts.EncryptionAlgorithm.MISTY1):
        _tokens(algorithm)
    _numbers()
    for generation in (sts.KeyGenerationAlgorithm.DKGA02, sts.KeyGenerationAlgorithm.DKGA04):
        _derivation(generation)


def _rates(call: Callable[[], object], rows: int) -> tuple[float, float]:
    """Return rows a second: the best and the median of several rounds."""
    rates = []
    for _ in range(ROUNDS):
        start = process_time()
        call()
        rates.append(rows / (process_time() - start))
    return max(rates), statistics.median(rates)


def _show(
    name: str, call: Callable[[], object], *, scalar: float | None = None, aim: int | None = None
) -> None:
    best, median = _rates(call, ROWS)
    note = f"median {median:>11,.0f}/s"
    note += "" if scalar is None else f"  {median / scalar:6.0f} × scalar"
    note += "" if aim is None else f"  aim {aim:,}/s"
    row(name, f"{best:,.0f}/s", note)


def _scalar(call: Callable[[int], object]) -> float:
    """Return calls of the scalar core a second, the median of several rounds."""
    return _rates(lambda: [call(number) for number in range(_SCALAR_ROWS)], _SCALAR_ROWS)[1]


def _tables() -> None:
    start = process_time()
    StaKernel(SAMPLE_TABLES, 64)
    gates = circuit_for(SAMPLE_TABLES.substitution_2, SAMPLE_TABLES.substitution_1).gates
    row("EA07 circuits", f"{process_time() - start:.2f} s", f"once; {len(gates)} gates")


def _tokens(algorithm: sts.EncryptionAlgorithm) -> None:
    source = np.random.default_rng(1)
    shape = (ROWS, algorithm.key_bits // 8)
    keys, new_keys = (
        batch.DecoderKeys(source.integers(0, 256, shape, dtype=np.uint8)) for _ in range(2)
    )
    cipher = batch.new_cipher(algorithm, keys)
    tids = source.integers(0, 1 << 24, ROWS)
    rnd = source.integers(0, 16, ROWS)
    tenths = source.integers(0, 20_000, ROWS)
    changes = batch.KeyChanges(
        new_keys=new_keys,
        key_expiry_numbers=255,
        key_revision_numbers=2,
        key_types=_UNIQUE,
        tariff_indexes=1,
        rollover=True,
        supply_group_codes=_GROUP,
    )

    def issue() -> batch.Tokens:
        amounts = batch.encode_amounts(tenths)
        contents = batch.transfer_credits(
            tids=tids, amount_codes=amounts.codes, rnd=rnd, status=amounts.status
        )
        return batch.encode(contents, cipher)

    digits = issue().digits

    def read() -> object:
        contents = batch.decode(digits, cipher)
        return contents.field("tid"), batch.amount_values(contents.field("amount"))

    def scalar_cipher(number: int) -> sts.BlockCipher:
        return sts.new_cipher(algorithm, sts.DecoderKey(keys.expose()[number].tobytes()))

    def scalar_issue(number: int) -> str:
        token = sts.TransferCredit(
            service=sts.Service.ELECTRICITY,
            rnd=int(rnd[number]),
            tid=int(tids[number]),
            amount=sts.encode_amount(int(tenths[number])),
        )
        return sts.encode(token, scalar_cipher(number))

    def scalar_read(number: int) -> sts.Token:
        return sts.decode(digits[number].decode(), scalar_cipher(number))

    name, aim = f"EA{algorithm.value}", _TOKEN_AIMS[algorithm.value]
    blocks = source.integers(0, 1 << 64, ROWS, dtype=np.uint64)
    _show(f"{name} cipher blocks", lambda: cipher.encrypt_blocks(blocks))
    _show(f"{name} credit tokens", issue, scalar=_scalar(scalar_issue), aim=aim)
    _show(f"{name} decoded to fields", read, scalar=_scalar(scalar_read), aim=aim)
    size = 4 if algorithm is sts.EncryptionAlgorithm.MISTY1 else 2
    _show(f"{name} key change sets of {size}", lambda: batch.encode_key_changes(changes, cipher))


def _numbers() -> None:
    labels = batch.drns_from_serials("07", np.arange(ROWS)).digits
    _show(
        "meter numbers checked",
        lambda: batch.parse_meter_numbers(labels),
        scalar=_scalar(lambda number: sts.MeterPan.parse(labels[number].decode())),
    )


def _derivation(generation: sts.KeyGenerationAlgorithm) -> None:
    vending_key = sts.VendingKey.from_hex(_VENDING_KEYS[generation.value])
    pans = batch.parse_meter_numbers(batch.drns_from_serials("07", np.arange(ROWS)).digits)
    attributes = batch.KeyAttributeColumns(
        meter_pans=pans,
        supply_group_codes=_GROUP,
        tariff_indexes=1,
        key_revision_numbers=1,
        key_types=_UNIQUE,
        base_date=sts.BaseDate.Y2014,
        encryption_algorithm=sts.EncryptionAlgorithm.STA,
    )
    derivation = sts.KeyDerivation(generation, vending_key)

    def scalar_derive(number: int) -> sts.DecoderKey:
        return derivation.derive(
            sts.KeyAttributes(
                meter_pan=sts.MeterPan(pans.digits[number].decode()),
                supply_group_code=_GROUP,
                tariff_index=sts.TariffIndex(1),
                key_revision_number=sts.KeyRevisionNumber(1),
                key_type=_UNIQUE,
                base_date=sts.BaseDate.Y2014,
                encryption_algorithm=sts.EncryptionAlgorithm.STA,
            )
        )

    _show(
        f"DKGA{generation.value} derivation",
        lambda: batch.derive_decoder_keys(generation, vending_key, attributes),
        scalar=_scalar(scalar_derive),
        aim=_DERIVATION_AIMS[generation.value],
    )
