"""Write the tables of `docs/token-format.md` from the code: `python -m tools.token_format --write`.

What the document says about bits, codes and dates stands between markers and is made from the
tables that the library itself reads, so that it cannot say anything else. Without `--write` the
document is only compared; the exit status is 1 where it differs.
"""

import argparse
import difflib
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final, Literal

from sts import BaseDate, InitiateMeterTest, KeyExpiryNumber, encode, format_token, last_minute_of
from sts.amount import CurrencyAmount, PowerLimit
from sts.identifiers import KeyType
from sts.layouts import TOKEN_KINDS
from sts.meanings import (
    EXTENDED_FLAG_NAMES,
    KEY_TYPE_NAMES,
    REGISTER_NAMES,
    SERVICE_UNITS,
    TEST_NAMES,
    currency_text,
    tenths_text,
)
from sts.token_identifier import LAST_TID_MINUTES, datetime_from_tid
from sts.token_kinds import CONTENT_LOWEST_BIT, TokenKind

DOCUMENT: Final = Path(__file__).resolve().parents[1] / "docs" / "token-format.md"

_BEGIN: Final = "<!-- generated: {} -->"
_END: Final = "<!-- end of generated -->"
_BLOCK: Final = re.compile(
    r"<!-- generated: (?P<name>[\w-]+) -->\n.*?<!-- end of generated -->", re.DOTALL
)
_MOMENT: Final = "%Y-%m-%d %H:%M"
_SHOWN_EXPIRY_NUMBERS: Final = (0, 85, 127, 170, 254, 255)
_SHOWN_EXPONENTS: Final = (0, 1, 2, 3, 4, 31)
_FAULTS: Final = {"format": "FormatError", "range": "RangeError"}


def refreshed(text: str) -> str:
    """Return the document ``text`` with every generated block made anew.

    Raises:
        KeyError: A block has a name that nothing generates.
    """

    def made(match: re.Match[str]) -> str:
        name = match["name"]
        return "\n".join([_BEGIN.format(name), "", *BLOCKS[name](), "", _END])

    return _BLOCK.sub(made, text)


def main(arguments: list[str] | None = None) -> int:
    """Compare the document with the code, or write it; return 1 where they differ."""
    parser = argparse.ArgumentParser(description="The tables of docs/token-format.md.")
    parser.add_argument("document", type=Path, nargs="?", default=DOCUMENT)
    parser.add_argument("--write", action="store_true", help="write the tables into the document")
    options = parser.parse_args(arguments)
    present = options.document.read_text(encoding="utf-8")
    wanted = refreshed(present)
    if options.write:
        options.document.write_text(wanted, encoding="utf-8")
        return 0
    difference = difflib.unified_diff(
        present.splitlines(), wanted.splitlines(), "document", "code", lineterm=""
    )
    for line in difference:
        print(line)
    return int(present != wanted)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield a Markdown table whose columns line up."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    rule = ["-" * width for width in widths]
    for line in (head, rule, *lines[1:]):
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        yield f"| {' | '.join(cells)} |"


def _layouts(token_class: int) -> Iterator[str]:
    kinds = [kind for kind in TOKEN_KINDS if kind.token_class == token_class]
    grouped = groupby(kinds, key=lambda kind: (kind.name, kind.key_bits, kind.layout.fields))
    yield from _table(
        ("subclass", "token", "bits 59 to 16", "checksum", "refusals"),
        (_layout_row(list(group)) for _, group in grouped),
    )


def _layout_row(kinds: Sequence[TokenKind]) -> tuple[str, ...]:
    """Return the row of a kind, or of several neighbours that differ in their subclass alone."""
    first, last = kinds[0], kinds[-1]
    numbers = f"{first.subclass}" if first is last else f"{first.subclass}–{last.subclass}"
    length = f", {first.key_bits}-bit keys" if first.key_bits else ""
    rules = (f"{_FAULTS[rule.fault]}: `{rule.field}` {rule.text}" for rule in first.rules)
    checksum = "CRC_C" if first.currency_crc else "CRC"
    return numbers, f"{first.name}{length}", ", ".join(_fields(first)), checksum, "; ".join(rules)


def _fields(kind: TokenKind) -> Iterator[str]:
    for name, high, low in kind.layout.positions(CONTENT_LOWEST_BIT):
        yield f"`{name}` {high}" if high == low else f"`{name}` {high}–{low}"


def _amount_codes() -> Iterator[str]:
    rows = []
    for exponent in range(4):
        low, high = PowerLimit(exponent << 14), PowerLimit(exponent << 14 | 0x3FFF)
        step = PowerLimit(low.code + 1).value - low.value
        rows.append(
            (
                str(exponent),
                f"{low.code:04X}h–{high.code:04X}h",
                f"{step}",
                f"{low.value} to {high.value}",
                f"{tenths_text(low.value)} to {tenths_text(high.value)}",
            )
        )
    yield from _table(("e", "codes", "step", "values", "as an amount, in units"), rows)


def _currency_codes() -> Iterator[str]:
    rows = []
    for exponent in _SHOWN_EXPONENTS:
        low, second, high = (
            CurrencyAmount(negative=False, exponent=exponent, mantissa=mantissa)
            for mantissa in (0, 1, 0x3FFF)
        )
        rows.append(
            (
                str(exponent),
                f"{low.sign_exponent:X}h",
                f"{low.code:04X}h–{high.code:04X}h",
                currency_text(second.units - low.units),
                f"{currency_text(low.units)} to {currency_text(high.units)}",
            )
        )
    yield from _table(("e", "`sign_exponent`", "`amount`", "step", "values"), rows)


def _base_dates() -> Iterator[str]:
    rows = [
        (
            f"{base_date.value}",
            f"{base_date.start:{_MOMENT}}",
            f"{datetime_from_tid(LAST_TID_MINUTES, base_date):{_MOMENT}}",
        )
        for base_date in BaseDate
    ]
    yield from _table(("code", "identifier 0", f"identifier {LAST_TID_MINUTES}, the last"), rows)


def _expiry_numbers() -> Iterator[str]:
    rows = [
        (
            str(number),
            *(
                f"{last_minute_of(KeyExpiryNumber(number), base_date):{_MOMENT}}"
                for base_date in BaseDate
            ),
        )
        for number in _SHOWN_EXPIRY_NUMBERS
    ]
    yield from _table(("number", *(f"base {base_date}" for base_date in BaseDate)), rows)


def _tests() -> Iterator[str]:
    rows = [
        (
            str(test),
            name,
            "all" if test == 0 else str(test - 1),
            _universal_token(test, 2),
            _universal_token(test, 4),
        )
        for test, name in TEST_NAMES.items()
    ]
    yield from _table(("test", "what", "bit", "subclass 0", "subclass 1"), rows)


def _universal_token(test: int, digits: Literal[2, 4]) -> str:
    return format_token(encode(InitiateMeterTest.for_tests([test], manufacturer_digits=digits)))


def _services() -> Iterator[str]:
    rows = [(service.name.lower(), f"0.1 {unit}") for service, unit in SERVICE_UNITS.items()]
    yield from _table(("service", "unit of the amount"), rows)


def _registers() -> Iterator[str]:
    rows = [(f"{register.value:04X}h", name) for register, name in REGISTER_NAMES.items()]
    yield from _table(("value", "clears"), rows)


def _flags() -> Iterator[str]:
    rows = [(str(number), name) for number, name in EXTENDED_FLAG_NAMES.items()]
    yield from _table(("flag", "meaning"), rows)


def _key_types() -> Iterator[str]:
    rows = [(f"{key_type:d}", KEY_TYPE_NAMES[key_type]) for key_type in KeyType]
    yield from _table(("type", "name"), rows)


BLOCKS: Final[Mapping[str, Callable[[], Iterator[str]]]] = {
    "class-0": lambda: _layouts(0),
    "class-1": lambda: _layouts(1),
    "class-2": lambda: _layouts(2),
    "amount-codes": _amount_codes,
    "currency-codes": _currency_codes,
    "base-dates": _base_dates,
    "expiry-numbers": _expiry_numbers,
    "tests": _tests,
    "services": _services,
    "registers": _registers,
    "flags": _flags,
    "key-types": _key_types,
}
"""Name of a block in the document to what makes its lines."""


if __name__ == "__main__":
    sys.exit(main())
