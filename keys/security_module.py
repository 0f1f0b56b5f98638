"""What every security module does, whatever it is made of: requests in, tokens out.

The protocol is token-level, as real STS modules are. A caller names a meter, the key that the meter
holds and what to say; the module finds the vending key, makes the token, decodes it afresh and
compares. So the caller never has a key, and no token leaves that does not say what was asked for.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

from keys.records import VendingKeyRecord
from sts import (
    EncryptionAlgorithm,
    KeyRevisionNumber,
    KeyType,
    MeterPan,
    Service,
    SupplyGroupCode,
    TariffIndex,
    Token,
    TokenCarrierType,
    UnitAmount,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterConfiguration:
    """A meter and the key that it holds, as the vending side knows them (IEC 62055-41, 6.1).

    Attributes:
        tenant: Whose meter it is.
        meter_pan: The meter.
        supply_group_code: Of the key in the meter.
        tariff_index: Of the key in the meter.
        key_revision_number: Of the key in the meter.
        key_type: Of the key in the meter.
        encryption_algorithm: The cipher in the meter.
        token_carrier_type: How tokens reach it.
    """

    tenant: str
    meter_pan: MeterPan
    supply_group_code: SupplyGroupCode
    tariff_index: TariffIndex
    key_revision_number: KeyRevisionNumber
    key_type: KeyType
    encryption_algorithm: EncryptionAlgorithm
    token_carrier_type: TokenCarrierType = TokenCarrierType.NUMERIC


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditRequest:
    """Ask for a TransferCredit token.

    Attributes:
        service: What the credit buys.
        tid_minutes: The token identifier; the caller sees to it that the meter has not had it.
        amount: Tenths of a unit of the service.
    """

    service: Service
    tid_minutes: int
    amount: UnitAmount


TokenRequest: TypeAlias = CreditRequest
"""Everything that can be asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueAnswer:
    """A token, and proof of what it says.

    Attributes:
        message_id: The caller's name for the request.
        digits: The 20 digits.
        token: The fields, from an independent decode of the digits.
        vending_key: Metadata of the vending key that served.
        sample_tables: Whether the printed SAMPLE tables made the token: not for real meters.
    """

    message_id: str
    digits: str
    token: Token
    vending_key: VendingKeyRecord
    sample_tables: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleStatus:
    """What a module says of itself.

    Attributes:
        kind: What it is made of, ``software`` for one.
        lab_mode: Whether it serves trials only: SAMPLE tables are allowed here.
        sta_tables_name: The EA07 tables in use.
        sta_tables_fingerprint: SHA-256 of the file that they were read from.
        sample_tables: Whether those are the printed SAMPLE tables.
        vending_keys: How many vending keys it holds.
    """

    kind: str
    lab_mode: bool
    sta_tables_name: str
    sta_tables_fingerprint: str
    sample_tables: bool
    vending_keys: int


class SecurityModule(Protocol):
    """The only place where vending keys are used."""

    def issue(
        self, meter: MeterConfiguration, request: TokenRequest, *, message_id: str, now: datetime
    ) -> IssueAnswer:
        """Make one token.

        Args:
            meter: The meter and the key in it.
            request: What the token is to say.
            message_id: The caller's name for the request, the same again for the same request.
            now: The present time, aware.

        Raises:
            KeysError: The key is unknown, another tenant's or of a wrong type; or the token made
                is not the token asked for.
            StsError: The key has expired, the tables are the SAMPLE set outside lab mode, or an
                argument has no code in a token.
        """
        ...

    def vending_key(self, meter: MeterConfiguration) -> VendingKeyRecord:
        """Return the metadata of the vending key that serves a meter.

        Raises:
            UnknownKeyError: The module holds no such key.
            AnotherTenantsKeyError: It does, but not for the tenant of this meter.
        """
        ...

    def status(self) -> ModuleStatus:
        """Return what the module says of itself."""
        ...
