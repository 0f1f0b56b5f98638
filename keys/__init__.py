"""Who may do what with which key: vending keys stay inside, tokens come out.

Callers name a key and a meter, hand over a request, and get a token back; no function of a security
module takes or returns key bytes. ``SoftwareModule`` over a ``Vault`` is the module that runs in
process.
"""

from keys.errors import KeysError
from keys.records import VendingKeyRecord
from keys.secret import Secret
from keys.security_module import (
    CreditRequest,
    IssueAnswer,
    MeterConfiguration,
    ModuleStatus,
    SecurityModule,
)
from keys.software import SoftwareModule
from keys.vault import Vault

__all__ = [
    "CreditRequest",
    "IssueAnswer",
    "KeysError",
    "MeterConfiguration",
    "ModuleStatus",
    "Secret",
    "SecurityModule",
    "SoftwareModule",
    "Vault",
    "VendingKeyRecord",
]
