"""The checker finds books right that are right."""

from tests.vending_app.ledger.world import SEAL_KEY, TENANT, World
from vending_app.ledger_check import Evidence, verify


def _url(world: World) -> str:
    return world.store.engine.url.render_as_string(hide_password=False)


def test_books_that_are_right_have_no_findings(full_world: World) -> None:
    evidence = Evidence(public_key=SEAL_KEY.public_key)
    (report,) = verify(_url(full_world), evidence=evidence)
    assert [str(finding) for finding in report.findings] == []
    assert (report.tenant, report.entries) == (TENANT, 10)
