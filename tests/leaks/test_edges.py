"""No key leaves by the edges: not in what the commands print, nor in what the web app answers."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from keys.cli import main
from keys.files import write_new
from tests.leaks import marked
from tests.leaks.marked import SEARCHER, VENDING_KEY
from tests.leaks.searcher import LeakSearcher, Output
from tests.soft_hsm import SoftHsm, quick_folder
from tests.vending_app.helpers import MILL, NEEMA, NOW, PIETER, Browser, SetClock
from vending_app import create_app
from vending_app.demo import prepare_demo
from vending_app.web.context import EXTENSION

AT = ("--at", "2026-03-02T08:15:00Z")
KEY_OF = ("--tenant", "thabaneng", "--sgc", "201457")


@pytest.fixture
def folder() -> Path:
    """A folder in memory where there is such: every use of a key is flushed to the disk."""
    return quick_folder()


@pytest.fixture
def output(caplog: pytest.LogCaptureFixture) -> Iterator[Output]:
    """Everything that a scenario lets be seen; searched when the scenario is over."""
    caplog.set_level(logging.DEBUG)
    seen = Output()
    yield seen
    seen.add("logs", caplog.text)
    assert seen.leaks(SEARCHER) == []


def _run(output: Output, *words: str, key: bytes | None = None, status: int = 0) -> Result:
    """Run a command of ``sts-keys``; whatever ends it, nothing of a key is printed."""
    environment = {} if key is None else {"STS_VENDING_KEY": key.hex()}
    result = CliRunner().invoke(main, [*words], prog_name="sts-keys", env=environment)
    where = f"sts-keys {' '.join(words[:2])}"
    output.add(f"standard output of {where}", result.stdout)
    output.add(f"standard error of {where}", result.stderr)
    if result.exception is not None:
        output.refusal(result.exception)
    assert result.exit_code == status, result.output
    return result


def _use(output: Output, module: str, *unlock: str) -> None:
    """Bring the marked key into a lab module by hand, make tokens, and look at everything."""
    opened = (*unlock, *AT)
    key = VENDING_KEY.expose()
    _run(output, "import", module, *KEY_OF, *opened, key=key)
    _run(output, "import", module, *KEY_OF, *opened, key=marked.COMPONENTS[0].expose(), status=1)
    _run(output, "import", module, *KEY_OF, "--krn", "3", *opened, key=key[:-1], status=1)
    _run(output, "list", module, "--json", *unlock, *AT)
    meter = (*KEY_OF, "--meter", "0100200002010")
    made = _run(output, "issue", "credit", module, *meter, "--amount", "25.6", *opened)
    token = re.search(r"\b\d{4}(?: \d{4}){4}\b|\b\d{20}\b", made.stdout)
    assert token, made.stdout
    _run(output, "verify", module, token[0], *meter, *opened)
    _run(output, "module", "status", module, *opened)
    _run(output, "audit", "verify", module, *opened)
    _run(output, "audit", "export", module, *opened, "--output", "export.jsonl")


def test_the_commands_print_no_key(
    folder: Path, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    write_new(folder / "words", f"{marked.PASSPHRASE}\n".encode())
    unlock = ("--passphrase-file", "words")
    module = "software:keys.vault"
    _run(output, "vault", "init", "keys.vault", *unlock)
    _run(output, "module", "init", module, "Depot 1", *unlock, *AT)
    _use(output, module, *unlock)
    _run(output, "vault", "status", "keys.vault", *unlock)
    assert output.folder(folder, but=frozenset({"words"})) >= 5
    assert output.holds(marked.KEY.record.check_value)


@pytest.mark.hsm
def test_the_commands_print_no_key_of_an_hsm(
    hsm: SoftHsm, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    hsm.change_pin(marked.PIN)
    monkeypatch.chdir(hsm.folder)
    module = f"pkcs11:{hsm.write_settings()}"
    _run(output, "module", "init", module, "HSM 1", *AT)
    _use(output, module)
    assert output.folder(hsm.folder, but=frozenset({"pin"})) >= 10
    assert output.holds(marked.KEY.record.check_value)


def test_the_web_app_answers_without_a_key(
    folder: Path, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The virtual meters of the demo hold their own keys, as meters do; nothing else may."""
    monkeypatch.setattr("vending_app.demo._VENDING_KEY", VENDING_KEY)
    monkeypatch.setattr("vending_app.demo_story.VENDING_KEY_HEX", VENDING_KEY.expose().hex())
    logging.getLogger("sqlalchemy.engine").setLevel(logging.DEBUG)
    config = prepare_demo(folder / "data", {}, now=NOW)
    app = create_app(config, clock=SetClock())
    browser = Browser(app.test_client())
    paths = ["/login", "/sell", "/sales", "/meters", "/nowhere"]
    browser.log_in()
    for drn, amount in ((PIETER, "20"), (PIETER, "-1"), (NEEMA, "20")):
        quote = browser.post("/sell", meter=drn, amount=amount)
        output.add("page of a quote", quote.data)
    paths.append(browser.sell(PIETER, "100"))
    paths += [f"/lab/meters/{drn}" for drn in (PIETER, NEEMA, MILL)]
    for path in paths:
        answer = browser.get(path)
        output.add(f"page {path}", answer.data)
        output.add(f"headers of {path}", str(answer.headers))
    output.show(config, app, app.config, app.extensions[EXTENSION])
    app.extensions[EXTENSION].close()
    meters = {path.name for path in (folder / "data").rglob("*") if "meter" in path.parent.name}
    assert output.folder(folder, but=frozenset(meters)) >= 3
    # Not even a meter has the vending key.
    memory = Output()
    assert memory.folder(folder) > len(meters)
    vending_key = LeakSearcher({"vending key": VENDING_KEY.expose()})
    assert memory.leaks(vending_key) == []
    assert output.holds("Thabaneng")
