"""Every way in which selling is refused.

One tree, one stable code a class, a sentence for the cashier in the message and what to do about it
in the hint. Where the library or a security module said no, its own code is carried on.

    VendingError
    ├── MoneyError                    MONEY
    │   ├── MoneyFormatError          MONEY_FORMAT
    │   ├── MoneyPrecisionError       MONEY_PRECISION
    │   └── CurrencyError             CURRENCY
    ├── TariffError                   TARIFF; its branches are drawn in ``domain.tariff_errors``
    ├── AmountBelowMinimumError       AMOUNT_BELOW_MINIMUM
    ├── AmountAboveMaximumError       AMOUNT_ABOVE_MAXIMUM
    ├── NotFoundError                 NOT_FOUND
    │   ├── UnknownMeterError         UNKNOWN_METER
    │   ├── UnknownSaleError          UNKNOWN_SALE
    │   ├── UnknownTenantError        UNKNOWN_TENANT
    │   ├── UnknownCustomerError      UNKNOWN_CUSTOMER
    │   ├── UnknownAccountError       UNKNOWN_ACCOUNT
    │   ├── UnknownVendorError        UNKNOWN_VENDOR
    │   ├── UnknownAreaError          UNKNOWN_AREA
    │   ├── UnknownFeederError        UNKNOWN_FEEDER
    │   ├── UnknownServicePointError  UNKNOWN_SERVICE_POINT
    │   ├── UnknownSupplyGroupError   UNKNOWN_SUPPLY_GROUP
    │   ├── UnknownTariffError        UNKNOWN_TARIFF
    │   ├── NoLabMeterError           NO_LAB_METER
    │   ├── UnknownOperatorError      UNKNOWN_OPERATOR
    │   ├── UnknownRequestError       UNKNOWN_REQUEST
    │   ├── UnknownCaseError          UNKNOWN_CASE
    │   └── UnknownBasisError         UNKNOWN_BASIS
    ├── MeterWithoutPlaceError        METER_WITHOUT_PLACE
    ├── LabMeterSpeedError            LAB_METER_SPEED
    ├── WholeNumberError              WHOLE_NUMBER
    ├── MeterNumberError              the code of whoever refused
    ├── NotPermittedError             NOT_PERMITTED
    ├── SecondPersonError             SECOND_PERSON
    ├── AlreadyThereError             ALREADY_THERE
    ├── CodeFormError                 CODE_FORM
    ├── MeterLifeError                METER_LIFE
    ├── ServiceMismatchError          SERVICE_MISMATCH
    ├── PlaceTakenError               PLACE_TAKEN
    ├── ReasonMissingError            REASON_MISSING
    ├── TariffCodeError               TARIFF_VERSION
    ├── TariffOddError                TARIFF_ODD
    ├── TariffFileError               TARIFF_FILE
    ├── RequestIdError                REQUEST_ID
    ├── RequestIdReusedError          REQUEST_ID_REUSED
    ├── TokenRefusedError             the code of whoever refused
    ├── MeterBlockedError             METER_BLOCKED
    ├── MeterNotInServiceError        METER_NOT_IN_SERVICE
    ├── AccountBlockedError           ACCOUNT_BLOCKED
    ├── AccountClosedError            ACCOUNT_CLOSED
    ├── VendorInactiveError           VENDOR_INACTIVE
    ├── VendorLimitError              VENDOR_LIMIT
    ├── SaleAmountError               SALE_AMOUNT
    ├── CreditKindError               CREDIT_KIND
    ├── SpecialReservedError          SPECIAL_RESERVED_ONE_TOKEN
    ├── KeyChangeNeededError          KEY_CHANGE_NEEDED
    ├── KeyChangeOfferedError         KEY_CHANGE_OFFERED
    ├── KeyChangeGroupError           KEY_CHANGE_GROUP
    ├── TwinRefusedError              the code of whoever refused
    ├── RequestFailedError            the code of whoever refused
    ├── OutcomeUnknownError           OUTCOME_UNKNOWN
    ├── RequestInProgressError        REQUEST_IN_PROGRESS
    ├── TokenNotMadeError             TOKEN_NOT_MADE
    ├── CaseError                     CASE
    │   ├── CaseContentError          CASE_CONTENT
    │   ├── EvidenceError             EVIDENCE
    │   ├── CaseStateError            CASE_STATE
    │   ├── SaleReversedError         SALE_REVERSED
    │   ├── NoKeyChangeError          NO_KEY_CHANGE
    │   ├── KeyChangePendingError     KEY_CHANGE_PENDING
    │   ├── KeyChangeUnknownError     KEY_CHANGE_UNKNOWN
    │   ├── KeyChangedError           KEY_CHANGED
    │   ├── SeenKeyMissingError       SEEN_KEY_MISSING
    │   ├── SeenKeyError              SEEN_KEY
    │   ├── TokenKeyGoneError         TOKEN_KEY_GONE
    │   └── ReversalImpossibleError   REVERSAL_IMPOSSIBLE
    ├── BackupError                   BACKUP
    │   ├── BackupExistsError         BACKUP_EXISTS
    │   ├── BackupUnreadableError     BACKUP_UNREADABLE
    │   ├── BackupDamagedError        BACKUP_DAMAGED
    │   ├── BackupRevisionError       BACKUP_REVISION
    │   └── DatabaseNotEmptyError     DATABASE_NOT_EMPTY
    ├── LoginError                    LOGIN_FAILED
    ├── TooManyLoginsError            TOO_MANY_LOGINS
    ├── OperatorExistsError           OPERATOR_EXISTS
    ├── StoreBusyError                STORE_BUSY
    └── ConfigError                   CONFIG
        ├── SecretMissingError        SECRET_MISSING
        └── DatabaseNotCurrentError   DATABASE_NOT_CURRENT
"""

from vending_app.domain.errors.backup import (
    BackupDamagedError,
    BackupError,
    BackupExistsError,
    BackupRevisionError,
    BackupUnreadableError,
    DatabaseNotEmptyError,
)
from vending_app.domain.errors.cases import (
    CaseContentError,
    CaseError,
    CaseStateError,
    EvidenceError,
    KeyChangedError,
    KeyChangePendingError,
    KeyChangeUnknownError,
    NoKeyChangeError,
    ReversalImpossibleError,
    SaleReversedError,
    SeenKeyError,
    SeenKeyMissingError,
    TokenKeyGoneError,
    UnknownBasisError,
    UnknownCaseError,
)
from vending_app.domain.errors.lookup import (
    LabMeterSpeedError,
    MeterNumberError,
    MeterWithoutPlaceError,
    NoLabMeterError,
    NotFoundError,
    UnknownAccountError,
    UnknownAreaError,
    UnknownCustomerError,
    UnknownFeederError,
    UnknownMeterError,
    UnknownSaleError,
    UnknownServicePointError,
    UnknownSupplyGroupError,
    UnknownTariffError,
    UnknownTenantError,
    UnknownVendorError,
    WholeNumberError,
)
from vending_app.domain.errors.money import (
    AmountAboveMaximumError,
    AmountBelowMinimumError,
    CurrencyError,
    MoneyError,
    MoneyFormatError,
    MoneyPrecisionError,
    TariffError,
)
from vending_app.domain.errors.network import (
    AlreadyThereError,
    CodeFormError,
    MeterLifeError,
    NotPermittedError,
    PlaceTakenError,
    ReasonMissingError,
    SecondPersonError,
    ServiceMismatchError,
    TariffCodeError,
    TariffFileError,
    TariffOddError,
)
from vending_app.domain.errors.operators import LoginError, OperatorExistsError, TooManyLoginsError
from vending_app.domain.errors.requests import (
    RequestIdError,
    RequestIdReusedError,
    TokenRefusedError,
)
from vending_app.domain.errors.root import VendingError
from vending_app.domain.errors.running import (
    ConfigError,
    DatabaseNotCurrentError,
    SecretMissingError,
    StoreBusyError,
)
from vending_app.domain.errors.selling import (
    AccountBlockedError,
    AccountClosedError,
    CreditKindError,
    KeyChangeGroupError,
    KeyChangeNeededError,
    KeyChangeOfferedError,
    MeterBlockedError,
    MeterNotInServiceError,
    OutcomeUnknownError,
    RequestFailedError,
    RequestInProgressError,
    SaleAmountError,
    SpecialReservedError,
    TokenNotMadeError,
    TwinRefusedError,
    UnknownOperatorError,
    UnknownRequestError,
    VendorInactiveError,
    VendorLimitError,
)

__all__ = [
    "AccountBlockedError",
    "AccountClosedError",
    "AlreadyThereError",
    "AmountAboveMaximumError",
    "AmountBelowMinimumError",
    "BackupDamagedError",
    "BackupError",
    "BackupExistsError",
    "BackupRevisionError",
    "BackupUnreadableError",
    "CaseContentError",
    "CaseError",
    "CaseStateError",
    "CodeFormError",
    "ConfigError",
    "CreditKindError",
    "CurrencyError",
    "DatabaseNotCurrentError",
    "DatabaseNotEmptyError",
    "EvidenceError",
    "KeyChangeGroupError",
    "KeyChangeNeededError",
    "KeyChangeOfferedError",
    "KeyChangePendingError",
    "KeyChangeUnknownError",
    "KeyChangedError",
    "LabMeterSpeedError",
    "LoginError",
    "MeterBlockedError",
    "MeterLifeError",
    "MeterNotInServiceError",
    "MeterNumberError",
    "MeterWithoutPlaceError",
    "MoneyError",
    "MoneyFormatError",
    "MoneyPrecisionError",
    "NoKeyChangeError",
    "NoLabMeterError",
    "NotFoundError",
    "NotPermittedError",
    "OperatorExistsError",
    "OutcomeUnknownError",
    "PlaceTakenError",
    "ReasonMissingError",
    "RequestFailedError",
    "RequestIdError",
    "RequestIdReusedError",
    "RequestInProgressError",
    "ReversalImpossibleError",
    "SaleAmountError",
    "SaleReversedError",
    "SecondPersonError",
    "SecretMissingError",
    "SeenKeyError",
    "SeenKeyMissingError",
    "ServiceMismatchError",
    "SpecialReservedError",
    "StoreBusyError",
    "TariffCodeError",
    "TariffError",
    "TariffFileError",
    "TariffOddError",
    "TokenKeyGoneError",
    "TokenNotMadeError",
    "TokenRefusedError",
    "TooManyLoginsError",
    "TwinRefusedError",
    "UnknownAccountError",
    "UnknownAreaError",
    "UnknownBasisError",
    "UnknownCaseError",
    "UnknownCustomerError",
    "UnknownFeederError",
    "UnknownMeterError",
    "UnknownOperatorError",
    "UnknownRequestError",
    "UnknownSaleError",
    "UnknownServicePointError",
    "UnknownSupplyGroupError",
    "UnknownTariffError",
    "UnknownTenantError",
    "UnknownVendorError",
    "VendingError",
    "VendorInactiveError",
    "VendorLimitError",
    "WholeNumberError",
]
