"""From the rows of one part to what comes out, by ``sts.batch``.

What many rows have in common (supply group, revision, tariff index, type, cipher, new key) is
looked at once a group, by the same functions that a module uses for a single meter: which vending
key it is, whether it fits, whether it may be used now, whether the change may be issued. What
differs from row to row is left to arrays. Every token is decoded again under keys derived afresh.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from keys.bulk.cells import Text
from keys.bulk.job import Job, Operation
from keys.bulk.rows import RowCodes
from keys.bulk_access import BulkAccess
from keys.errors import CreditUnderDefaultKeyError, TokenMismatchError
from keys.key_changes import PlannedChange, meter_after, plan_change
from keys.records import check_value_with_mac
from keys.registered_key import RegisteredKey
from keys.requests import MeterConfiguration, NewKey
from keys.rules import require_fitting_key, require_in_use, require_unexpired_key
from sts import (
    EncryptionAlgorithm,
    KeyAttributes,
    KeyDerivation,
    KeyExpiryNumber,
    KeyRevisionNumber,
    KeyType,
    MeterPan,
    Service,
    SupplyGroupCode,
    TariffIndex,
    TokenCarrierType,
    batch,
    tid_from_datetime,
)
from sts.errors import UnknownCodeError
from sts.layouts import KIND_INDEX
from sts.token_identifier import is_reserved_minute

_MODEL_PAN: Final = MeterPan("600727000000000009")
_RANDOM_BLOCK_ROWS: Final = 4096
_SETS: Final = 4
_NO_TID: Final = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRows:
    """The rows of a part that have all their attributes in common.

    Attributes:
        pans: The meters.
        lines: How people number the rows.
        numbers: ``tenths`` and ``tid``, where there are such columns.
        tokens: 20 digits each, of ``decode``.
    """

    pans: batch.MeterPans
    lines: NDArray[np.int64]
    numbers: Mapping[str, NDArray[np.int64]]
    tokens: Text | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What came of the rows of a group.

    Attributes:
        columns: The columns of the output that are made, as fixed-width bytes.
        codes: Why there is nothing in some rows.
    """

    columns: Mapping[str, Text]
    codes: RowCodes


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A group that may be worked on.

    Attributes:
        meter: One meter in the place of all.
        key: The vending key of the present keys.
        plan: Of a key change.
        target: The vending key of the new keys, of a key change.
    """

    meter: MeterConfiguration
    key: RegisteredKey
    plan: PlannedChange | None = None
    target: RegisteredKey | None = None

    @property
    def attributes(self) -> KeyAttributes:
        """What decides the present keys."""
        return self.meter.key_attributes(self.key.record.base_date)


def resolve(job: Job, values: Mapping[str, str], access: BulkAccess) -> Resolved:
    """Look at what the rows of a group have in common.

    Raises:
        KeysError, StsError: The rows are refused, all for the same reason.
    """
    meter = _meter(job, values)
    key = access.register.registered(meter)
    require_fitting_key(meter, key)
    if job.operation is Operation.KEY_CHANGE:
        return _resolved_change(job, values, meter, key=key, access=access)
    if job.operation is Operation.CREDIT:
        if key.record.key_type is KeyType.DEFAULT:
            raise CreditUnderDefaultKeyError
        access.require_real_tables(meter.encryption_algorithm)
        require_in_use(key.terms, job.at)
        require_unexpired_key(key, job.at, tid_minutes=_NO_TID)
    _require_derivable(access, key, meter.key_attributes(key.record.base_date))
    return Resolved(meter=meter, key=key)


def make(job: Job, resolved: Resolved, rows: GroupRows, *, access: BulkAccess, job_id: str) -> Made:
    """Make what comes out for the rows of one group.

    Raises:
        TokenMismatchError: A token that was made says something else when it is read again.
    """
    if job.operation is Operation.KEY_CHANGE:
        return _change(resolved, rows, access)
    if job.operation is Operation.CREDIT:
        return _credit(job, resolved, rows, access=access, job_id=job_id)
    if job.operation is Operation.DECODE:
        return _decode(resolved, rows, access)
    return _derive(resolved, rows, access)


# --- attributes -------------------------------------------------------------------------------


def _meter(job: Job, values: Mapping[str, str]) -> MeterConfiguration:
    """Return a meter with the attributes of a group; what is not one of them stands for all."""
    ken, carrier = values.get("ken", ""), values.get("tct", "")
    return MeterConfiguration(
        tenant=job.tenant,
        meter_pan=_MODEL_PAN,
        supply_group_code=SupplyGroupCode.parse(values["sgc"]),
        tariff_index=TariffIndex.parse(values["ti"]),
        key_revision_number=KeyRevisionNumber.parse(values["krn"]),
        key_type=KeyType.parse(_number("kt", values["kt"])),
        encryption_algorithm=EncryptionAlgorithm.parse(values["ea"]),
        token_carrier_type=(
            TokenCarrierType.parse(carrier) if carrier else TokenCarrierType.NUMERIC
        ),
        key_expiry_number=KeyExpiryNumber(_number("ken", ken)) if ken else None,
    )


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len("255")):
        raise UnknownCodeError(name, allowed=["a whole number"], found=text[:20])
    return int(text)


def _resolved_change(
    job: Job,
    values: Mapping[str, str],
    meter: MeterConfiguration,
    *,
    key: RegisteredKey,
    access: BulkAccess,
) -> Resolved:
    sgc, krn, index = (values.get(name, "") for name in ("to_sgc", "to_krn", "to_ti"))
    new = NewKey(
        supply_group_code=SupplyGroupCode.parse(sgc) if sgc else meter.supply_group_code,
        key_revision_number=KeyRevisionNumber.parse(krn) if krn else meter.key_revision_number,
        tariff_index=TariffIndex.parse(index) if index else meter.tariff_index,
        with_supply_group_code="three" in job.options,
        allow_algorithm_change="forbid_dkga_change" not in job.options,
    )
    target = access.register.registered(meter_after(meter, new))
    plan = plan_change(meter, new, present=key, target=target)
    access.require_real_tables(meter.encryption_algorithm)
    for each in (key, target):
        require_in_use(each.terms, job.at)
    plan.require_permitted(job.at)
    _require_derivable(access, key, plan.present.attributes)
    _require_derivable(access, target, plan.new.attributes)
    return Resolved(meter=meter, key=key, plan=plan, target=target)


def _require_derivable(access: BulkAccess, key: RegisteredKey, attributes: KeyAttributes) -> None:
    """Refuse what the algorithm makes no keys for, by making one as for a single meter."""
    algorithm = key.record.key_generation_algorithm
    KeyDerivation(algorithm, access.keys.bulk_vending_key(key)).derive(attributes)


def _decoder_keys(
    access: BulkAccess, key: RegisteredKey, *, attributes: KeyAttributes, pans: batch.MeterPans
) -> batch.DecoderKeys:
    columns = batch.KeyAttributeColumns(
        meter_pans=pans,
        supply_group_codes=attributes.supply_group_code,
        tariff_indexes=attributes.tariff_index,
        key_revision_numbers=attributes.key_revision_number,
        key_types=attributes.key_type,
        base_date=attributes.base_date,
        encryption_algorithm=attributes.encryption_algorithm,
    )
    return batch.derive_decoder_keys(
        key.record.key_generation_algorithm, access.keys.bulk_vending_key(key), columns
    )


def _cipher(access: BulkAccess, resolved: Resolved, pans: batch.MeterPans) -> batch.Cipher:
    """Return the meters' cipher under their present keys, derived afresh."""
    keys = _decoder_keys(access, resolved.key, attributes=resolved.attributes, pans=pans)
    algorithm = resolved.meter.encryption_algorithm
    return batch.new_cipher(algorithm, keys, sta_tables=access.sta_tables)


# --- operations -------------------------------------------------------------------------------


def _change(resolved: Resolved, rows: GroupRows, access: BulkAccess) -> Made:
    plan, target = resolved.plan, resolved.target
    assert plan is not None
    assert target is not None
    goal = plan.new
    changes = batch.KeyChanges(
        new_keys=_decoder_keys(access, target, attributes=goal.attributes, pans=rows.pans),
        key_expiry_numbers=goal.key_expiry_number,
        key_revision_numbers=goal.attributes.key_revision_number,
        key_types=goal.attributes.key_type,
        tariff_indexes=goal.attributes.tariff_index,
        rollover=plan.rollover,
        supply_group_codes=(
            None if plan.set_size == 2 else goal.attributes.supply_group_code  # noqa: PLR2004 - the size that has no room for it
        ),
    )
    made = batch.encode_key_changes(
        changes, _cipher(access, resolved, rows.pans), set_size=plan.set_size
    )
    cipher = _cipher(access, resolved, rows.pans)
    wanted = batch.key_change_contents(changes, set_size=plan.set_size, status=made.status)
    columns: dict[str, Text] = {}
    blank = np.zeros(len(rows.pans), "S1")
    for place in range(_SETS):
        column = blank
        if place < plan.set_size:
            column = np.ascontiguousarray(made.digits[:, place])
            _require_same(wanted[place], batch.decode(column, cipher), made.status)
        columns[f"token_{place + 1}"] = column
    codes = RowCodes(len(rows.pans))
    codes.take(made.status)
    return Made(columns=columns, codes=codes)


def _require_same(wanted: batch.Contents, said: batch.Contents, status: NDArray[np.uint8]) -> None:
    right = status == batch.Status.OK
    same = (
        (said.status == batch.Status.OK)
        & (said.token_class == wanted.token_class)
        & (said.subclass == wanted.subclass)
        & (said.content == wanted.content)
    )
    if not same[right].all():
        raise TokenMismatchError("content")


def _credit(
    job: Job, resolved: Resolved, rows: GroupRows, *, access: BulkAccess, job_id: str
) -> Made:
    record = resolved.key.record
    codes = RowCodes(len(rows.pans))
    tids = rows.numbers.get("tid")
    if tids is None:
        tids = np.full(len(rows.pans), tid_from_datetime(job.at, record.base_date), np.int64)
    # 0 is what a meter's store is filled with after a rollover.
    codes.mark("FIELD_RANGE", (tids < 1) | (tids >= 1 << 24))
    codes.mark("RESERVED_MINUTE", np.asarray(is_reserved_minute(tids)))  # type: ignore[arg-type]  # works on columns too
    codes.take(batch.expiry_status(tids, record.key_expiry_number))
    amounts = batch.encode_amounts(rows.numbers["tenths"])
    service = Service[job.options.get("service", "electricity").upper()]
    contents = batch.transfer_credits(
        tids=np.where(codes.right, tids, 1),
        amount_codes=amounts.codes,
        rnd=_random_bits(access.job_secret(bytes.fromhex(job_id)), rows.lines),
        service=service,
        status=amounts.status,
    )
    made = batch.encode(contents, _cipher(access, resolved, rows.pans))
    _require_same(
        contents, batch.decode(made.digits, _cipher(access, resolved, rows.pans)), made.status
    )
    codes.take(made.status)
    return Made(
        columns={"tid": _decimal(tids), "tenths": _decimal(amounts.values), "token": made.digits},
        codes=codes,
    )


def _random_bits(secret: bytes, lines: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return 4 bits for each row that depend on the job and the row's number, and nothing else.

    SHAKE-256 under a key of each block of rows; the bits of a part do not depend on the others.
    """
    bits = np.empty(len(lines), np.uint8)
    blocks = lines // _RANDOM_BLOCK_ROWS
    for block in np.unique(blocks):
        key = hmac.digest(secret, int(block).to_bytes(8, "big", signed=True), hashlib.sha256)
        stream = np.frombuffer(hashlib.shake_256(key).digest(_RANDOM_BLOCK_ROWS), np.uint8)
        where = blocks == block
        bits[where] = stream[lines[where] % _RANDOM_BLOCK_ROWS] & 0xF
    return bits


def _decode(resolved: Resolved, rows: GroupRows, access: BulkAccess) -> Made:
    assert rows.tokens is not None
    codes = RowCodes(len(rows.pans))
    codes.mark("NOT_TWENTY_DIGITS", np.char.str_len(rows.tokens) != 20)  # noqa: PLR2004 - digits of a token
    tokens = rows.tokens.astype("S20")
    said = batch.decode(tokens, _cipher(access, resolved, rows.pans))
    codes.take(said.status)
    tids = said.field("tid").astype(np.int64)
    codes.take(batch.expiry_status(tids, resolved.key.record.key_expiry_number))
    numbers = said.token_class.astype(np.int64) << 4 | said.subclass
    kinds = np.array([_kind_name(number, said.key_bits or 64).encode() for number in range(64)])
    credit = said.is_kind(0, 0) | said.is_kind(0, 1) | said.is_kind(0, 2) | said.is_kind(0, 3)
    tenths = batch.amount_values(said.field("amount").astype(np.uint16))
    return Made(
        columns={
            "kind": kinds[numbers],
            "tid": np.where(_has_tid(said), _decimal(tids), b""),
            "tenths": np.where(credit, _decimal(tenths), b""),
        },
        codes=codes,
    )


def _has_tid(said: batch.Contents) -> NDArray[np.bool_]:
    """Tell which tokens have a token identifier, 0 included."""
    present = np.zeros(len(said), np.bool_)
    for (token_class, subclass, _), kind in KIND_INDEX.items():
        if any(name == "tid" for name, _, _ in kind.layout.positions()):
            present |= said.is_kind(token_class, subclass)
    return present


def _kind_name(number: int, key_bits: int) -> str:
    kind = KIND_INDEX.get((number >> 4, number & 0xF, key_bits))
    return "Reserved" if kind is None else kind.token_type.__name__


def _derive(resolved: Resolved, rows: GroupRows, access: BulkAccess) -> Made:
    keys = _decoder_keys(access, resolved.key, attributes=resolved.attributes, pans=rows.pans)
    values = [_check_value(each.tobytes()) for each in keys.expose()]
    codes = RowCodes(len(keys))
    codes.take(keys.status)
    return Made(columns={"check_value": np.array(values, "S6")}, codes=codes)


def _check_value(key: bytes) -> str:
    return check_value_with_mac(lambda message: hmac.digest(key, message, hashlib.sha256))


def _decimal(values: NDArray[np.int64]) -> Text:
    return values.astype("S20")
