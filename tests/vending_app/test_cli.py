"""The commands, as commands."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from sts import DecoderReferenceNumber, format_token
from sts.meter.cli import main as meter_main
from tests.vending_app.helpers import MILL, NEEMA
from vending_app import create_app, server
from vending_app.cli import main
from vending_app.clock import utc_now
from vending_app.config import Config
from vending_app.demo import prepare_demo
from vending_app.domain.errors import ConfigError
from vending_app.services.quoting import Amount
from vending_app.services.vending import VendRequest, vend
from vending_app.web.context import EXTENSION, AppContext

START_SECONDS = 30


def _sold(config: Config, drn: str) -> str:
    """Sell TZS 5 000 to a meter and return the token as it is printed."""
    parts: AppContext = create_app(config).extensions[EXTENSION]
    request = VendRequest(
        tenant="mwanga",
        request_id=f"cli-{drn}",
        drn=DecoderReferenceNumber(drn),
        amount=Amount(minor=5_000_00),
        login="rehema",
    )
    (token,) = vend(parts.store, parts.module, now=utc_now(), request=request).result.tokens
    parts.close()
    return format_token(token.digits)


def test_the_whole_way_from_the_command_line(tmp_path: Path) -> None:
    """Prepare, sell, key the token in, use it up: `sts-vend demo`, then `sts-meter`."""
    data_dir = tmp_path / "data"
    prepared = CliRunner().invoke(main, ["demo", "--data-dir", str(data_dir), "--prepare-only"])
    assert prepared.exit_code == 0, prepared.output
    token = _sold(prepare_demo(data_dir, {}, now=utc_now()), NEEMA)
    meter = str(data_dir / "meters" / f"{NEEMA}.db")
    other = str(data_dir / "meters" / f"{MILL}.db")

    def sts_meter(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(meter_main, list(arguments))
        return result.exit_code, result.output

    status, said = sts_meter("enter", meter, *token.split())
    assert status == 0, said
    assert "1.4 kWh" in said
    status, said = sts_meter("enter", meter, token)
    assert status == 1
    assert "used already" in said
    status, said = sts_meter("enter", other, token)
    assert status == 1
    assert "another meter" in said
    status, said = sts_meter("run", meter, "--load", "2.8kW", "--until-off", "--speed", "max")
    assert status == 0, said
    assert "Supply is off" in sts_meter("show", meter)[1]


def test_init_makes_an_installation_that_can_be_served(tmp_path: Path) -> None:
    for _ in range(2):
        made = CliRunner().invoke(main, ["init", "--data-dir", str(tmp_path / "data")])
        assert made.exit_code == 0, made.output
    assert sorted(path.name for path in (tmp_path / "data").glob("[!.]*")) == [
        "keys.vault",
        "keys.vault.audit",
        "keys.vault.journal",
        "keys.vault.module",
        "module.client",
        "secret.key",
        "vault.key",
        "vending.db",
    ]


def test_serving_what_was_never_prepared_is_refused_in_one_line(tmp_path: Path) -> None:
    refused = CliRunner().invoke(main, ["serve", "--data-dir", str(tmp_path)])
    assert refused.exit_code == 1
    assert refused.stderr.startswith("error SECRET_MISSING: No secret key for sessions is set")
    assert refused.stderr.endswith("random characters)\n")
    assert refused.stderr.count("\n") == 1


def test_a_refusal_without_advice_has_no_brackets(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused = CliRunner().invoke(main, ["init", "--data-dir", str(tmp_path / "file" / "data")])
    assert refused.exit_code == 1
    assert refused.stderr.startswith("error CONFIG: ")
    assert not refused.stderr.endswith(")\n")


@pytest.mark.parametrize(
    "arguments", [["sell"], ["demo", "--port", "x"], ["serve", "--workers", "0"]]
)
def test_wrong_usage_is_status_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(main, arguments).exit_code == 2


def test_a_port_that_is_taken_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind((server.DEMO_HOST, 0))
        taken.listen()
        with pytest.raises(ConfigError, match="Choose another with --port"):
            server.listen(taken.getsockname()[1])


@contextmanager
def _running(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-m", "vending_app.cli", *arguments],
        encoding="utf-8",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _wait_for(url: str) -> str:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url) as answer:  # noqa: S310 - our own server
                return str(answer.read(), "utf-8")
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def test_the_demo_says_what_to_open_and_serves_it(tmp_path: Path) -> None:
    with _running("demo", "--data-dir", str(tmp_path / "data"), "--port", "0") as process:
        assert process.stdout
        said = ""
        while "Ctrl-C" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        assert "zanele@thabaneng" in said
        assert "Password of all: demo-only-2014" in said
        url = re.search(r"http://127\.0\.0\.1:\d+/", said)
        assert url
        assert "Try the demo as" in _wait_for(url[0])
        process.send_signal(signal.SIGINT)
        assert process.wait(START_SECONDS) == 0
        assert process.stdout.read() == "Stopped.\n"


def test_gunicorn_serves_an_installation(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    assert CliRunner().invoke(main, ["init", "--data-dir", str(data_dir)]).exit_code == 0
    with socket.socket() as free:
        free.bind((server.DEMO_HOST, 0))
        bind = f"{server.DEMO_HOST}:{free.getsockname()[1]}"
    arguments = ("serve", "--data-dir", str(data_dir), "--bind", bind, "--workers", "1")
    with _running(*arguments) as process:
        page = _wait_for(f"http://{bind}/login")
        assert "Log in" in page
        assert "Try the demo as" not in page
        process.terminate()
        assert process.wait(START_SECONDS) == 0
