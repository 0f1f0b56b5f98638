"""Refusals about who may do what, and about accounts, places and meters."""

from collections.abc import Sequence

from vending_app.domain.errors.root import VendingError


class NotPermittedError(VendingError):
    """The operator's role does not allow this."""

    code = "NOT_PERMITTED"
    hint = "ask somebody whose role allows it"

    def __init__(self, role: str, permission: str) -> None:
        """Say what role was asked and for what."""
        super().__init__(f"The role {role} does not allow this: {permission}.")


class SecondPersonError(VendingError):
    """Two people were needed, and it was the same one twice."""

    code = "SECOND_PERSON"

    def __init__(self) -> None:
        """Say that one cannot approve one's own work."""
        super().__init__("Nobody approves their own work. A second person must do it.")


class AlreadyThereError(VendingError):
    """What was to be added is there, with this code or number."""

    code = "ALREADY_THERE"

    def __init__(self, what: str) -> None:
        """Say what there is."""
        super().__init__(f"There is {what} already.")


class CodeFormError(VendingError):
    """A code or name that cannot be one."""

    code = "CODE_FORM"

    def __init__(self, what: str, longest: int) -> None:
        """Say which code and what it looks like."""
        super().__init__(
            f"{what} has 1 to {longest} printable characters and no blank at its ends."
        )


class MeterLifeError(VendingError):
    """A step that a meter's life does not take from where it is."""

    code = "METER_LIFE"

    def __init__(self, drn: str, *, life: str, wanted: str) -> None:
        """Say where the meter is in its life and where it was to go."""
        super().__init__(f"Meter {drn} is {life} and cannot become {wanted}.")


class ServiceMismatchError(VendingError):
    """A meter of one service at a place or under a tariff of another."""

    code = "SERVICE_MISMATCH"

    def __init__(self, found: str, wanted: str) -> None:
        """Say both services."""
        super().__init__(f"One is for {found}, the other for {wanted}.")


class PlaceTakenError(VendingError):
    """Another meter hangs at this place."""

    code = "PLACE_TAKEN"
    hint = "remove the other meter first"

    def __init__(self, drn: str) -> None:
        """Say which meter hangs there."""
        super().__init__(f"Meter {drn} hangs at this place.")


class ReasonMissingError(VendingError):
    """Something that needs a reason came without one."""

    code = "REASON_MISSING"

    def __init__(self) -> None:
        """Say that a reason is needed."""
        super().__init__("A reason is needed, in words that an auditor understands.")


class TariffCodeError(VendingError):
    """A version of a tariff that does not fit what is there."""

    code = "TARIFF_VERSION"


class TariffOddError(VendingError):
    """Something about a version of a tariff is odd, and nobody has accepted that."""

    code = "TARIFF_ODD"
    hint = "look at every finding, then mend the tariff or accept them"

    def __init__(self, findings: Sequence[str]) -> None:
        """Say what the worst is, and how many there are."""
        more = f" ({len(findings) - 1} more)" if len(findings) > 1 else ""
        super().__init__(f"{findings[0]}{more}")


class TariffFileError(VendingError):
    """A file with a tariff cannot be read."""

    code = "TARIFF_FILE"

    def __init__(self, path: str) -> None:
        """Say which file."""
        super().__init__(f"{path} is not a text that can be read.")
