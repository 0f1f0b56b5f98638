"""The searcher finds a secret in each form in which it might leak, and only there."""

import base64
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from sts import StsError, VendingKey
from tests.leaks.marked import SEARCHER, SECRETS, VENDING_KEY
from tests.leaks.searcher import LeakSearcher, Output

KEY = VENDING_KEY.expose()
AROUND = b"some text before it \x00\xff", b"\x01 and some after it"
LEAKS: dict[str, Callable[[bytes], bytes | str]] = {
    "raw": lambda key: key,
    "raw in reverse": lambda key: key[::-1],
    "hex": lambda key: key.hex(),
    "upper-case hex": lambda key: key.hex().upper(),
    "hex of either case": lambda key: key.hex().upper()[:11] + key.hex()[11:],
    "hex in groups": lambda key: key.hex(" ", 2).upper(),
    "hex with colons": lambda key: key.hex(":"),
    "hex in lines": lambda key: "\n".join(key.hex()[at : at + 10] for at in range(0, 40, 10)),
    "hex in reverse": lambda key: key[::-1].hex(),
    "base64 from the first place": base64.b64encode,
    "base64 from the second place": lambda key: base64.b64encode(b"x" + key + b"yz"),
    "base64 from the third place": lambda key: base64.b64encode(b"xy" + key + b"z"),
    "base64 in lines": lambda key: base64.encodebytes(b"x" * 50 + key),
    "base64 of a URL": lambda key: base64.urlsafe_b64encode(b"x" + key),
    "a number": lambda key: str(int.from_bytes(key, "big")),
    "a number from the other end": lambda key: str(int.from_bytes(key, "little")),
    "a 32-bit part as a number": lambda key: str(int.from_bytes(key[8:12], "big")),
    "a list of numbers": lambda key: str(list(key)),
    "a list of hex numbers": lambda key: ", ".join(map(hex, key)),
    "repr": repr,
    "repr in a repr": lambda key: str({"key": key}),
    "the first 8 bytes": lambda key: key[:8].hex(),
    "the last 8 bytes": lambda key: key[-8:],
    "8 bytes as a number": lambda key: str(int.from_bytes(key[8:16], "big")),
}


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS)
def test_a_leaked_key_is_found_in_this_form(leak: Callable[[bytes], bytes | str]) -> None:
    leaked = leak(KEY)
    content = leaked.encode() if isinstance(leaked, str) else leaked
    found = SEARCHER.findings(content.join(AROUND))
    assert found
    assert all(finding.startswith("vending key, ") for finding in found)


@pytest.mark.parametrize("name", SECRETS)
def test_every_marked_secret_is_looked_for(name: str) -> None:
    found = SEARCHER.findings(SECRETS[name].hex().encode())
    assert any(finding.startswith(name) for finding in found)


def test_what_holds_no_secret_is_clean() -> None:
    other = LeakSearcher({"other": bytes(range(100, 120))})
    content = b"".join(
        leaked.encode() if isinstance(leaked, str) else leaked
        for leaked in (leak(KEY) for leak in LEAKS.values())
    )
    assert other.findings(content) == []
    assert SEARCHER.findings(bytes(range(256)) * 10) == []


class _Careless:
    """An object that shows its key."""

    def __init__(self, key: bytes) -> None:
        self.key = key


def test_a_careless_object_is_found() -> None:
    output = Output()
    output.show(_Careless(KEY))
    assert any("key of _Careless" in leak for leak in output.leaks(SEARCHER))


@pytest.mark.parametrize("cause", [None, ValueError(KEY.hex())])
def test_a_careless_error_is_found_and_so_is_its_cause(cause: Exception | None) -> None:
    output = Output()
    with pytest.raises(KeyError) as error:
        raise KeyError(KEY if cause is None else "nothing") from cause
    output.refusal(error.value)
    assert output.leaks(SEARCHER)


def test_a_key_in_a_local_variable_is_found() -> None:
    output = Output()
    with pytest.raises(StsError) as error:
        VendingKey(KEY[:-1])
    output.refusal(error.value)
    assert not output.leaks(SEARCHER)
    output.refusal(error.value, local_values=True)
    assert any("key in _KeyMaterial.__init__" in leak for leak in output.leaks(SEARCHER))


def test_a_key_in_a_database_is_found(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "careless.db")
    connection.execute("CREATE TABLE t (key BLOB)")
    connection.execute("INSERT INTO t VALUES (?)", (KEY,))
    connection.commit()
    connection.close()
    output = Output()
    assert output.folder(tmp_path) == 1
    assert any("careless.db" in leak for leak in output.leaks(SEARCHER))
