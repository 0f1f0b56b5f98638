"""Tokens and keys a second, one at a time, on one core, with keys already parsed."""

from itertools import cycle
from typing import Final

import sts
from benchmarks.measure import machine, rate, row, yardstick

_CALLS: Final = 3_000
_AIMS: Final = {"07": 25_000, "11": 15_000}
_DERIVATION_AIM: Final = 100_000
_VENDING_KEYS: Final = {"02": "ab" * 8, "04": "ab" * 8 + "94" * 8 + "01234567"}


def run() -> None:
    """Measure and print."""
    unit = yardstick()
    print(f"core, scalar ({machine()})")
    row("SHA-256 of 64 bytes", f"{unit:,}/s")
    for algorithm in (sts.EncryptionAlgorithm.STA, sts.EncryptionAlgorithm.MISTY1):
        _tokens(algorithm, unit)
    for generation in (sts.KeyGenerationAlgorithm.DKGA02, sts.KeyGenerationAlgorithm.DKGA04):
        _derivation(generation, unit)


def _show(name: str, per_second: int, unit: int, *, aim: int | None = None) -> None:
    wanted = "" if aim is None else f"aim {aim:,}/s"
    row(name, f"{per_second:,}/s", f"{unit / per_second:6.1f} × SHA-256  {wanted}")


def _tokens(algorithm: sts.EncryptionAlgorithm, unit: int) -> None:
    """Measure over changing identifiers and amounts, so that no answer is met twice in a row."""
    cipher = sts.new_cipher(algorithm, sts.DecoderKey(bytes(range(algorithm.key_bits // 8))))
    tokens = [
        sts.TransferCredit(
            service=sts.Service.ELECTRICITY,
            rnd=number % 16,
            tid=6_000_000 + number,
            amount=sts.encode_amount(number * 7),
        )
        for number in range(997)
    ]
    digits = [sts.encode(token, cipher) for token in tokens]
    next_token, next_digits = cycle(tokens).__next__, cycle(digits).__next__
    encodes = rate(lambda: sts.encode(next_token(), cipher), _CALLS)
    decodes = rate(lambda: sts.decode(next_digits(), cipher), _CALLS)
    blocks = rate(lambda: cipher.encrypt_block(0x0123_4567_89AB_CDEF), _CALLS)
    fresh = rate(
        lambda: sts.new_cipher(algorithm, sts.DecoderKey(bytes(algorithm.key_bits // 8))), _CALLS
    )
    name = f"EA{algorithm.value}"
    _show(f"{name} encode", encodes, unit, aim=_AIMS[algorithm.value])
    _show(f"{name} decode", decodes, unit)
    _show(f"{name} cipher block", blocks, unit)
    _show(f"{name} key schedule", fresh, unit)


def _derivation(generation: sts.KeyGenerationAlgorithm, unit: int) -> None:
    derivation = sts.KeyDerivation(
        generation, sts.VendingKey.from_hex(_VENDING_KEYS[generation.value])
    )
    attributes = [
        sts.KeyAttributes(
            meter_pan=sts.MeterPan.from_drn(sts.DecoderReferenceNumber.from_serial("00", serial)),
            supply_group_code=sts.SupplyGroupCode(201457),
            tariff_index=sts.TariffIndex(1),
            key_revision_number=sts.KeyRevisionNumber(1),
            key_type=sts.KeyType.UNIQUE,
            base_date=sts.BaseDate.Y2014,
            encryption_algorithm=sts.EncryptionAlgorithm.STA,
        )
        for serial in range(997)
    ]
    next_attributes = cycle(attributes).__next__
    per_second = rate(lambda: derivation.derive(next_attributes()), _CALLS)
    _show(f"DKGA{generation.value} derivation", per_second, unit, aim=_DERIVATION_AIM)
