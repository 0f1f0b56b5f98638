"""Looks for secrets in any content, in every form in which a program might show them.

==========  ==================================================================================
raw         the bytes, also in reverse
hex         either case, also in groups with spaces, dashes, colons or commas between them
base64      both alphabets, at each of the three places where a secret can begin in a group
decimal     the whole as one number, from either end; its bytes as a list; its 32-bit parts
escaped     as Python writes bytes in a ``repr``
==========  ==================================================================================

Each part of 8 bytes is looked for as well as the whole, so that half a key is found, too.
"""

import base64
import pickle
import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.house.project import ROOT

PART: Final = 8
_WORD: Final = 4
_LEAST_DECIMAL: Final = 9
"""Digits; shorter numbers are met by chance."""
_BETWEEN: Final = re.compile(rb"[\s,:_-]+")


@dataclass(frozen=True, slots=True)
class _Forms:
    """What to look for: as it is, with all letters small, and with nothing in between."""

    exact: dict[str, bytes]
    small: dict[str, bytes]
    compact: dict[str, bytes]


class LeakSearcher:
    """Looks for some secrets in whatever it is given."""

    def __init__(self, secrets: Mapping[str, bytes]) -> None:
        """Look for ``secrets``, each of 8 bytes at least."""
        self._forms = {
            f"{name}, byte {start}": _forms_of(part)
            for name, secret in secrets.items()
            for start, part in _parts(secret)
        }

    def findings(self, content: bytes) -> list[str]:
        """Return what is in ``content``: which secret, in which form."""
        small = content.lower()
        between = _BETWEEN.sub(b"", content)
        compact = between.lower()
        return [
            f"{name}, {form}"
            for name, forms in self._forms.items()
            for where, wanted in (
                (content, forms.exact),
                (between, forms.exact),
                (small, forms.small),
                (compact, forms.compact),
            )
            for form, needle in wanted.items()
            if needle in where
        ]


@dataclass(slots=True)
class Output:
    """All that a scenario lets be seen: each piece with where it was seen."""

    pieces: list[tuple[str, bytes]] = field(default_factory=list)

    def add(self, where: str, content: str | bytes) -> None:
        """Take a piece."""
        data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
        self.pieces.append((where, data))

    def show(self, *things: object) -> None:
        """Take what Python shows of some objects, and what pickle would write of them."""
        for thing in things:
            where = type(thing).__name__
            self.add(f"repr of {where}", repr(thing))
            self.add(f"str of {where}", f"{thing!s} {thing}")
            for name, value in _attributes(thing):
                self.add(f"{name} of {where}", repr(value))
            try:
                self.add(f"pickle of {where}", pickle.dumps(thing))
            except (TypeError, AttributeError, pickle.PicklingError):
                continue

    def refusal(self, error: BaseException, *, local_values: bool = False) -> None:
        """Take all that is printed of an error.

        Args:
            error: The error.
            local_values: Whether to take the local variables of the project's own functions, too,
                as reporters of errors do. Not for keys that the caller gives in clear.
        """
        for each in (error, error.__cause__, error.__context__):
            if each is None:
                continue
            where = type(each).__name__
            self.show(each)
            self.add(f"arguments of {where}", repr(each.args))
            self.add(f"traceback of {where}", "".join(traceback.format_exception(each)))
            if local_values:
                for frame, _ in traceback.walk_tb(each.__traceback__):
                    if Path(frame.f_code.co_filename).is_relative_to(ROOT / "tests"):
                        continue
                    for name, value in frame.f_locals.items():
                        with suppress(Exception):  # The text of what a library half made.
                            self.add(f"{name} in {frame.f_code.co_qualname}", repr(value))

    def folder(self, folder: Path, *, but: frozenset[str] = frozenset()) -> int:
        """Take every file below a folder, apart from those of some names; return how many."""
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        taken = [path for path in files if path.name not in but]
        for path in taken:
            self.add(f"file {path.relative_to(folder)}", path.read_bytes())
        return len(taken)

    def leaks(self, searcher: LeakSearcher) -> list[str]:
        """Return where a secret was seen, and in which form."""
        return [
            f"{where}: {finding}"
            for where, content in self.pieces
            for finding in searcher.findings(content)
        ]

    def holds(self, text: str) -> bool:
        """Tell whether a text was seen, as proof that the scenario did what it says."""
        return any(text.encode() in content for _, content in self.pieces)


def _attributes(thing: object) -> Iterator[tuple[str, object]]:
    """Yield what an object says of itself by name, without what it hides."""
    names = [*getattr(thing, "__dict__", ()), *getattr(type(thing), "__slots__", ())]
    for name in names:
        if not name.startswith("_") and hasattr(thing, name):
            yield name, getattr(thing, name)


def _parts(secret: bytes) -> Iterator[tuple[int, bytes]]:
    assert len(secret) >= PART
    last = len(secret) - PART
    for start in sorted({*range(0, last + 1, PART), last}):
        yield start, secret[start : start + PART]
    if last:
        yield -1, secret


def _forms_of(secret: bytes) -> _Forms:
    exact = {"raw": secret, "raw, in reverse": secret[::-1], "escaped": _escaped(secret)}
    for offset in range(3):
        for name, encode in (("", base64.b64encode), (", URL", base64.urlsafe_b64encode)):
            exact[f"base64{name} at {offset}"] = _base64_core(secret, offset, encode=encode)
    for name, order in (("big", secret), ("little", secret[::-1])):
        exact[f"decimal, {name} end first"] = str(int.from_bytes(order, "big")).encode()
    for start in range(0, len(secret) - _WORD + 1, _WORD):
        word = str(int.from_bytes(secret[start : start + _WORD], "big")).encode()
        if len(word) >= _LEAST_DECIMAL:
            exact[f"decimal, 32 bits at {start}"] = word
    small = {"escaped": _escaped(secret).lower()}
    numbers = "".join(str(byte) for byte in secret).encode()
    compact = {"hex": secret.hex().encode(), "hex, in reverse": secret[::-1].hex().encode()}
    compact["list of bytes"] = numbers
    compact["list of hex bytes"] = "".join(f"0x{byte:x}" for byte in secret).encode()
    return _Forms(exact, small, compact)


def _escaped(secret: bytes) -> bytes:
    return repr(b"'" + secret)[3:-1].encode()


def _base64_core(secret: bytes, offset: int, *, encode: Callable[[bytes], bytes]) -> bytes:
    """Return the characters that depend on the secret alone when it begins at ``offset``."""
    text = encode(bytes(offset) + secret)
    first = -(-offset * 8 // 6)
    return text[first : (offset + len(secret)) * 8 // 6]
