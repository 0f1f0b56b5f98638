"""An answer that was given can be fetched; one that was not is not made, over all modules."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from keys import CreditRequest, NewKey
from keys.errors import MessageIdReusedError, RequestError
from keys.issuing import JournalledModule
from sts import KeyRevisionNumber, Service, TariffIndex, encode_amount
from tests.contract.security_modules import MODULES, Held, Setup
from tests.contract.test_security_module import GROUP, KEYS, NOW, TID, _key, _meter

REQUEST = CreditRequest(service=Service.ELECTRICITY, tid_minutes=TID, amount=encode_amount(59))
NEW = NewKey(
    supply_group_code=GROUP, key_revision_number=KeyRevisionNumber(2), tariff_index=TariffIndex(1)
)


@pytest.fixture(params=MODULES)
def module(request: pytest.FixtureRequest, tmp_path: Path) -> JournalledModule:
    held = [
        Held(
            key=_key(revision),
            vending_key=KEYS[_key().record.key_generation_algorithm],
            meters=(_meter(revision),),
        )
        for revision in (1, 2)
    ]
    return MODULES[request.param](Setup(folder=tmp_path, held=held))


def test_a_lost_answer_is_fetched_as_it_was(module: JournalledModule) -> None:
    first = module.issue(_meter(), REQUEST, message_id="m-1", now=NOW)
    later = NOW + timedelta(days=4000)
    assert module.fetch(_meter(), REQUEST, message_id="m-1", now=later) == first


def test_a_lost_key_change_is_fetched_as_it_was(module: JournalledModule) -> None:
    first = module.change_key(_meter(), NEW, message_id="m-1", now=NOW)
    assert module.fetch_key_change(_meter(), NEW, message_id="m-1", now=NOW) == first


def test_what_was_never_answered_is_not_made(module: JournalledModule) -> None:
    assert module.fetch(_meter(), REQUEST, message_id="m-1", now=NOW) is None
    assert module.fetch_key_change(_meter(), NEW, message_id="m-1", now=NOW) is None
    # Neither is in the journal now, so another request may have the name.
    module.issue(_meter(), replace(REQUEST, tid_minutes=TID + 1), message_id="m-1", now=NOW)


def test_the_answer_to_another_request_is_not_given(module: JournalledModule) -> None:
    module.issue(_meter(), REQUEST, message_id="m-1", now=NOW)
    with pytest.raises(MessageIdReusedError):
        module.fetch(_meter(), replace(REQUEST, tid_minutes=TID + 1), message_id="m-1", now=NOW)
    with pytest.raises(MessageIdReusedError):
        module.fetch_key_change(_meter(), NEW, message_id="m-1", now=NOW)


def test_fetching_needs_the_key_that_served(module: JournalledModule) -> None:
    with pytest.raises(RequestError) as refusal:
        module.fetch(_meter(3), REQUEST, message_id="m-1", now=NOW)
    assert refusal.value.code in {"UNKNOWN_VENDING_KEY", "UNKNOWN_DECODER_KEY"}
