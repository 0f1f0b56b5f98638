"""Who may do what with which key: vending keys stay inside, tokens come out.

Callers name a key and a meter, hand over a request, and get tokens back; what a security module
answers holds no key bytes. ``SoftwareModule`` over a ``Vault`` is the module that runs in process.
"""

from keys.answers import (
    AcceptableToken,
    Capabilities,
    ChangeReason,
    IssueAnswer,
    IssuedToken,
    KeyChangeAnswer,
    ModuleStatus,
    UnacceptableToken,
)
from keys.errors import KeysError
from keys.journal import IssueJournal, JournalEntry, JournalTransaction, KeyUsage, LookedUp
from keys.journal_file import FileJournal
from keys.records import VendingKeyRecord
from keys.registered_key import KeyName, KeyTerms, RegisteredKey
from keys.requests import (
    ClearCreditRequest,
    ClearTamperRequest,
    CreditRequest,
    CurrencyCreditRequest,
    MaximumPowerLimitRequest,
    MeterConfiguration,
    NewKey,
    PhasePowerUnbalanceLimitRequest,
    TariffRateRequest,
    TokenRequest,
    WaterMeterFactorRequest,
    WriteExtendedRequest,
)
from keys.secret import Secret
from keys.security_module import SecurityModule
from keys.software import SoftwareModule
from keys.vault import Vault

__all__ = [
    "AcceptableToken",
    "Capabilities",
    "ChangeReason",
    "ClearCreditRequest",
    "ClearTamperRequest",
    "CreditRequest",
    "CurrencyCreditRequest",
    "FileJournal",
    "IssueAnswer",
    "IssueJournal",
    "IssuedToken",
    "JournalEntry",
    "JournalTransaction",
    "KeyChangeAnswer",
    "KeyName",
    "KeyTerms",
    "KeyUsage",
    "KeysError",
    "LookedUp",
    "MaximumPowerLimitRequest",
    "MeterConfiguration",
    "ModuleStatus",
    "NewKey",
    "PhasePowerUnbalanceLimitRequest",
    "RegisteredKey",
    "Secret",
    "SecurityModule",
    "SoftwareModule",
    "TariffRateRequest",
    "TokenRequest",
    "UnacceptableToken",
    "Vault",
    "VendingKeyRecord",
    "WaterMeterFactorRequest",
    "WriteExtendedRequest",
]
