"""One program runs a meter; others ask it to enter tokens and keys, and get the answer."""

import json
import os
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from sts.meter import claims, orders
from sts.meter.claims import Claim, MeterClaim, living_claim
from sts.meter.device import VirtualMeter, open_meter
from sts.meter.errors import MeterBusyError, MeterClaimedError, MeterOrderError, MeterPowerError
from sts.meter.memory import MeterMemory
from sts.meter.orders import Order, OrderKind, ask, attend
from sts.meter.results import ResultCode
from tests.pair import START, VendAndMeter
from tests.sts.meter.bench import credit_digits, meter_file

CLAIM_AND_DIE: Final = """
import os, sys
from pathlib import Path
from sts.meter.claims import MeterClaim
from sts.meter.memory import MeterMemory
MeterClaim(MeterMemory(Path(sys.argv[1])), "run").__enter__()
os._exit(9)
"""
CLAIM_AND_WAIT: Final = """
import sys
from pathlib import Path
from sts.meter.claims import MeterClaim
from sts.meter.memory import MeterMemory
with MeterClaim(MeterMemory(Path(sys.argv[1])), "run"):
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def pair() -> VendAndMeter:
    return VendAndMeter()


@pytest.fixture
def path(tmp_path: Path, pair: VendAndMeter) -> Path:
    return meter_file(tmp_path, pair)


def _running(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", CLAIM_AND_WAIT, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_a_meter_is_claimed_while_it_runs_and_free_afterwards(path: Path) -> None:
    with closing(MeterMemory(path)) as memory:
        with MeterClaim(memory, "run"):
            claim = living_claim(memory)
            assert claim is not None
            assert (claim.program, claim.process_id) == ("run", os.getpid())
        assert living_claim(memory) is None


def test_a_second_program_is_refused_and_told_who_has_the_meter(path: Path) -> None:
    process = _running(path)
    with closing(MeterMemory(path)) as memory, process:
        with pytest.raises(MeterClaimedError, match=f"run .process {process.pid}.") as caught:
            MeterClaim(memory, "tui").__enter__()
        assert caught.value.code == "METER_CLAIMED"
        process.communicate("")
        with MeterClaim(memory, "tui"):
            pass


def test_the_claim_of_a_dead_program_is_taken_over(path: Path) -> None:
    died = subprocess.run([sys.executable, "-c", CLAIM_AND_DIE, str(path)], check=False)
    assert died.returncode == 9
    with closing(MeterMemory(path)) as memory:
        assert memory.rows("claim")
        assert living_claim(memory) is None
        with MeterClaim(memory, "run"):
            assert memory.rows("claim")[0]["process_id"] == os.getpid()


def test_a_program_that_is_killed_and_not_yet_buried_is_dead(path: Path) -> None:
    process = _running(path)
    with closing(MeterMemory(path)) as memory, process:
        assert living_claim(memory) is not None
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert living_claim(memory) is None


def test_the_number_of_a_dead_process_may_come_again() -> None:
    now = datetime.now(UTC)
    claim = Claim(program="run", process_id=os.getpid(), process_started="long ago", heartbeat=now)
    assert not claim.is_alive(now)


@pytest.mark.parametrize("number", [2**22 + 1, 2**70])
def test_a_process_that_is_not_there_is_dead(number: int) -> None:
    now = datetime.now(UTC)
    claim = Claim(program="run", process_id=number, process_started="", heartbeat=now)
    assert not claim.is_alive(now)


def test_a_program_without_a_heartbeat_is_taken_for_dead_and_learns_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(MeterMemory(path)) as memory:
        mine = MeterClaim(memory, "run")
        mine.__enter__()
        monkeypatch.setattr(claims, "HEARTBEAT", timedelta())
        mine.beat()
        other = _row_of_parent()
        with memory.exclusively() as database:
            database.table("claim").upsert(other, pk="id")
        with pytest.raises(MeterClaimedError):
            mine.beat()
        mine.__exit__(None, None, None)
        assert memory.rows("claim") == [other]
        with memory.exclusively() as database:
            silent = datetime.now(UTC) - claims.SILENCE
            database.table("claim").update(1, {"heartbeat": silent.isoformat()})
        assert living_claim(memory) is None


def _row_of_parent() -> dict[str, object]:
    stat = Path(f"/proc/{os.getppid()}/stat")
    started = stat.read_text().rpartition(")")[2].split()[19] if stat.exists() else ""
    return {
        "id": 1,
        "program": "tui",
        "process_id": os.getppid(),
        "process_started": started,
        "heartbeat": datetime.now(UTC).isoformat(),
    }


def test_a_heartbeat_is_written_only_when_it_is_time(path: Path) -> None:
    with closing(MeterMemory(path)) as memory, MeterClaim(memory, "run") as claim:
        before = memory.rows("claim")
        claim.beat()
        assert memory.rows("claim") == before


# --- orders -----------------------------------------------------------------------------------


def test_without_a_running_program_an_order_is_done_at_once(path: Path, pair: VendAndMeter) -> None:
    with open_meter(path) as meter:
        answer = ask(meter, Order(kind=OrderKind.ENTER, text=credit_digits(pair, 10)), now=START)
        assert answer.lines[0] == "Accepted. 1.0 kWh added."
        assert meter.memory.rows("orders") == []


def test_a_running_program_does_the_order_and_answers(path: Path, pair: VendAndMeter) -> None:
    token = Order(kind=OrderKind.ENTER, text=credit_digits(pair, 10))
    with open_meter(path) as meter, MeterClaim(meter.memory, "run"):

        def run(_seconds: float) -> None:
            assert attend(meter, now=START + timedelta(hours=1)) == 1

        with open_meter(path) as other:
            answer = ask(other, token, now=START, sleep=run)
            assert not answer.refused
            assert answer.facts["meter"]["credit"] == 1000
            assert answer.facts["meter"]["at"] == "2026-03-02T09:00:00+00:00"
            again = ask(other, token, now=START, sleep=run)
            assert again.refused
            assert again.facts["result"]["code"] == ResultCode.USED_ERROR
        assert attend(meter, now=START) == 0
        assert meter.memory.rows("orders") == []


@pytest.mark.parametrize("kind", [kind for kind in OrderKind if kind is not OrderKind.ENTER])
def test_every_kind_of_order_is_the_same_at_once_and_through_a_program(
    path: Path, kind: OrderKind
) -> None:
    text = "5" if kind is OrderKind.KEY else "COVER" if "tamper" in kind else ""
    order = Order(kind=kind, text=text)
    with open_meter(path) as meter:
        direct = ask(meter, order, now=START)
        with MeterClaim(meter.memory, "run"), open_meter(path) as other:
            if kind is OrderKind.POWER_OFF:
                meter.power_on(now=START)
            if kind is OrderKind.KEY:
                meter.key("C", now=START)
            asked = ask(other, order, now=START, sleep=lambda _: _attended(meter))
    assert asked.lines == direct.lines
    assert asked.facts == json.loads(json.dumps(direct.facts))


def _attended(meter: VirtualMeter) -> None:
    attend(meter, now=START)


def test_an_error_at_the_running_program_keeps_its_code(path: Path, pair: VendAndMeter) -> None:
    token = Order(kind=OrderKind.ENTER, text=credit_digits(pair, 10))
    with open_meter(path) as meter:
        meter.power_off(now=START)
        with pytest.raises(MeterPowerError):
            ask(meter, token, now=START)
        with MeterClaim(meter.memory, "run"), open_meter(path) as other:
            with pytest.raises(MeterOrderError) as caught:
                ask(other, token, now=START, sleep=lambda _: _attended(meter))
            assert (caught.value.code, caught.value.hint) == (
                "METER_WITHOUT_POWER",
                "switch its power on",
            )
        meter.power_on(now=START)
        assert ask(meter, token, now=START).facts["meter"]["credit"] == 1000


def test_an_order_that_nobody_answers_is_taken_back(
    path: Path, pair: VendAndMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "WAIT_SECONDS", 0.1)
    token = Order(kind=OrderKind.ENTER, text=credit_digits(pair, 10))
    with open_meter(path) as meter, MeterClaim(meter.memory, "run"), open_meter(path) as other:
        with pytest.raises(MeterBusyError):
            ask(other, token, now=START)
        assert attend(meter, now=START) == 0
        assert meter.snapshot(now=START).credit == 0


def test_an_order_to_a_program_that_died_meanwhile_is_done_by_whoever_asks(
    path: Path, pair: VendAndMeter
) -> None:
    token = Order(kind=OrderKind.ENTER, text=credit_digits(pair, 10))
    with open_meter(path) as meter, open_meter(path) as other:
        claim = MeterClaim(meter.memory, "run")
        claim.__enter__()

        def die(_seconds: float) -> None:
            claim.__exit__(None, None, None)

        answer = ask(other, token, now=START, sleep=die)
        assert answer.facts["meter"]["credit"] == 1000
        assert meter.memory.rows("orders") == []


def test_an_order_that_nobody_waits_for_any_longer_is_not_done(
    path: Path, pair: VendAndMeter
) -> None:
    row = {"at": START.isoformat(), "kind": "enter", "text": credit_digits(pair, 10)}
    with open_meter(path) as meter:
        with meter.memory.exclusively() as database:
            database.table("orders").insert(row)
        assert attend(meter, now=START) == 0
        assert meter.memory.rows("orders") == []
        assert meter.snapshot(now=START).credit == 0


def test_an_order_that_is_none_is_answered_with_an_error(path: Path) -> None:
    row = {"at": datetime.now(UTC).isoformat(), "kind": "explode", "text": ""}
    with open_meter(path) as meter:
        with meter.memory.exclusively() as database:
            database.table("orders").insert(row)
        assert attend(meter, now=START) == 1
        (answered,) = meter.memory.rows("orders")
        assert json.loads(answered["answer"])["error"][0] == "METER_ORDER"


def test_not_everything_is_done_at_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "MOST_AT_ONCE", 2)
    row = {"at": datetime.now(UTC).isoformat(), "kind": "press", "text": ""}
    with open_meter(path) as meter:
        with meter.memory.exclusively() as database:
            database.table("orders").insert_all([dict(row) for _ in range(3)])
        assert attend(meter, now=START) == 2
        assert attend(meter, now=START) == 1


def test_many_who_ask_at_the_same_time_all_get_their_own_answer(
    path: Path, pair: VendAndMeter
) -> None:
    tokens = [credit_digits(pair, tenths) for tenths in (1, 2, 3, 4)]
    answers: dict[str, str] = {}

    def enter(digits: str) -> None:
        with open_meter(path) as other:
            answer = ask(other, Order(kind=OrderKind.ENTER, text=digits), now=START)
            answers[digits] = answer.facts["amount"]

    with open_meter(path) as meter, MeterClaim(meter.memory, "run"):
        asking = [threading.Thread(target=enter, args=(digits,)) for digits in tokens]
        for thread in asking:
            thread.start()
        while any(thread.is_alive() for thread in asking):
            attend(meter, now=START)
        assert meter.snapshot(now=START).credit == 1000
    assert list(map(answers.get, tokens)) == ["0.1 kWh", "0.2 kWh", "0.3 kWh", "0.4 kWh"]
