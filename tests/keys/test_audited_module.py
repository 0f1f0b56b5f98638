"""No token leaves a module unseen: every use and every refusal is in the audit log first."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pytest

from keys import CreditRequest, FileJournal, KeysError, NewKey, SoftwareModule, Vault
from keys.answers import AcceptableToken, UnacceptableToken
from keys.audit import AuditLog
from keys.audit_record import TokenTrace
from keys.audit_writing import AuditWriter
from keys.audited_module import AuditedModule
from keys.chain_seal import HmacSealKey
from keys.errors import FileUnreadableError
from keys.secret import Secret
from sts import BaseDate, DecoderKey, KeyType, Service, StsError, TariffIndex, tid_from_datetime
from sts.amount import encode_amount
from tests.keys.conftest import NOW, sample_meter

SEAL: Final = HmacSealKey(Secret(bytes(range(32))))
METER: Final = sample_meter()
TID: Final = tid_from_datetime(NOW, BaseDate.Y2014)
NAMED: Final = {
    "tenant": "thabaneng",
    "supply_group_code": "201457",
    "key_revision_number": 1,
    "meter_pan": METER.meter_pan.digits,
}


@pytest.fixture
def log_path(tmp_path: Path) -> Path:
    return tmp_path / "audit"


@pytest.fixture
def log(log_path: Path) -> AuditLog:
    return AuditLog.create(log_path, "test", key=SEAL, actor="ada", now=NOW)


@pytest.fixture
def audited(vault: Vault, journal: FileJournal, log: AuditLog) -> AuditedModule:
    module = SoftwareModule(vault, lab_mode=True, journal=journal)
    return AuditedModule(module, AuditWriter(log, "till 1"))


def _credit(tid: int = TID) -> CreditRequest:
    return CreditRequest(service=Service.ELECTRICITY, amount=encode_amount(256), tid_minutes=tid)


def _new_key(index: int = 2) -> NewKey:
    return NewKey(
        supply_group_code=METER.supply_group_code,
        key_revision_number=METER.key_revision_number,
        tariff_index=TariffIndex(index),
    )


def _last(log: AuditLog) -> dict[str, Any]:
    *_, entry = log.entries()
    assert entry.record["actor"] == "till 1"
    return {name: value for name, value in entry.record.items() if name not in ("actor", "at")}


def _trace(digits: str) -> dict[str, str]:
    trace = TokenTrace.of(digits, METER.meter_pan)
    return {"digest": trace.digest, "last_digits": trace.last_digits}


def test_a_token_is_written_down_by_its_digest(
    audited: AuditedModule, log: AuditLog, log_path: Path
) -> None:
    answer = audited.issue(METER, _credit(), message_id="sale 1", now=NOW)
    assert _last(log) == {
        **NAMED,
        "event": "issue",
        "check_value": answer.vending_key.record.check_value,
        "message_id": "sale 1",
        "tid_minutes": TID,
        "tokens": [_trace(answer.digits)],
    }
    assert answer.digits not in log_path.read_text()


def test_an_answer_that_is_fetched_again_is_another_use(
    audited: AuditedModule, log: AuditLog
) -> None:
    first = audited.issue(METER, _credit(), message_id="sale 1", now=NOW)
    again = audited.issue(METER, _credit(), message_id="sale 1", now=NOW)
    assert again.digits == first.digits
    assert [entry.record["event"] for entry in log.entries()] == ["created", "issue", "issue"]


def test_what_is_asked_for_again_without_making_it_is_a_use_too(
    audited: AuditedModule, log: AuditLog
) -> None:
    assert audited.fetch(METER, _credit(), message_id="sale 1", now=NOW) is None
    assert audited.fetch_key_change(METER, _new_key(), message_id="change 1", now=NOW) is None
    assert [entry.record["event"] for entry in log.entries()] == ["created"]
    made = audited.issue(METER, _credit(), message_id="sale 1", now=NOW)
    assert audited.fetch(METER, _credit(), message_id="sale 1", now=NOW) == made
    assert _last(log)["tokens"] == [_trace(made.digits)]
    changed = audited.change_key(METER, _new_key(), message_id="change 1", now=NOW)
    found = audited.fetch_key_change(METER, _new_key(), message_id="change 1", now=NOW)
    assert found == changed
    events = [entry.record["event"] for entry in log.entries()]
    assert events == ["created", "issue", "issue", "key-change", "key-change"]


def test_a_key_change_is_written_down_under_the_key_it_brings(
    audited: AuditedModule, log: AuditLog
) -> None:
    answer = audited.change_key(METER, _new_key(), message_id="change 1", now=NOW)
    assert _last(log) == {
        **NAMED,
        "event": "key-change",
        "check_value": answer.new_key.record.check_value,
        "message_id": "change 1",
        "tokens": [_trace(made.digits) for made in answer.tokens],
    }


def test_commissioning_is_written_down(audited: AuditedModule, log: AuditLog) -> None:
    new_meter = sample_meter(key_type=KeyType.INITIALISATION)
    answer = audited.commission(
        new_meter, DecoderKey(bytes(range(16))), _new_key(1), message_id="new 1", now=NOW
    )
    assert _last(log) == {
        **NAMED,
        "event": "commission",
        "check_value": answer.new_key.record.check_value,
        "message_id": "new 1",
        "tokens": [_trace(made.digits) for made in answer.tokens],
    }


def test_what_a_token_is_found_to_be_is_written_down(audited: AuditedModule, log: AuditLog) -> None:
    digits = audited.issue(METER, _credit(), message_id="sale 1", now=NOW).digits
    spaced = f"{digits[:10]} {digits[10:]}"
    assert isinstance(audited.verify(METER, spaced, now=NOW), AcceptableToken)
    assert _last(log) == {**NAMED, "event": "verify", "tokens": [_trace(digits)]}
    wrong = "1" * 20
    assert isinstance(audited.verify(METER, wrong, now=NOW), UnacceptableToken)
    assert _last(log) == {
        **NAMED,
        "event": "verify",
        "refusal_code": "CRC_MISMATCH",
        "tokens": [_trace(wrong)],
    }
    audited.verify(METER, "12", now=NOW)
    assert _last(log) == {**NAMED, "event": "verify", "refusal_code": "NOT_TWENTY_DIGITS"}


Act = Callable[[AuditedModule], object]
REFUSED: Final[dict[str, tuple[str, str, Act]]] = {
    "another tenant's key": (
        "issue",
        "ANOTHER_TENANTS_KEY",
        lambda module: module.issue(
            sample_meter(tenant="mwanga"), _credit(), message_id="x", now=NOW
        ),
    ),
    "a message id that cannot be written down": (
        "issue",
        "MESSAGE_ID",
        lambda module: module.issue(METER, _credit(), message_id="a\nb", now=NOW),
    ),
    "a change of nothing": (
        "key-change",
        "KEY_CHANGE_SAME",
        lambda module: module.change_key(METER, _new_key(1), message_id="x", now=NOW),
    ),
    "a meter in service": (
        "commission",
        "NOT_AN_INITIALISATION_KEY",
        lambda module: module.commission(
            METER, DecoderKey(bytes(16)), _new_key(), message_id="x", now=NOW
        ),
    ),
    "a key of another type": (
        "verify",
        "KEY_TYPE_MISMATCH",
        lambda module: module.verify(sample_meter(key_type=KeyType.DEFAULT), "1" * 20, now=NOW),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_every_refusal_is_written_down_and_passed_on(
    audited: AuditedModule, log: AuditLog, name: str
) -> None:
    event, code, act = REFUSED[name]
    with pytest.raises((KeysError, StsError)) as refusal:
        act(audited)
    assert getattr(refusal.value, "code", None) == code
    told = _last(log)
    assert (told["event"], told["refused"], told["refusal_code"]) == ("refusal", event, code)
    assert "tokens" not in told


def test_an_answer_that_cannot_be_written_down_stays_inside(
    audited: AuditedModule, log: AuditLog, log_path: Path
) -> None:
    """The same message id fetches it, once the log can be written again."""
    content = log_path.read_bytes()
    log_path.unlink()
    with pytest.raises(FileUnreadableError):
        audited.issue(METER, _credit(), message_id="sale 1", now=NOW)
    log_path.write_bytes(content)
    log_path.chmod(0o600)
    answer = audited.issue(METER, _credit(), message_id="sale 1", now=NOW)
    assert _last(log)["tokens"] == [_trace(answer.digits)]


def test_to_ask_what_there_is_uses_no_key(audited: AuditedModule, log: AuditLog) -> None:
    assert audited.vending_key(METER) == audited.status().keys[0].key
    assert audited.vending_key(METER) in audited.revisions(METER)
    assert [entry.record["event"] for entry in log.entries()] == ["created"]


def test_a_time_without_a_zone_cannot_even_be_written_down(audited: AuditedModule) -> None:
    with pytest.raises(StsError) as refusal:
        audited.verify(METER, "1" * 20, now=datetime(2026, 3, 2))  # noqa: DTZ001 - the point
    assert refusal.value.code == "NAIVE_DATETIME"
