"""The key change before a sale: who decides, what is made, what the record says afterwards."""

from dataclasses import replace
from datetime import timedelta

import pytest

from keys import KeyTerms
from sts import (
    BaseDate,
    DecoderReferenceNumber,
    EncryptionAlgorithm,
    KeyExpiryNumber,
    KeyRevisionNumber,
    KeyType,
    SupplyGroupCode,
    TariffIndex,
)
from sts.meter.outcomes import Accepted, PartStored, Refused
from tests.vending_app.helpers import NOW, PIETER
from tests.vending_app.vend.conftest import ModuleMaker
from tests.vending_app.vend.shop import (
    THABANENG,
    RealMeter,
    add_supply,
    add_tariff,
    change,
    change_meter,
    drn_of,
    findings,
    meter_of,
    rows,
    sell,
    tariff,
)
from vending_app import demo_story as story
from vending_app.domain.errors import VendingError
from vending_app.domain.network import Meter, Serving, SupplyGroup
from vending_app.domain.sales import BasisKind
from vending_app.services.quoting import Amount
from vending_app.services.vending import QuoteRequest, quote
from vending_app.storage import meters as meter_statements
from vending_app.storage import network, tables, tokens
from vending_app.storage.engine import Store

MISTY1 = EncryptionAlgorithm.MISTY1


REVISION_2 = {"key_revision_number": KeyRevisionNumber(2)}


def test_where_the_key_is_the_latest_nothing_changes(
    store: Store, make_module: ModuleMaker
) -> None:
    later = KeyTerms(activation=NOW.replace(microsecond=0) + timedelta(days=1))
    sale = sell(store, make_module({**REVISION_2, "terms": later})).result
    assert len(sale.tokens) == 1
    assert meter_of(store).serving is Serving.PRESENT


def test_by_default_the_cashier_is_asked_first(store: Store, make_module: ModuleMaker) -> None:
    module = make_module(dict(REVISION_2))
    asked = QuoteRequest(
        tenant=THABANENG, drn=DecoderReferenceNumber(PIETER), amount=Amount(minor=200_00)
    )
    due = quote(store, module, now=NOW, request=asked).key_change
    assert due is not None
    assert due.advice == "key revision"
    with pytest.raises(VendingError) as refusal:
        sell(store, module)
    assert refusal.value.code == "KEY_CHANGE_OFFERED"
    assert "key revision" in str(refusal.value)
    assert rows(store)["requests"] == 0
    sale = sell(store, module, accept_key_change=True).result
    assert [token.kind for token in sale.tokens] == [
        "Set1stSectionDecoderKey",
        "Set2ndSectionDecoderKey",
        "TransferCredit",
    ]


def test_a_group_may_let_no_sale_change_a_key(store: Store, make_module: ModuleMaker) -> None:
    change(store, tables.supply_groups, key_policy="never")
    with pytest.raises(VendingError) as refusal:
        sell(store, make_module(dict(REVISION_2)), accept_key_change=True)
    assert refusal.value.code == "KEY_CHANGE_NEEDED"
    assert refusal.value.hint


def test_a_group_may_change_keys_without_asking(store: Store, make_module: ModuleMaker) -> None:
    change(store, tables.supply_groups, key_policy="always")
    sale = sell(store, make_module(dict(REVISION_2))).result
    meter = RealMeter.of(meter_of(store))
    outcomes = meter.enter_all(sale.tokens)
    assert isinstance(outcomes[0], PartStored)
    assert all(isinstance(each, Accepted) for each in outcomes[1:])
    assert meter.state.credit_bought == sale.sold_tenths * 100


def test_the_record_keeps_both_keys_and_says_which_serves(
    store: Store, make_module: ModuleMaker
) -> None:
    module, before = make_module(dict(REVISION_2)), meter_of(store).present_key
    sell(store, module, accept_key_change=True)
    meter = meter_of(store)
    assert meter.present_key == before
    assert meter.new_key == replace(before, key_revision_number=KeyRevisionNumber(2))
    assert meter.serving is Serving.NEW
    with store.read() as connection:
        (event,) = meter_statements.list_history(THABANENG, connection, drn=meter.drn)[-1:]
    assert event.kind == "key change issued"
    # The next sale is made for the new key, without another change.
    second = sell(store, module, request_id="r-2").result
    (token,) = second.tokens
    assert token.key == meter.new_key
    assert findings(store) == []


def test_a_sale_may_change_the_key_while_another_change_is_on_its_way(
    store: Store, make_module: ModuleMaker
) -> None:
    """The customer enters what was sold first before what was sold later."""
    change(store, tables.supply_groups, key_policy="always")
    later = KeyTerms(activation=NOW.replace(microsecond=0) + timedelta(days=1))
    third = {"key_revision_number": KeyRevisionNumber(3), "terms": later}
    module, meter = make_module(dict(REVISION_2), third), RealMeter.of(meter_of(store))
    sales = [
        sell(store, module, request_id=f"r-{days}", now=NOW + timedelta(days=days)).result
        for days in (0, 1)
    ]
    assert [len(sale.tokens) for sale in sales] == [3, 3]
    outcomes = [outcome for sale in sales for outcome in meter.enter_all(sale.tokens)]
    assert not [outcome for outcome in outcomes if isinstance(outcome, Refused)], outcomes
    record = meter_of(store)
    assert record.new_key is not None
    held = (record.present_key, record.new_key)
    assert [int(key.key_revision_number) for key in held] == [2, 3]
    assert findings(store) == []


def test_the_tokens_of_a_change_have_a_basis_of_their_own(
    store: Store, make_module: ModuleMaker
) -> None:
    sale = sell(store, make_module(dict(REVISION_2)), accept_key_change=True).result
    with store.read() as connection:
        bases = tokens.bases_of_request(THABANENG, connection, request_id="r-1")
    assert [(basis.kind, basis.maximum_tokens) for basis in bases] == [
        (BasisKind.KEY_CHANGE, 2),
        (BasisKind.SALE, 1),
    ]
    assert sale.basis_number == bases[1].number
    assert bases[0].reason == "key revision"
    assert findings(store) == []


def test_a_meter_with_128_bits_gets_four_tokens_and_takes_them(
    store: Store, make_module: ModuleMaker
) -> None:
    add_tariff(store, tariff("plain"))
    made = add_supply(store, drn_of(1), tariff_code="plain", encryption_algorithm=MISTY1)
    sale = sell(
        store, make_module(dict(REVISION_2)), drn=str(made.drn), accept_key_change=True
    ).result
    assert len(sale.tokens) == 5
    outcomes = RealMeter.of(made).enter_all(sale.tokens)
    assert all(isinstance(each, PartStored) for each in outcomes[:3])
    assert all(isinstance(each, Accepted) for each in outcomes[3:])


def test_a_meter_that_knows_three_tokens_is_told_its_supply_group(
    store: Store, make_module: ModuleMaker
) -> None:
    made = add_supply(store, drn_of(1), tariff_code="home", takes_supply_group=True)
    sale = sell(
        store, make_module(dict(REVISION_2)), drn=str(made.drn), accept_key_change=True
    ).result
    assert len(sale.tokens) == 4
    meter = RealMeter.of(made)
    meter.enter_all(sale.tokens)
    assert meter.state.key_register.supply_group_code == story.SUPPLY_GROUP_CODE


def _on_default_group(store: Store) -> Meter:
    default = replace(
        meter_of(store).present_key,
        supply_group_code=story.DEFAULT_GROUP_CODE,
        key_type=KeyType.DEFAULT,
    )
    return add_supply(
        store, drn_of(1), tariff_code="home", present_key=default, encryption_algorithm=MISTY1
    )


def test_the_first_sale_to_a_meter_on_a_default_group_gives_it_a_key_of_its_own(
    store: Store, make_module: ModuleMaker
) -> None:
    made = _on_default_group(store)
    sale = sell(store, make_module(), drn=str(made.drn), accept_key_change=True).result
    meter = RealMeter.of(made)
    outcomes = meter.enter_all(sale.tokens)
    assert isinstance(outcomes[-1], Accepted)
    assert meter.state.key_register.key_type is KeyType.UNIQUE
    assert meter.state.credit_bought == sale.sold_tenths * 100
    assert sale.tokens[0].key.key_type is KeyType.DEFAULT
    assert sale.tokens[-1].key.key_type is KeyType.UNIQUE


def _another_group(store: Store, code: int = 201461) -> None:
    with store.write() as connection:
        network.add_supply_group(
            THABANENG,
            connection,
            group=SupplyGroup(
                tenant=THABANENG,
                code=SupplyGroupCode(code),
                utc_offset=timedelta(0),
                lead_cap_minutes=60,
            ),
        )


def test_of_several_groups_somebody_must_say_which(store: Store, make_module: ModuleMaker) -> None:
    made, other = _on_default_group(store), SupplyGroupCode(201461)
    _another_group(store)
    module = make_module({"supply_group_code": other})
    with pytest.raises(VendingError) as refusal:
        sell(store, module, drn=str(made.drn), accept_key_change=True)
    assert refusal.value.code == "KEY_CHANGE_GROUP"
    wanted = replace(made.present_key, supply_group_code=other, key_type=KeyType.UNIQUE)
    change_meter(store, str(made.drn), new_key=wanted)
    sale = sell(store, module, drn=str(made.drn), accept_key_change=True).result
    assert sale.tokens[-1].key.supply_group_code == other
    assert meter_of(store, str(made.drn)).serving is Serving.NEW
    # A second sale finds the policy of the group that serves now.
    assert len(sell(store, module, drn=str(made.drn), request_id="r-2").result.tokens) == 1


def test_a_default_group_without_a_key_of_its_own_group_sells_nothing(
    store: Store, make_module: ModuleMaker
) -> None:
    made = _on_default_group(store)
    wanted = replace(
        made.present_key, supply_group_code=SupplyGroupCode(201461), key_type=KeyType.UNIQUE
    )
    change_meter(store, str(made.drn), new_key=wanted)
    _another_group(store)
    with pytest.raises(VendingError) as refusal:
        sell(store, make_module(), drn=str(made.drn), accept_key_change=True)
    assert refusal.value.code == "NO_SERVING_KEY"


def test_another_base_date_is_a_rollover(store: Store, make_module: ModuleMaker) -> None:
    module = make_module(
        {"key_revision_number": KeyRevisionNumber(2), "base_date": BaseDate.Y1993},
    )
    old = replace(
        meter_of(store).present_key,
        key_revision_number=KeyRevisionNumber(2),
        base_date=BaseDate.Y1993,
    )
    made = change_meter(store, present_key=old)
    # Under the old base date the meter has taken a token of a very high identifier.
    sale = sell(store, module, accept_key_change=True).result
    meter = RealMeter.of(made)
    outcomes = meter.enter_all(sale.tokens)
    assert isinstance(outcomes[-1], Accepted)
    assert sale.tokens[-1].base_date is BaseDate.Y2014
    assert meter.state.key_register.base_date is BaseDate.Y2014


def test_the_tariff_index_follows_the_tariff_where_the_group_says_so(
    store: Store, make_module: ModuleMaker
) -> None:
    add_tariff(store, tariff("indexed"), tariff_index=7)
    made = add_supply(store, drn_of(1), tariff_code="indexed")
    module = make_module()
    assert len(sell(store, module, drn=str(made.drn)).result.tokens) == 1
    change(store, tables.supply_groups, ti_follows_tariff=True, key_policy="always")
    sale = sell(store, module, drn=str(made.drn), request_id="r-2").result
    assert sale.tokens[-1].key.tariff_index == TariffIndex(7)


def test_another_expiry_of_the_key_is_told_to_the_meter(
    store: Store, make_module: ModuleMaker
) -> None:
    told = replace(meter_of(store).present_key, key_expiry_number=KeyExpiryNumber(99))
    change_meter(store, present_key=told)
    with pytest.raises(VendingError) as refusal:
        sell(store, make_module())
    assert refusal.value.code == "KEY_CHANGE_OFFERED"
    assert "key expiry" in str(refusal.value)
