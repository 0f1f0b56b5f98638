"""Does this library do what the published vectors say? A report, test by test.

Every case is tried in both directions: the token is built and compared with the published digits,
and the digits are decoded and compared with what the case says; the decoder key is derived and
compared as well. Cases whose tokens need the licensed STA tables are skipped, apart from their
keys, unless a licensed set is given.

The files are read here, an edge of the library; all else is values in, values out.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal

from sts.ciphers import SAMPLE_TABLES, StaTables, new_cipher
from sts.codec import clear_block, decode, encode
from sts.derivation import derive_decoder_key
from sts.errors import StsError, VectorFileError
from sts.key_change import KeyChange, build, join, part_number
from sts.tokens import KEY_CHANGE_TOKEN_TYPES, BlockCipher, KeyChangeToken
from sts.vectors import KeyInput, UnreadableCase, VectorCase, read_cases

BUNDLED: Final = ("iec_example.json", "sts531_ed22_ea11.json", "sts531_legacy.json")
"""The official vectors that come with the package."""
LARGEST_FILE_BYTES: Final = 64 * 1024 * 1024

Status = Literal["passed", "failed", "skipped", "unreadable"]
STATUSES: Final[tuple[Status, ...]] = ("passed", "failed", "skipped", "unreadable")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What came of one case.

    Attributes:
        identity: The case's ``id``.
        group: Suite and test.
        status: ``skipped`` only where licensed tables are needed and not given.
        detail: Why it did not pass; empty if it did.
        needs_licensed_tables: Whether its tokens are made with the licensed tables.
    """

    identity: str
    group: tuple[str, str]
    status: Status
    detail: str = ""
    needs_licensed_tables: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The results of a run, in the order of the cases."""

    results: tuple[CaseResult, ...]

    def count(self, status: Status) -> int:
        """Return how many cases ended so."""
        return sum(result.status == status for result in self.results)

    @property
    def conforms(self) -> bool:
        """Whether no case failed and every case could be read."""
        return not self.count("failed") and not self.count("unreadable")

    def groups(self) -> dict[tuple[str, str], dict[Status, int]]:
        """Return the counts of each suite and test, sorted."""
        table: dict[tuple[str, str], dict[Status, int]] = {}
        for result in self.results:
            row = table.setdefault(result.group, dict.fromkeys(STATUSES, 0))
            row[result.status] += 1
        return dict(sorted(table.items()))

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain values for JSON."""
        return {
            "conforms": self.conforms,
            "counts": {status: self.count(status) for status in STATUSES},
            "tests": [
                {"suite": suite, "test": test, **counts}
                for (suite, test), counts in self.groups().items()
            ],
            "problems": [
                {"id": result.identity, "status": result.status, "detail": result.detail}
                for result in self.results
                if result.status in ("failed", "unreadable")
            ],
        }


def load_bundled() -> tuple[VectorCase | UnreadableCase, ...]:
    """Return the cases of the official vectors that come with the package."""
    data = files("sts").joinpath("data")
    return tuple(
        case
        for name in BUNDLED
        for case in read_cases(json.loads(data.joinpath(name).read_text("utf-8")))[1]
    )


def load_file(path: Path) -> tuple[VectorCase | UnreadableCase, ...]:
    """Return the cases of a vector file.

    Raises:
        VectorFileError: It cannot be read, is too large, is not JSON, or holds no cases.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE_BYTES + 1)
        if len(data) > LARGEST_FILE_BYTES:
            message = f"{path}: larger than {LARGEST_FILE_BYTES} bytes"
            raise VectorFileError(message)
        document = json.loads(data.decode("utf-8"))
    except OSError as error:
        message = f"{path}: {error.strerror}"
        raise VectorFileError(message) from None
    except (ValueError, RecursionError) as error:
        message = f"{path}: not JSON in UTF-8 ({error})"
        raise VectorFileError(message) from None
    try:
        return read_cases(document)[1]
    except VectorFileError as error:
        message = f"{path}: {error}"
        raise VectorFileError(message) from None


def run(
    cases: Iterable[VectorCase | UnreadableCase], *, licensed_tables: StaTables | None = None
) -> Report:
    """Try all cases and report.

    Args:
        cases: From ``load_bundled`` or ``load_file``.
        licensed_tables: For the cases whose tokens are made with them; without, those cases are
            skipped once their keys have been compared.
    """
    return Report(results=tuple(_run_case(case, licensed_tables) for case in cases))


def _run_case(case: VectorCase | UnreadableCase, licensed_tables: StaTables | None) -> CaseResult:
    if isinstance(case, UnreadableCase):
        return CaseResult(
            identity=case.identity, group=case.group, status="unreadable", detail=case.reason
        )
    licensed = case.sta_tables == "licensed"
    tables = licensed_tables if licensed else SAMPLE_TABLES
    problems = list(_problems(case, tables))
    status: Status = "failed" if problems else "passed"
    if case.expected and tables is None and not problems:
        status, problems = "skipped", ["needs the licensed STA tables"]
    return CaseResult(
        identity=case.identity,
        group=case.group,
        status=status,
        detail="; ".join(problems),
        needs_licensed_tables=licensed,
    )


def _problems(case: VectorCase, tables: StaTables | None) -> Iterator[str]:
    """Name everything that is not as published; a refusal ends the list."""
    try:
        yield from _key_problems(case)
        if case.expected and tables is not None:
            yield from _token_problems(case, tables)
    except StsError as error:
        yield f"{error.code}: {error}"


def _key_problems(case: VectorCase) -> Iterator[str]:
    """Derive the keys of a case and compare them, without showing any."""
    for name, key in (("decoder key", case.key), ("new decoder key", case.new_key)):
        if key is not None and not _derives(key):
            yield f"the {name} derived is not the published one"


def _derives(key: KeyInput) -> bool:
    if key.algorithm is None or key.vending_key is None or key.attributes is None:
        return True
    return derive_decoder_key(key.algorithm, key.vending_key, key.attributes) == key.decoder_key


def _token_problems(case: VectorCase, tables: StaTables) -> Iterator[str]:
    cipher = _cipher(case, tables)
    if case.change is not None:
        yield from _set_problems(case, case.change, cipher)
        return
    assert case.token is not None
    made = encode(case.token, cipher)
    (published,) = case.expected
    if made != published:
        yield f"made {made}, published {published}"
    block = clear_block(case.token) if cipher is None else clear_block(case.token, cipher.key_bits)
    if case.clear_block not in (None, block):
        yield "the block before encryption is not the published one"
    if cipher is not None and case.cipher_block not in (None, cipher.encrypt_block(block)):
        yield "the block after encryption is not the published one"
    if decode(published, cipher) != case.token:
        yield f"{published} decodes to {decode(published, cipher)}"


def _cipher(case: VectorCase, tables: StaTables) -> BlockCipher | None:
    if case.key is None or case.encryption_algorithm is None:
        return None
    return new_cipher(case.encryption_algorithm, case.key.decoder_key, sta_tables=tables)


def _set_problems(case: VectorCase, change: KeyChange, cipher: BlockCipher | None) -> Iterator[str]:
    """Build a key change set, or the one part of it that the case is about, and join it again."""
    tokens: Sequence[KeyChangeToken] = build(change, set_size=case.set_size)
    if case.part is not None:
        tokens = [token for token in tokens if part_number(token) == case.part]
    made = tuple(encode(token, cipher) for token in tokens)
    if made != case.expected:
        yield f"made {' '.join(made)}, published {' '.join(case.expected)}"
    decoded = [decode(digits, cipher) for digits in case.expected]
    parts = [token for token in decoded if isinstance(token, KEY_CHANGE_TOKEN_TYPES)]
    if parts != list(tokens):
        yield "the published tokens do not decode to the parts of the set"
    elif case.part is None and _joined(parts) != _carried(case):
        yield "the published tokens do not join to the change they were made of"


def _joined(parts: Sequence[KeyChangeToken]) -> KeyChange:
    """Join the parts in the order least like the one they were made in."""
    key_bits = 128 if len(parts) == 4 else 64  # noqa: PLR2004 - only a long key takes four
    return join(reversed(parts), key_bits=key_bits)


def _carried(case: VectorCase) -> KeyChange | None:
    """Return the change as far as its set carries it: a set of two has no supply group code."""
    if case.change is None or case.set_size != 2:  # noqa: PLR2004 - as said
        return case.change
    return replace(case.change, supply_group_code=None)
