"""What all use cases share that add something with a code."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import IntegrityError

from vending_app.domain.errors import AlreadyThereError, CodeFormError

LONGEST_CODE: Final = 32
LONGEST_NAME: Final = 120


def require_code(what: str, code: str, *, longest: int = LONGEST_CODE) -> None:
    """Refuse a code or name that cannot be one.

    Raises:
        CodeFormError: Empty, too long, not printable, or with blanks at its ends.
    """
    if not 0 < len(code) <= longest or not code.isprintable() or code != code.strip():
        raise CodeFormError(what, longest)


@contextmanager
def refusing_doubles(what: str) -> Iterator[None]:
    """Say it in words when the database refuses a code that is taken.

    Raises:
        AlreadyThereError: It is.
    """
    try:
        yield
    except IntegrityError as error:
        raise AlreadyThereError(what) from error
