"""A million random rows by the batch engine and by the scalar core: they must be the same.

Not a measurement but a long test, so it runs only when it is named: ``python -m benchmarks
agreement``. Any row that differs ends it with an error.
"""

from typing import Final

import numpy as np

import sts
from benchmarks.measure import row
from sts import batch
from sts.layouts import KIND_INDEX

ROWS: Final = 1_000_000
_PIECE: Final = 100_000
_SEED: Final = 62055
_SHARES: Final = (
    (sts.EncryptionAlgorithm.STA, 0.5),
    (sts.EncryptionAlgorithm.MISTY1, 0.49),
    (sts.EncryptionAlgorithm.DEA, 0.01),
)
_GENERATIONS: Final = (
    (sts.KeyGenerationAlgorithm.DKGA02, 64, sts.EncryptionAlgorithm.STA),
    (sts.KeyGenerationAlgorithm.DKGA04, 160, sts.EncryptionAlgorithm.STA),
    (sts.KeyGenerationAlgorithm.DKGA04, 160, sts.EncryptionAlgorithm.MISTY1),
)


def run() -> None:
    """Compare and print."""
    print("agreement of the batch engine with the scalar core")
    source = np.random.default_rng(_SEED)
    for algorithm, share in _SHARES:
        rows = round(ROWS * share)
        for start in range(0, rows, _PIECE):
            _compare_tokens(algorithm, min(_PIECE, rows - start), source)
        row(f"EA{algorithm.value}, both ways", f"{rows:,} rows", "all the same")
    for generation, bits, algorithm in _GENERATIONS:
        vending_key = sts.VendingKey(source.bytes(bits // 8))
        derivation = sts.KeyDerivation(generation, vending_key)
        _compare_keys(derivation, vending_key, algorithm=algorithm, source=source)
        name = f"DKGA{generation.value} for EA{algorithm.value}"
        row(name, f"{_PIECE:,} rows", "all the same")


def _compare_tokens(
    algorithm: sts.EncryptionAlgorithm, rows: int, source: np.random.Generator
) -> None:
    shape = (rows, algorithm.key_bits // 8)
    keys = batch.DecoderKeys(source.integers(0, 256, shape, dtype=np.uint8))
    tids, rnd = source.integers(0, 1 << 24, rows), source.integers(0, 16, rows)
    # Every fiftieth amount is too large, and an eighth need an exponent.
    tenths = source.integers(0, 18_600_000, rows) >> source.integers(0, 12, rows)
    amounts = batch.encode_amounts(tenths)
    contents = batch.transfer_credits(
        tids=tids, amount_codes=amounts.codes, rnd=rnd, status=amounts.status
    )
    cipher = batch.new_cipher(algorithm, keys)
    made = batch.encode(contents, cipher)
    # Every tenth token is entered into another meter, where its checksum is nearly always wrong.
    entered = made.digits.copy()
    entered[::10] = np.roll(entered[::10], 1)
    read = batch.decode(entered, cipher)
    for number in range(rows):
        key = sts.DecoderKey(keys.expose()[number].tobytes())
        scalar = sts.new_cipher(algorithm, key)
        wanted = _issue(int(tenths[number]), int(tids[number]), int(rnd[number]), cipher=scalar)
        found = made.digits[number].decode(), batch.Status(made.status[number]).code
        _require(wanted == found, algorithm, number)
        said = _read(entered[number].decode(), scalar)
        status = batch.Status(read.status[number]).code
        values = (read.token_class[number], read.subclass[number], read.content[number])
        _require(said == (status, *(int(value) for value in values)), algorithm, number)


def _issue(tenths: int, tid: int, rnd: int, *, cipher: sts.BlockCipher) -> tuple[str, str]:
    """Return the digits by the scalar core, or why there are none."""
    try:
        amount = sts.encode_amount(tenths)
    except sts.StsError as error:
        return "", error.code
    token = sts.TransferCredit(service=sts.Service.ELECTRICITY, rnd=rnd, tid=tid, amount=amount)
    return sts.encode(token, cipher), "OK"


def _read(digits: str, cipher: sts.BlockCipher) -> tuple[str, int, int, int]:
    """Return status, class, subclass and content by the scalar core."""
    try:
        token = sts.decode(digits, cipher)
    except sts.StsError as error:
        return error.code, 0, 0, 0
    kind = KIND_INDEX[token.token_class, token.subclass, cipher.key_bits]
    return "OK", token.token_class, token.subclass, kind.layout.pack(kind.fields_of(token))


def _compare_keys(
    derivation: sts.KeyDerivation,
    vending_key: sts.VendingKey,
    *,
    algorithm: sts.EncryptionAlgorithm,
    source: np.random.Generator,
) -> None:
    labels = batch.drns_from_serials("0712", source.integers(0, 100_000_000, _PIECE)).digits
    # In some labels a digit is changed, so that their check digits are wrong.
    labels[::10] = np.char.replace(labels[::10], b"3", b"4")
    groups, tariffs = source.integers(0, 1_000_000, _PIECE), source.integers(0, 100, _PIECE)
    revisions, key_types = source.integers(1, 10, _PIECE), source.integers(0, 4, _PIECE)
    keys = batch.derive_decoder_keys(
        derivation.algorithm,
        vending_key,
        batch.KeyAttributeColumns(
            meter_pans=batch.parse_meter_numbers(labels),
            supply_group_codes=groups,
            tariff_indexes=tariffs,
            key_revision_numbers=revisions,
            key_types=key_types,
            base_date=sts.BaseDate.Y2014,
            encryption_algorithm=algorithm,
        ),
    )
    nothing = bytes(algorithm.key_bits // 8)
    for number in range(_PIECE):
        try:
            attributes = sts.KeyAttributes(
                meter_pan=sts.MeterPan.parse(labels[number].decode()),
                supply_group_code=sts.SupplyGroupCode(int(groups[number])),
                tariff_index=sts.TariffIndex(int(tariffs[number])),
                key_revision_number=sts.KeyRevisionNumber(int(revisions[number])),
                key_type=sts.KeyType(int(key_types[number])),
                base_date=sts.BaseDate.Y2014,
                encryption_algorithm=algorithm,
            )
            wanted = derivation.derive(attributes).expose(), "OK"
        except sts.StsError as error:
            wanted = nothing, error.code
        found = keys.expose()[number].tobytes(), batch.Status(keys.status[number]).code
        _require(wanted == found, algorithm, number)


def _require(same: bool, algorithm: sts.EncryptionAlgorithm, number: int) -> None:  # noqa: FBT001 - as an assertion has it
    if not same:
        message = f"EA{algorithm.value}, row {number} of its piece: the engines do not agree"
        raise SystemExit(message)
