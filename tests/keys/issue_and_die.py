"""A process that issues one token and is killed at a step: ``python -m … VAULT JOURNAL STEP``.

Prints the digits if it lives long enough to hand them out.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from keys import CreditRequest, FileJournal, SoftwareModule, Vault
from keys import journal_file as steps
from sts import BaseDate, Service, encode_amount, tid_from_datetime
from tests.keys import conftest


def _die(*_args: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _dying_after(real: Callable[..., object]) -> Callable[..., object]:
    def call(*args: object, **kwargs: object) -> object:
        real(*args, **kwargs)
        _die()
        return None

    return call


def _arm(step: str) -> None:
    """Make the process die after a step of the transaction."""
    transaction = steps.FileTransaction
    match step:
        case "look_up" | "usage" | "add":
            setattr(transaction, step, _dying_after(getattr(transaction, step)))
        case "begin":
            transaction.__init__ = _die  # type: ignore[method-assign,assignment]  # the point
        case "insert":
            steps._COUNT = "SELECT die(?, ?, ?, ?, ?)"  # type: ignore[misc]  # noqa: SLF001 - as above
        case _:
            assert step in {"committed", "answered"}


def main(vault: Path, journal: Path, step: str) -> None:
    """Issue, or die at it."""
    _arm(step)
    opened = FileJournal.open(journal)
    opened._connection.create_function("die", 5, _die)  # noqa: SLF001 - dies between two statements
    module = SoftwareModule(Vault.open(vault, conftest.VAULT_KEY), lab_mode=True, journal=opened)
    now = conftest.NOW
    request = CreditRequest(
        service=Service.ELECTRICITY,
        tid_minutes=tid_from_datetime(now, BaseDate.Y2014),
        amount=encode_amount(59),
    )
    answer = module.issue(conftest.sample_meter(), request, message_id="m", now=now)
    if step == "committed":
        _die()
    print(answer.digits, flush=True)
    _die()


main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
