"""What the scalar core says to one row of a job: that it is right, or why it is refused.

The reasons are looked for in the order in which the rows of a job are refused, so that a refused
row must have the very code that one meter alone would get.
"""

import hmac
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from keys.bulk.errors import BulkError, MissingColumnError
from keys.bulk.verify_tables import Cells
from keys.bulk_access import BulkAccess
from keys.errors import CreditUnderDefaultKeyError, KeysError, ReservedMinuteError
from keys.key_changes import meter_after, plan_change
from keys.records import check_value_of
from keys.registered_key import KeyName, RegisteredKey
from keys.requests import MeterConfiguration, NewKey
from keys.rules import require_fitting_key, require_in_use, require_unexpired_key
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
    Service,
    StsError,
    SupplyGroupCode,
    TariffIndex,
    TokenCarrierType,
    TransferCredit,
    decode,
    encode_amount,
    new_cipher,
    tid_from_datetime,
)
from sts.errors import FieldRangeError, NotDigitsError, UnknownCodeError
from sts.key_change import join
from sts.token_identifier import is_reserved_minute, require_unexpired

NO_BASE: Final = 0
"""Stands for the base date of a row whose vending key may not be used."""
_SETS: Final = ("token_1", "token_2", "token_3", "token_4")
_MOST_DIGITS: Final = 15
_LAST_TID: Final = (1 << 24) - 1
_SHORT_DRN: Final = 11
_LONG_MAKERS: Final = 10**12


class OtherwiseError(BulkError):
    """A row says something else than was asked for."""

    code = "SAYS_OTHERWISE"


class RowCheck:
    """What holds for all rows of a job, and the vending keys ready for use."""

    def __init__(self, parameters: Mapping[str, Any], access: BulkAccess) -> None:
        """Read the parameters of a job."""
        self.given: Mapping[str, str] = parameters["given"]
        self.operation: str = parameters["operation"]
        self._is_credit = self.operation == "credit"
        self._tenant: str = parameters["tenant"]
        self._options: Mapping[str, str] = parameters["options"]
        self._at = datetime.fromisoformat(parameters["at"])
        self._access = access
        self._derivations: dict[KeyName, KeyDerivation] = {}
        self._operations: Mapping[str, Callable[[Cells, MeterConfiguration, Cells | None], None]]
        self._operations = {
            "key-change": self._change,
            "credit": self._credit,
            "decode": self._decode,
            "derive": self._derive,
        }

    def row(self, asked: Cells, made: Cells | None) -> None:
        """Check one row that is no duplicate.

        Args:
            asked: What the input and the options of the job say.
            made: What came out; None to learn why nothing may.

        Raises:
            OtherwiseError: Something else came out.
            KeysError, StsError: Nothing may come out.
        """
        pan = _pan(_cell(asked, "meter"))
        if self._is_credit:
            for name in ("tenths", "tid"):
                _whole_number(name, asked.get(name, "0") if name == "tid" else _cell(asked, name))
        self._operations[self.operation](asked, self._meter(asked, pan), made)

    def identity(self, asked: Cells) -> tuple[int, int] | None:
        """Return what no two rows have in common, or None if a row has nothing of the kind.

        Returns:
            The base date, or 0, and a number below 2^64: maker, serial number and, of credit, the
            token identifier.
        """
        if self.operation == "decode":
            return None
        try:
            pan = _pan(_cell(asked, "meter"))
        except StsError:
            return None
        drn = pan.drn.digits
        number = int(drn[:-1]) + (_LONG_MAKERS if len(drn) == _SHORT_DRN else 0)
        return self._credit_identity(asked, pan, number) if self._is_credit else (NO_BASE, number)

    def _credit_identity(self, asked: Cells, pan: MeterPan, number: int) -> tuple[int, int] | None:
        base, tid = NO_BASE, 0
        try:
            key = self._credit_key(self._meter(asked, pan))
            base = int(key.record.base_date.value)
            tid = tid_from_datetime(self._at, key.record.base_date)
        except (KeysError, StsError):
            # A row that may not come out still takes its identifier away from others.
            pass
        if "tid" in asked:
            try:
                tid = _whole_number("tid", asked["tid"])
            except StsError:
                return None
        return (base, number * (_LAST_TID + 1) + tid) if 0 < tid <= _LAST_TID else None

    # --- operations ---------------------------------------------------------------------------

    def _change(self, asked: Cells, meter: MeterConfiguration, made: Cells | None) -> None:
        key = self._key(meter)
        sgc, krn, index = (asked.get(name) for name in ("to_sgc", "to_krn", "to_ti"))
        new = NewKey(
            supply_group_code=SupplyGroupCode.parse(sgc) if sgc else meter.supply_group_code,
            key_revision_number=KeyRevisionNumber.parse(krn) if krn else meter.key_revision_number,
            tariff_index=TariffIndex.parse(index) if index else meter.tariff_index,
            with_supply_group_code="three" in self._options,
            allow_algorithm_change="forbid_dkga_change" not in self._options,
        )
        target = self._access.register.registered(meter_after(meter, new))
        plan = plan_change(meter, new, present=key, target=target)
        self._access.require_real_tables(meter.encryption_algorithm)
        require_in_use(key.terms, self._at)
        require_in_use(target.terms, self._at)
        plan.require_permitted(self._at)
        cipher = self._cipher(key, meter, plan.present.attributes)
        wanted = plan.change(self._decoder_key(target, plan.new.attributes))
        if made is None:
            return
        tokens: list[Any] = [decode(made[name], cipher) for name in _SETS if made[name]]
        _require(
            [bool(made[name]) for name in _SETS] == [place < plan.set_size for place in range(4)]
            and join(tokens, key_bits=wanted.new_key.bits) == wanted
        )

    def _credit(self, asked: Cells, meter: MeterConfiguration, made: Cells | None) -> None:
        key = self._credit_key(meter)
        record = key.record
        tid = int(asked.get("tid", tid_from_datetime(self._at, record.base_date)))
        if not 0 < tid <= _LAST_TID:
            raise FieldRangeError("tid", low=1, high=_LAST_TID, found=tid)
        if is_reserved_minute(tid):
            raise ReservedMinuteError(tid)
        require_unexpired(tid, record.key_expiry_number, record.base_date)
        amount = encode_amount(int(asked["tenths"]))
        if made is None:
            return
        token = decode(made["token"], self._cipher(key, meter))
        _require(
            isinstance(token, TransferCredit)
            and token.service is Service[self._options.get("service", "electricity").upper()]
            and token.tid == tid
            and token.amount == amount
            and made["tid"] == str(tid)
            and made["tenths"] == str(amount.tenths)
        )

    def _decode(self, asked: Cells, meter: MeterConfiguration, made: Cells | None) -> None:
        key = self._key(meter)
        token = decode(_cell(asked, "token"), self._cipher(key, meter))
        tid = getattr(token, "tid", None)
        record = key.record
        require_unexpired(tid or 0, record.key_expiry_number, record.base_date)
        if made is None:
            return
        tenths = str(token.amount.tenths) if isinstance(token, TransferCredit) else ""
        _require(
            made["kind"] == type(token).__name__
            and made["tid"] == ("" if tid is None else str(tid))
            and made["tenths"] == tenths
        )

    def _derive(self, _asked: Cells, meter: MeterConfiguration, made: Cells | None) -> None:
        key = self._key(meter)
        derived = self._decoder_key(key, meter.key_attributes(key.record.base_date))
        if made is not None:
            _require(hmac.compare_digest(check_value_of(derived), made["check_value"]))

    # --- keys ---------------------------------------------------------------------------------

    def _meter(self, asked: Cells, pan: MeterPan) -> MeterConfiguration:
        group = SupplyGroupCode.parse(_cell(asked, "sgc"))
        index = TariffIndex.parse(_cell(asked, "ti"))
        revision = KeyRevisionNumber.parse(_cell(asked, "krn"))
        key_type = KeyType.parse(_small_number("kt", _cell(asked, "kt")))
        algorithm = EncryptionAlgorithm.parse(_cell(asked, "ea"))
        carrier, ken = asked.get("tct"), asked.get("ken")
        return MeterConfiguration(
            tenant=self._tenant,
            meter_pan=pan,
            supply_group_code=group,
            tariff_index=index,
            key_revision_number=revision,
            key_type=key_type,
            encryption_algorithm=algorithm,
            token_carrier_type=(
                TokenCarrierType.parse(carrier) if carrier else TokenCarrierType.NUMERIC
            ),
            key_expiry_number=KeyExpiryNumber(_small_number("ken", ken)) if ken else None,
        )

    def _key(self, meter: MeterConfiguration) -> RegisteredKey:
        key = self._access.register.registered(meter)
        require_fitting_key(meter, key)
        return key

    def _credit_key(self, meter: MeterConfiguration) -> RegisteredKey:
        key = self._key(meter)
        if key.record.key_type is KeyType.DEFAULT:
            raise CreditUnderDefaultKeyError
        self._access.require_real_tables(meter.encryption_algorithm)
        require_in_use(key.terms, self._at)
        require_unexpired_key(key, self._at, tid_minutes=0)
        self._decoder_key(key, meter.key_attributes(key.record.base_date))
        return key

    def _cipher(
        self,
        key: RegisteredKey,
        meter: MeterConfiguration,
        attributes: KeyAttributes | None = None,
    ) -> BlockCipher:
        attributes = attributes or meter.key_attributes(key.record.base_date)
        decoder_key = self._decoder_key(key, attributes)
        return new_cipher(
            meter.encryption_algorithm, decoder_key, sta_tables=self._access.sta_tables
        )

    def _decoder_key(self, key: RegisteredKey, attributes: KeyAttributes) -> DecoderKey:
        derivation = self._derivations.get(key.name)
        if derivation is None:
            vending_key = self._access.keys.bulk_vending_key(key)
            derivation = KeyDerivation(key.record.key_generation_algorithm, vending_key)
            self._derivations[key.name] = derivation
        return derivation.derive(attributes)


@lru_cache(maxsize=1)
def _pan(meter: str) -> MeterPan:
    """Return the number of a meter; each row asks for it twice."""
    return MeterPan.parse(meter)


def _require(right: bool) -> None:  # noqa: FBT001 - the one thing that it is told
    if not right:
        raise OtherwiseError


def _cell(asked: Cells, name: str) -> str:
    cell = asked.get(name)
    if cell is None:
        raise MissingColumnError(name)
    return cell


def _whole_number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise NotDigitsError(name)
    return int(text)


def _small_number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len("255")):
        raise UnknownCodeError(name, allowed=["a whole number"], found=text[:20])
    return int(text)
