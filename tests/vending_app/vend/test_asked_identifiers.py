"""Token identifiers that are asked for early count only under the base date that they are of."""

from functools import partial

from keys import CreditRequest
from keys.issuing import JournalledModule
from sts import BaseDate, DecoderReferenceNumber, Service, encode_amount
from tests.vending_app.helpers import NOW, PIETER
from tests.vending_app.vend.shop import THABANENG
from vending_app.services.identifiers import AskedIdentifiers
from vending_app.services.issuing import plan_tokens
from vending_app.storage import meters, network
from vending_app.storage.engine import Store


def _used(store: Store, module: JournalledModule, *, asked: AskedIdentifiers) -> object:
    """Return the identifiers that a plan takes for used."""
    wanted = partial(CreditRequest, service=Service.ELECTRICITY, amount=encode_amount(10))
    with store.write() as connection:
        meter = meters.lock_meter(THABANENG, connection, drn=DecoderReferenceNumber(PIETER))
        code = meter.key.supply_group_code
        plan = plan_tokens(
            connection,
            module,
            meter=meter,
            group=network.find_supply_group(THABANENG, connection, code=code),
            request_id="r-1",
            wanted=[wanted],
            now=NOW,
            asked=asked,
        )
    return plan.used


def test_those_of_another_base_date_do_not_count(store: Store, module: JournalledModule) -> None:
    elsewhere = AskedIdentifiers(base_date=BaseDate.Y1993, used=lambda: (16_000_000,))
    assert _used(store, module, asked=elsewhere) == ()


def test_those_of_the_key_s_own_count(store: Store, module: JournalledModule) -> None:
    here = AskedIdentifiers(base_date=BaseDate.Y2014, used=lambda: (1_000,))
    assert _used(store, module, asked=here) == (1_000,)
