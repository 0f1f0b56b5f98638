"""Refusals about cases: free issue, exchange, job cards, reversals."""

from vending_app.domain.errors.lookup import NotFoundError
from vending_app.domain.errors.root import VendingError


class UnknownCaseError(NotFoundError):
    """No such case."""

    code = "UNKNOWN_CASE"

    def __init__(self, case_number: int) -> None:
        """Say which number was looked for."""
        super().__init__(f"There is no case number {case_number}.")


class UnknownBasisError(NotFoundError):
    """No tokens without a sale under this number, or none that may be shown."""

    code = "UNKNOWN_BASIS"

    def __init__(self, basis_number: int) -> None:
        """Say which number was looked for."""
        super().__init__(f"There are no tokens to print under basis number {basis_number}.")


class CaseError(VendingError):
    """Something that a case does not allow."""

    code = "CASE"


class CaseContentError(CaseError):
    """A case that is not complete, or says what does not belong together."""

    code = "CASE_CONTENT"


class EvidenceError(CaseError):
    """Evidence that is missing, or proves nothing."""

    code = "EVIDENCE"


class CaseStateError(CaseError):
    """A step that a case does not take from where it is."""

    code = "CASE_STATE"

    def __init__(self, case_number: int, *, state: str, wanted: str) -> None:
        """Say where the case stands and what was wanted."""
        super().__init__(f"Case {case_number} is {state} and cannot be {wanted}.")


class SaleReversedError(CaseError):
    """The sale was taken back before."""

    code = "SALE_REVERSED"

    def __init__(self, sale_number: int) -> None:
        """Say which sale."""
        super().__init__(f"Sale {sale_number} was taken back already.")


class NoKeyChangeError(CaseError):
    """There is no key change on its way that could be confirmed or given up."""

    code = "NO_KEY_CHANGE"

    def __init__(self, drn: str) -> None:
        """Say of which meter."""
        super().__init__(f"No key change is on its way to meter {drn}.")


class TokenKeyGoneError(CaseError):
    """Tokens for a key that the meter does not hold are not printed again."""

    code = "TOKEN_KEY_GONE"
    hint = "they cannot be entered; if they never were, open another case for what they carried"

    def __init__(self, drn: str) -> None:
        """Say of which meter."""
        super().__init__(f"Meter {drn} does not hold the key that these tokens were made for.")


class KeyChangePendingError(CaseError):
    """Another key change is on its way, and the record keeps two keys of a meter, not three."""

    code = "KEY_CHANGE_PENDING"
    hint = (
        "look at the meter, then confirm that change or give it up; if its tokens were lost, let"
        " the present key serve and ask for the same key again"
    )

    def __init__(self, drn: str) -> None:
        """Say of which meter."""
        super().__init__(f"Another key change is on its way to meter {drn}.")


class KeyChangeUnknownError(CaseError):
    """A key change was asked for, and it is not known yet whether its tokens were made."""

    code = "KEY_CHANGE_UNKNOWN"
    hint = "send that request again, or recover it; then ask for this one again"

    def __init__(self, drn: str) -> None:
        """Say of which meter."""
        super().__init__(
            f"A key change of meter {drn} was asked for, and its outcome is not known yet."
        )


class KeyChangedError(CaseError):
    """While a security module made the tokens, somebody has seen another key in the meter."""

    code = "KEY_CHANGED"
    hint = "nothing was charged; start anew"

    def __init__(self, drn: str) -> None:
        """Say of which meter."""
        super().__init__(
            f"The key of meter {drn} was changed meanwhile, so that it takes these tokens no more."
        )


class SeenKeyMissingError(CaseError):
    """The meter may hold several keys, and nobody has said which one was seen."""

    code = "SEEN_KEY_MISSING"
    hint = "look at the meter, and say which key it holds"

    def __init__(self, drn: str, keys: str) -> None:
        """Say of which meter, and which keys are possible."""
        super().__init__(f"Meter {drn} may hold any of these keys: {keys}.")


class SeenKeyError(CaseError):
    """The key that was seen is none that the meter may hold, or not after such a change."""

    code = "SEEN_KEY"
    hint = "look again; if it does hold another key, have that change made again and confirm it"

    def __init__(self, drn: str, keys: str) -> None:
        """Say of which meter, and which keys are possible."""
        super().__init__(f"This key cannot have been seen in meter {drn}, but only: {keys}.")


class ReversalImpossibleError(CaseError):
    """What a sale left over was spent since."""

    code = "REVERSAL_IMPOSSIBLE"
    hint = "take the later sale back first"

    def __init__(self) -> None:
        """Say why."""
        super().__init__("Money that this sale left over was used by a later one.")
