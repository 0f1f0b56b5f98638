"""The demo with its keys in an HSM: one setting, and every token comes out of there."""

from pathlib import Path

import pytest

from tests.cli.transcript import in_process
from tests.conftest import Require
from tests.soft_hsm import SoftHsm, missing
from tests.vending_app.helpers import MILL, NOW, Browser, SetClock, token_on
from vending_app import create_app
from vending_app.config import Config
from vending_app.demo import prepare_demo
from vending_app.web.context import EXTENSION

pytestmark = pytest.mark.hsm


@pytest.fixture
def hsm_demo(tmp_path: Path, require: Require, monkeypatch: pytest.MonkeyPatch) -> Config:
    """The demo over a token whose custodians have made a module of it."""
    reason = missing()
    if reason:
        require("hsm", reason)
    monkeypatch.setenv("SOFTHSM2_CONF", "")  # So that it is put back after the test.
    hsm = SoftHsm.blank(tmp_path)
    module = f"pkcs11:{hsm.settings_file}"
    for words in (
        ("hsm", "prepare", str(hsm.settings_file)),
        ("module", "init", module, "Demo HSM", "--at", "2026-03-02T08:00Z"),
    ):
        outcome = in_process(list(words), {}, "sts-keys")
        assert outcome.status == 0, outcome
    return prepare_demo(tmp_path / "data", {"STS_VEND_MODULE": module}, now=NOW)


def test_a_token_of_the_hsm_works_in_its_meter(hsm_demo: Config) -> None:
    assert not list(hsm_demo.data_dir.glob("*.vault*"))
    app = create_app(hsm_demo, clock=SetClock())
    browser = Browser(app.test_client())
    browser.log_in("rehema@mwanga")
    token = token_on(browser.get(browser.sell(MILL, "13000")).text)
    page = f"/lab/meters/{MILL}"
    browser.post(f"{page}/token", token=token)
    assert "Accepted. 10.0 kWh added." in browser.get(page).text
    app.extensions[EXTENSION].close()
