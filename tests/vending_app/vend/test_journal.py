"""The security module's journal in the transaction of a sale."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest

from keys import (
    CreditRequest,
    CurrencyCreditRequest,
    JournalEntry,
    KeyName,
    KeyTerms,
    Secret,
    Vault,
)
from keys.errors import CreditLimitError
from keys.issuing import JournalledModule
from keys.records import VendingKeyRecord, check_value_of
from keys.registered_key import RegisteredKey
from keys.software import SoftwareModule
from sts import (
    BaseDate,
    CurrencyAmount,
    KeyRevisionNumber,
    KeyType,
    MeterPan,
    Service,
    StsError,
    encode_amount,
)
from tests.vending_app.helpers import NOW, PIETER
from tests.vending_app.vend.shop import KEY, THABANENG, meter_of, sell
from vending_app import demo_story as story
from vending_app.services.plans import meter_configuration
from vending_app.storage.engine import Store
from vending_app.storage.issue_journal import DatabaseJournal
from vending_app.storage.sending import watched


def test_it_finds_again_what_was_issued(store: Store, module: JournalledModule) -> None:
    """A sale whose rows were lost, but not its journal, would get its first token again."""
    (token,) = sell(store, module).result.tokens
    assert token.tid_minutes is not None
    assert token.amount_tenths is not None
    with store.read() as connection:
        again = module.issue(
            meter_configuration(meter_of(store)),
            CreditRequest(
                service=Service.ELECTRICITY,
                tid_minutes=token.tid_minutes,
                amount=encode_amount(token.amount_tenths),
            ),
            message_id="thabaneng/r-1/1",
            now=NOW + timedelta(days=900),
            journal=DatabaseJournal(connection),
        )
    assert again.digits == token.digits


def test_it_refuses_a_second_use_of_a_minute(store: Store, module: JournalledModule) -> None:
    (token,) = sell(store, module).result.tokens
    assert token.tid_minutes is not None
    request = CreditRequest(
        service=Service.ELECTRICITY, tid_minutes=token.tid_minutes, amount=encode_amount(1)
    )
    with store.write() as connection, pytest.raises(StsError) as refusal:
        module.issue(
            meter_configuration(meter_of(store)),
            request,
            message_id="another",
            now=NOW,
            journal=DatabaseJournal(connection),
        )
    assert isinstance(refusal.value, StsError)
    assert refusal.value.code == "TID_ALREADY_USED"


def test_credit_in_currency_is_counted_up_to_the_limit_of_its_key(
    store: Store, tmp_path: Path
) -> None:
    vault = Vault.create(tmp_path / "limited.vault", Secret(bytes(32)))
    record = VendingKeyRecord(
        tenant=THABANENG,
        supply_group_code=story.SUPPLY_GROUP_CODE,
        key_revision_number=story.KEY_REVISION_NUMBER,
        key_type=KeyType.UNIQUE,
        key_generation_algorithm=story.KEY_GENERATION_ALGORITHM,
        base_date=story.BASE_DATE,
        key_expiry_number=story.KEY_EXPIRY_NUMBER,
        check_value=check_value_of(KEY),
    )
    vault.add(RegisteredKey(record=record, terms=KeyTerms(credit_limit_units=10)), KEY)
    module, meter = SoftwareModule(vault, lab_mode=True), meter_configuration(meter_of(store))
    asked = CurrencyCreditRequest(
        service=Service.ELECTRICITY,
        tid_minutes=6_398_415,
        amount=CurrencyAmount.rounding_up(600_000),
    )
    with store.write() as connection:
        journal = DatabaseJournal(connection)
        module.issue(meter, asked, message_id="m-1", now=NOW, journal=journal)
        used = journal.credit_used(module.vending_key(meter).name)
        assert used == asked.amount.units
        more = replace(asked, tid_minutes=asked.tid_minutes + 1)
        with pytest.raises(CreditLimitError) as refusal:
            module.issue(meter, more, message_id="m-2", now=NOW, journal=journal)
    assert refusal.value.code == "CREDIT_LIMIT"


_OTHERS = KeyName(
    tenant=THABANENG,
    supply_group_code=story.SUPPLY_GROUP_CODE,
    key_revision_number=KeyRevisionNumber(2),
)
_KEY = replace(_OTHERS, key_revision_number=KeyRevisionNumber(1))
_LARGEST = 16383 * 10**31
"""The most that one token of currency credit can carry, in its steps: 36 digits."""


def _entry(number: int, credit_units: int, *, key: KeyName) -> JournalEntry:
    return JournalEntry(
        message_id=f"m-{number}",
        request_hash="",
        meter_pan=MeterPan.parse(PIETER),
        key=key,
        base_date=BaseDate.Y2014,
        tid_minutes=6_398_415 + number,
        credit_units=credit_units,
        sealed=b"",
        made_at=NOW,
    )


@pytest.mark.parametrize(
    "sold",
    [
        (),
        (0, 0),
        (1, 10, 99),
        (9_999_999_999, 1, 10_000_000_000),
        (2**63 - 1, 2**63, 12_345_678_901_234_567_890),
        (_LARGEST, _LARGEST, _LARGEST - 1, 7),
        (10**40 - 1, 10**40 - 1),
    ],
)
def test_what_a_key_was_used_for_is_added_up_to_the_last_step(
    store: Store, sold: tuple[int, ...]
) -> None:
    """Beyond the whole numbers of a database, and without those of another key."""
    with store.write() as connection:
        journal = DatabaseJournal(connection)
        for number, units in enumerate(sold):
            journal.add(_entry(number, units, key=_KEY))
        journal.add(_entry(99, 5, key=_OTHERS))
        assert journal.credit_used(_KEY) == sum(sold)


def test_credit_that_is_counted_is_not_added_up_again(store: Store) -> None:
    for number, units in enumerate((_LARGEST, 7, 0, 2**63)):
        with watched(store.engine) as sent, store.write() as connection:
            journal = DatabaseJournal(connection)
            used = journal.credit_used(_OTHERS)
            journal.add(_entry(number, units, key=_OTHERS))
        added_up = [each for each in sent if "FROM issue_journal" in each]
        assert bool(added_up) is (number == 0)
        assert used == sum((_LARGEST, 7, 0, 2**63)[:number])
    with store.write() as connection:
        assert DatabaseJournal(connection).credit_used(_OTHERS) == _LARGEST + 7 + 2**63


def test_credit_that_was_made_without_being_counted_counts_afterwards(store: Store) -> None:
    """So it is while a key has no limit, and when it gets one again."""
    with store.write() as connection:
        journal = DatabaseJournal(connection)
        assert journal.credit_used(_OTHERS) == 0
        journal.add(_entry(1, 5, key=_OTHERS))
        journal.add(_entry(2, 6, key=_OTHERS))
    with store.write() as connection:
        DatabaseJournal(connection).add(_entry(3, 7, key=_OTHERS))
    with store.write() as connection:
        assert DatabaseJournal(connection).credit_used(_OTHERS) == 18


def test_what_is_counted_is_undone_with_the_sale(store: Store) -> None:
    def sell_and_fail() -> None:
        with store.write() as connection:
            journal = DatabaseJournal(connection)
            journal.credit_used(_OTHERS)
            journal.add(_entry(1, 5, key=_OTHERS))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        sell_and_fail()
    with store.write() as connection:
        assert DatabaseJournal(connection).credit_used(_OTHERS) == 0


def test_nobody_else_counts_the_credit_of_a_group_at_the_same_time(store: Store) -> None:
    """On both databases; each of eight takes what is there and adds to it."""
    taken = Barrier(8)

    def sell_one(number: int) -> None:
        taken.wait()
        with store.write() as connection:
            journal = DatabaseJournal(connection)
            used = journal.credit_used(_KEY)
            journal.add(_entry(number, used + 1, key=_KEY))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(sell_one, range(8)))
    with store.write() as connection:
        assert DatabaseJournal(connection).credit_used(_KEY) == 2**8 - 1
