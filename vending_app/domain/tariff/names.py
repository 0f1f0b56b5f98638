"""The form of the codes, labels and accounts in a tariff."""

import re
from collections.abc import Iterable
from typing import Final

from vending_app.domain.tariff_errors import TariffNameError, TariffNameTwiceError

LONGEST_CODE: Final = 40
LONGEST_LABEL: Final = 80

_CODE: Final = re.compile(r"[a-z0-9](?:[a-z0-9._:-]*[a-z0-9])?")


def require_code(text: str, *, path: str) -> None:
    """Refuse what is no code: small letters, digits and inner ``.``, ``_``, ``:``, ``-``.

    Raises:
        TariffNameError: It is none.
    """
    if len(text) > LONGEST_CODE or not _CODE.fullmatch(text):
        raise TariffNameError(
            f"A code has 1 to {LONGEST_CODE} small letters and digits, with . _ : - inside.",
            path=path,
        )


def require_label(text: str, *, path: str) -> None:
    """Refuse a label that a receipt cannot show.

    Raises:
        TariffNameError: It is empty, too long, not printable, or has spaces at an end.
    """
    if not 0 < len(text) <= LONGEST_LABEL or not text.isprintable() or text != text.strip():
        raise TariffNameError(
            f"A label has 1 to {LONGEST_LABEL} printable characters, no space at an end.", path=path
        )


def require_distinct(codes: Iterable[str], *, path: str) -> None:
    """Refuse a code that stands twice.

    Raises:
        TariffNameTwiceError: One does.
    """
    seen: set[str] = set()
    for number, code in enumerate(codes):
        if code in seen:
            raise TariffNameTwiceError(f"The code {code} stands twice.", path=f"{path}/{number}")
        seen.add(code)
