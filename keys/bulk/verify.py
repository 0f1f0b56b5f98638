"""A finished job checked against the scalar core, row by row.

It shares no code with what made the output: no array engine, no NumPy, no PyArrow. It reads the
files with the standard library, derives the keys of each meter one at a time, reads the tokens as
a meter does, and compares with what the input asks for. Only CSV is read.
"""

import csv
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import file_digest
from pathlib import Path
from typing import Any, Final

from keys.bulk.errors import BulkError, InputChangedError, InputFormatError, NotVerifiedError
from keys.bulk_access import BulkAccess
from keys.errors import KeysError
from keys.key_changes import meter_after, plan_change
from keys.records import check_value_of
from keys.registered_key import KeyName, RegisteredKey
from keys.requests import MeterConfiguration, NewKey
from sts import (
    BlockCipher,
    DecoderKey,
    EncryptionAlgorithm,
    KeyAttributes,
    KeyDerivation,
    KeyExpiryNumber,
    KeyRevisionNumber,
    KeyType,
    MeterPan,
    StsError,
    SupplyGroupCode,
    TariffIndex,
    TransferCredit,
    decode,
    encode_amount,
    new_cipher,
    tid_from_datetime,
)
from sts.key_change import join

_SETS: Final = ("token_1", "token_2", "token_3", "token_4")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was found right.

    Attributes:
        rows: Rows of the input; each came out, or is in the side file.
        right: Rows that came out.
        checked: Rows whose tokens were read and compared.
    """

    rows: int
    right: int
    checked: int


def verify(source: Path, output: Path, access: BulkAccess, *, sample: int | None) -> Verified:
    """Check the output of a job.

    Args:
        source: Its input.
        output: Its output; manifest and side file lie beside it.
        access: The module.
        sample: How many rows to read and compare, evenly spread; None for all.

    Raises:
        NotVerifiedError: A row is missing, or there twice, or says something else.
        InputChangedError: Input or output are not those of the manifest.
        InputFormatError: A file cannot be read.
    """
    manifest = _manifest(output)
    for path, digest in (
        (source, manifest["input"]["digest"]),
        (output, manifest["output"]["digest"]),
    ):
        with path.open("rb") as file:
            if file_digest(file, "sha256").hexdigest() != digest:
                raise InputChangedError(path)
    right = int(manifest["output"]["right"])
    every = 1 if sample is None else max(1, right // max(sample, 1))
    check = _Check(manifest["parameters"], access)
    errors = _lines(output.with_name(f"{output.name}.errors.csv"))
    made = _rows(output)
    refused, row = next(errors, None), next(made, None)
    rows = found = checked = 0
    for line, asked in enumerate(_records(source), 2):
        rows += 1
        if refused == line:
            refused = next(errors, None)
            continue
        if row is None or int(row["line"]) != line:
            raise NotVerifiedError(line, "neither in the output nor in the side file")
        assert asked is not None
        if row["meter"] != asked.get("meter", check.given.get("meter")):
            raise NotVerifiedError(line, "another meter")
        if found % every == 0 and (sample is None or checked < sample):
            try:
                check.row(asked, row)
            except (KeysError, StsError) as error:
                raise NotVerifiedError(line, error.code) from error
            checked += 1
        found, row = found + 1, next(made, None)
    if row is not None or refused is not None or found != right:
        raise NotVerifiedError(rows + 1, "more rows than the input has")
    return Verified(rows=rows, right=found, checked=checked)


class OtherwiseError(BulkError):
    """A row says something else than was asked for."""

    code = "SAYS_OTHERWISE"


class _Check:
    """What holds for all rows, and the vending keys ready for use."""

    def __init__(self, parameters: Mapping[str, Any], access: BulkAccess) -> None:
        """Read the parameters of a job."""
        self.given: Mapping[str, str] = parameters["given"]
        self._operation = parameters["operation"]
        self._tenant = parameters["tenant"]
        self._options: Mapping[str, str] = parameters["options"]
        self._at = datetime.fromisoformat(parameters["at"])
        self._access = access
        self._derivations: dict[KeyName, KeyDerivation] = {}

    def row(self, asked: Mapping[str, str], made: Mapping[str, str]) -> None:
        """Check one row."""
        asked = {**self.given, **asked}
        meter = self._meter(asked)
        key = self._access.register.registered(meter)
        attributes = meter.key_attributes(key.record.base_date)
        present = self._decoder_key(key, attributes)
        cipher = new_cipher(meter.encryption_algorithm, present, sta_tables=self._access.sta_tables)
        if self._operation == "key-change":
            same = self._is_change(asked, made, meter, key=key, cipher=cipher)
        elif self._operation == "credit":
            same = self._is_credit(asked, made, key, cipher=cipher)
        elif self._operation == "decode":
            same = type(decode(asked["token"], cipher)).__name__ == made["kind"]
        else:
            same = hmac.compare_digest(check_value_of(present), made["check_value"])
        if not same:
            raise OtherwiseError

    def _is_change(
        self,
        asked: Mapping[str, str],
        made: Mapping[str, str],
        meter: MeterConfiguration,
        *,
        key: RegisteredKey,
        cipher: BlockCipher,
    ) -> bool:
        sgc, krn, index = (asked.get(name) for name in ("to_sgc", "to_krn", "to_ti"))
        new = NewKey(
            supply_group_code=SupplyGroupCode.parse(sgc) if sgc else meter.supply_group_code,
            key_revision_number=KeyRevisionNumber.parse(krn) if krn else meter.key_revision_number,
            tariff_index=TariffIndex.parse(index) if index else meter.tariff_index,
            with_supply_group_code="three" in self._options,
        )
        target = self._access.register.registered(meter_after(meter, new))
        plan = plan_change(meter, new, present=key, target=target)
        plan.require_permitted(self._at)
        wanted = plan.change(self._decoder_key(target, plan.new.attributes))
        tokens: list[Any] = [decode(made[name], cipher) for name in _SETS if made[name]]
        return len(tokens) == plan.set_size and join(tokens, key_bits=wanted.new_key.bits) == wanted

    def _is_credit(
        self,
        asked: Mapping[str, str],
        made: Mapping[str, str],
        key: RegisteredKey,
        *,
        cipher: BlockCipher,
    ) -> bool:
        token = decode(made["token"], cipher)
        tid = asked.get("tid") or tid_from_datetime(self._at, key.record.base_date)
        return (
            isinstance(token, TransferCredit)
            and token.service.name.lower() == self._options.get("service", "electricity")
            and token.tid == int(tid) == int(made["tid"])
            and token.amount == encode_amount(int(asked["tenths"]))
            and token.amount.tenths == int(made["tenths"])
        )

    def _meter(self, asked: Mapping[str, str]) -> MeterConfiguration:
        ken = asked.get("ken")
        meter = MeterConfiguration(
            tenant=self._tenant,
            meter_pan=MeterPan.parse(asked["meter"]),
            supply_group_code=SupplyGroupCode.parse(asked["sgc"]),
            tariff_index=TariffIndex.parse(asked["ti"]),
            key_revision_number=KeyRevisionNumber.parse(asked["krn"]),
            key_type=KeyType.parse(int(asked["kt"])),
            encryption_algorithm=EncryptionAlgorithm.parse(asked["ea"]),
        )
        return replace(meter, key_expiry_number=KeyExpiryNumber(int(ken))) if ken else meter

    def _decoder_key(self, key: RegisteredKey, attributes: KeyAttributes) -> DecoderKey:
        derivation = self._derivations.get(key.name)
        if derivation is None:
            vending_key = self._access.keys.bulk_vending_key(key)
            derivation = KeyDerivation(key.record.key_generation_algorithm, vending_key)
            self._derivations[key.name] = derivation
        return derivation.derive(attributes)


def _manifest(output: Path) -> Mapping[str, Any]:
    path = output.with_name(f"{output.name}.manifest")
    try:
        found: Mapping[str, Any] = json.loads(path.read_bytes())
    except (OSError, ValueError):
        raise InputFormatError(path, "no manifest of a finished job") from None
    return found


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="ascii") as file:
        yield from csv.DictReader(file)


def _lines(path: Path) -> Iterator[int]:
    for row in _rows(path):
        yield int(row["line"])


def _records(path: Path) -> Iterator[dict[str, str] | None]:
    """Yield the rows of the input as they stand there, None for what is no row."""
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        header = next(csv.reader([file.readline()]))
        names = [name.strip() for name in header]
        for line in file:
            cells = next(csv.reader([line]), [""])
            yield dict(zip(names, cells, strict=True)) if len(cells) == len(names) else None
