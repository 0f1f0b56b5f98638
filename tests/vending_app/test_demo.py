import stat
from fractions import Fraction
from pathlib import Path

import pytest
from sqlalchemy import func, select

from sts import DecoderReferenceNumber
from tests.vending_app.helpers import MILL, NEEMA, NOW, PIETER
from vending_app import create_app, demo_story
from vending_app.config import Config
from vending_app.demo import prepare_demo
from vending_app.demo_tariffs import TARIFFS
from vending_app.domain.errors import ConfigError, DatabaseNotCurrentError
from vending_app.installation import prepare
from vending_app.lab_meters import LabMeters
from vending_app.ledger_check.verify import verify
from vending_app.services.meters import list_meters
from vending_app.services.quoting import Amount
from vending_app.services.vending import QuoteRequest, VendRequest, quote, vend
from vending_app.storage import tables
from vending_app.web.context import EXTENSION, AppContext


def test_everything_in_the_data_directory_is_for_its_owner_only(config: Config) -> None:
    for path in [config.data_dir, *config.data_dir.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_second_run_keeps_what_was_sold(tmp_path: Path) -> None:
    first = prepare_demo(tmp_path / "data", {}, now=NOW)
    parts: AppContext = create_app(first).extensions[EXTENSION]
    request = VendRequest(
        tenant="thabaneng",
        request_id="r-1",
        drn=DecoderReferenceNumber(PIETER),
        amount=Amount(minor=2000),
        login="zanele",
    )
    sold = vend(parts.store, parts.module, now=NOW, request=request)
    parts.close()

    second = prepare_demo(tmp_path / "data", {}, now=NOW)
    assert second == first
    again: AppContext = create_app(second).extensions[EXTENSION]
    replay = vend(again.store, again.module, now=NOW, request=request)
    again.close()
    assert replay.replay
    assert replay.result == sold.result


@pytest.mark.parametrize(
    ("tenant", "drn", "amount_minor", "tenths"),
    [
        ("thabaneng", PIETER, 20_00, 59),
        ("thabaneng", PIETER, 100_00, 292),
        ("mwanga", NEEMA, 5_000_00, 14),
        ("mwanga", MILL, 13_000_00, 100),
    ],
)
def test_the_figures_of_the_story(
    config: Config, tenant: str, drn: str, amount_minor: int, tenths: int
) -> None:
    parts: AppContext = create_app(config).extensions[EXTENSION]
    wanted = QuoteRequest(
        tenant=tenant, drn=DecoderReferenceNumber(drn), amount=Amount(minor=amount_minor)
    )
    offer = quote(parts.store, parts.module, now=NOW, request=wanted).offer
    parts.close()
    assert offer.sold_tenths == tenths


def test_neema_was_away_for_45_days_and_pays_for_30_of_them_but_half_of_her_money(
    config: Config,
) -> None:
    parts: AppContext = create_app(config).extensions[EXTENSION]
    wanted = QuoteRequest(
        tenant="mwanga", drn=DecoderReferenceNumber(NEEMA), amount=Amount(minor=5_000_00)
    )
    lines = quote(parts.store, parts.module, now=NOW, request=wanted).offer.lines
    parts.close()
    assert [(line.code, line.amount_minor) for line in lines] == [
        ("daily", 2_500_00),
        ("energy", 2_500_00),
    ]


def test_the_prices_are_those_of_the_story() -> None:
    prices = {
        version.code: [block.rate for block in version.unit_charges[0].schedules[0].blocks]
        for versions in TARIFFS.values()
        for version in versions
    }
    assert prices["home"] == prices["indigent"]
    assert prices["home"] == [Fraction(text) for text in ("342.5", "404.4", "436.8", "470.9")]
    assert prices["household"] == [Fraction(180_000)]
    assert prices["productive"] == [Fraction(130_000)]


def test_every_meter_of_the_story_has_its_twin(config: Config) -> None:
    parts: AppContext = create_app(config).extensions[EXTENSION]
    lab = LabMeters(config.meters_dir)
    found = {}
    for tenant in demo_story.TENANTS:
        for row in list_meters(parts.store, tenant.code, limit=10):
            snapshot = lab.read(row.meter.drn, now=NOW).snapshot
            found[str(row.meter.drn)] = (snapshot.encryption_algorithm, snapshot.phases)
            assert snapshot.credit == 0
            assert not snapshot.relay_closed
    parts.close()
    assert len(found) == len(demo_story.METERS)
    assert found[PIETER] == ("07", 1)
    assert found[NEEMA] == ("11", 1)
    assert found[MILL] == ("11", 3)


def test_an_installation_without_migrations_does_not_start(config: Config) -> None:
    (config.data_dir / "vending.db").unlink()
    with pytest.raises(DatabaseNotCurrentError):
        create_app(config)


def test_a_folder_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigError) as refusal:
        prepare(tmp_path / "file" / "data", {})
    assert refusal.value.code == "CONFIG"
    with pytest.raises(ConfigError):
        prepare(
            tmp_path / "data", {"STS_VEND_DATABASE_URL": f"sqlite:///{tmp_path}/file/vending.db"}
        )


def test_a_secret_that_cannot_be_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("keys.files.os.link", refuse)
    with pytest.raises(ConfigError, match="No space left"):
        prepare(tmp_path / "data", {})


@pytest.mark.postgres
def test_the_demo_runs_on_postgresql_by_url(tmp_path: Path, postgresql_server: str) -> None:
    environ = {"STS_VEND_DATABASE_URL": postgresql_server}
    prepare_demo(tmp_path / "data", environ, now=NOW)
    config = prepare_demo(tmp_path / "data", environ, now=NOW)
    parts: AppContext = create_app(config).extensions[EXTENSION]
    assert parts.store.engine.dialect.name == "postgresql"
    assert len(list_meters(parts.store, "mwanga", limit=10)) == 2
    parts.close()
    assert not (tmp_path / "data" / "vending.db").exists()


@pytest.fixture(scope="module")
def half_a_year(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The demo with six months of sales behind it."""
    return prepare_demo(tmp_path_factory.mktemp("half-a-year") / "data", {}, now=NOW, months=6)


def test_the_books_of_half_a_year_are_right(half_a_year: Config) -> None:
    reports = verify(half_a_year.database_url)
    assert [finding for report in reports for finding in report.findings] == []
    assert {report.tenant: report.entries for report in reports} == {
        "baobab": 65,
        "mwanga": 89,
        "thabaneng": 56,
    }


def test_half_a_year_comes_out_the_same_each_time(half_a_year: Config) -> None:
    parts: AppContext = create_app(half_a_year).extensions[EXTENSION]
    with parts.store.read() as connection:
        (sold,) = connection.execute(
            select(
                func.count(),
                func.sum(tables.sales.c.tendered_minor),
                func.sum(tables.sales.c.sold_tenths),
            ).where(tables.sales.c.tenant == "thabaneng")
        )
    parts.close()
    assert tuple(sold) == (54, 5_800_00, 13_335)


def test_after_half_a_year_the_figures_of_the_story_still_hold(half_a_year: Config) -> None:
    parts: AppContext = create_app(half_a_year).extensions[EXTENSION]
    carried = {
        drn: quote(
            parts.store,
            parts.module,
            now=NOW,
            request=QuoteRequest(
                tenant=tenant,
                drn=DecoderReferenceNumber(drn),
                amount=Amount(minor=amount_minor),
            ),
        ).offer.sold_tenths
        for tenant, drn, amount_minor in (
            ("thabaneng", PIETER, 20_00),
            ("mwanga", NEEMA, 5_000_00),
        )
    }
    parts.close()
    assert carried == {PIETER: 59, NEEMA: 14}
