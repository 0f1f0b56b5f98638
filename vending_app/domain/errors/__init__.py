"""Every way in which selling is refused.

One tree, one stable code a class, a sentence for the cashier in the message and what to do about it
in the hint. Where the library or a security module said no, its own code is carried on.

    VendingError
    ├── MoneyError                    an amount of money that is none
    │   ├── MoneyFormatError          MONEY_FORMAT
    │   ├── MoneyPrecisionError       MONEY_PRECISION
    │   └── CurrencyError             CURRENCY
    ├── TariffError                   TARIFF
    ├── AmountBelowMinimumError       AMOUNT_BELOW_MINIMUM
    ├── AmountAboveMaximumError       AMOUNT_ABOVE_MAXIMUM
    ├── NotFoundError                 something named does not exist for this tenant
    │   ├── UnknownMeterError         UNKNOWN_METER
    │   ├── UnknownSaleError          UNKNOWN_SALE
    │   ├── UnknownTenantError        UNKNOWN_TENANT
    │   ├── UnknownCustomerError      UNKNOWN_CUSTOMER
    │   ├── UnknownAccountError       UNKNOWN_ACCOUNT
    │   ├── UnknownVendorError        UNKNOWN_VENDOR
    │   ├── UnknownServicePointError  UNKNOWN_SERVICE_POINT
    │   ├── UnknownSupplyGroupError   UNKNOWN_SUPPLY_GROUP
    │   ├── UnknownTariffError        UNKNOWN_TARIFF
    │   └── NoLabMeterError           NO_LAB_METER
    ├── MeterWithoutPlaceError        METER_WITHOUT_PLACE
    ├── LabMeterSpeedError            LAB_METER_SPEED
    ├── WholeNumberError              WHOLE_NUMBER
    ├── MeterNumberError              the library's code, WRONG_CHECK_DIGIT for one
    ├── RequestIdError                REQUEST_ID
    ├── RequestIdReusedError          REQUEST_ID_REUSED
    ├── TokenRefusedError             the code of the library or of the security module
    ├── LoginError                    LOGIN_FAILED
    ├── TooManyLoginsError            TOO_MANY_LOGINS
    ├── OperatorExistsError           OPERATOR_EXISTS
    ├── StoreBusyError                STORE_BUSY
    └── ConfigError                   CONFIG
        ├── SecretMissingError        SECRET_MISSING
        └── DatabaseNotCurrentError   DATABASE_NOT_CURRENT
"""

from vending_app.domain.errors.lookup import (
    LabMeterSpeedError,
    MeterNumberError,
    MeterWithoutPlaceError,
    NoLabMeterError,
    NotFoundError,
    UnknownAccountError,
    UnknownCustomerError,
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
from vending_app.domain.errors.operators import (
    LoginError,
    OperatorExistsError,
    TooManyLoginsError,
)
from vending_app.domain.errors.requests import (
    RequestIdError,
    RequestIdReusedError,
    TokenRefusedError,
)
from vending_app.domain.errors.root import (
    VendingError,
)
from vending_app.domain.errors.running import (
    ConfigError,
    DatabaseNotCurrentError,
    SecretMissingError,
    StoreBusyError,
)

__all__ = [
    "AmountAboveMaximumError",
    "AmountBelowMinimumError",
    "ConfigError",
    "CurrencyError",
    "DatabaseNotCurrentError",
    "LabMeterSpeedError",
    "LoginError",
    "MeterNumberError",
    "MeterWithoutPlaceError",
    "MoneyError",
    "MoneyFormatError",
    "MoneyPrecisionError",
    "NoLabMeterError",
    "NotFoundError",
    "OperatorExistsError",
    "RequestIdError",
    "RequestIdReusedError",
    "SecretMissingError",
    "StoreBusyError",
    "TariffError",
    "TokenRefusedError",
    "TooManyLoginsError",
    "UnknownAccountError",
    "UnknownCustomerError",
    "UnknownMeterError",
    "UnknownSaleError",
    "UnknownServicePointError",
    "UnknownSupplyGroupError",
    "UnknownTariffError",
    "UnknownTenantError",
    "UnknownVendorError",
    "VendingError",
    "WholeNumberError",
]
