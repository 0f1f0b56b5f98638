"""A skip is allowed on a laptop and is a failure where STS_REQUIRE says so."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.house.project import ROOT

TESTS: Final = """
import pytest

@pytest.fixture
def server(require):
    require("postgres", "there is no server")

@pytest.mark.postgres
def test_through_the_fixture(server): ...

@pytest.mark.postgres
def test_that_skips_itself():
    pytest.skip("there is no server")

@pytest.mark.postgres
@pytest.mark.skipif(True, reason="there is no server")
def test_that_is_marked(): ...

@pytest.mark.postgres
@pytest.mark.xfail(reason="known")
def test_that_is_expected_to_fail():
    assert False

def test_without_a_mark():
    pytest.skip("this is another matter")
"""


def _run(folder: Path, tests: str, *, required: str) -> subprocess.CompletedProcess[str]:
    folder.joinpath("conftest.py").write_bytes(ROOT.joinpath("tests/conftest.py").read_bytes())
    folder.joinpath("pytest.ini").write_text(
        "[pytest]\nmarkers =\n    postgres\n    browser\n    hsm\n", encoding="utf-8"
    )
    folder.joinpath("test_it.py").write_text(tests, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(folder)],
        check=False,
        cwd=folder,
        encoding="utf-8",
        env={**os.environ, "STS_REQUIRE": required},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


@pytest.mark.parametrize("required", ["", "browser,hsm"])
def test_what_is_not_required_may_be_skipped(tmp_path: Path, required: str) -> None:
    finished = _run(tmp_path, TESTS, required=required)
    assert finished.returncode == 0, finished.stdout
    assert "4 skipped, 1 xfailed" in finished.stdout


def test_what_is_required_may_not_be_skipped_in_any_way(tmp_path: Path) -> None:
    finished = _run(tmp_path, TESTS, required="browser, postgres")
    assert finished.returncode == 1, finished.stdout
    # A skip before the test began counts as an error.
    assert "1 failed, 1 skipped, 1 xfailed, 2 errors" in finished.stdout
    assert "there is no server" in finished.stdout


def test_a_whole_module_may_not_skip_itself_where_anything_is_required(tmp_path: Path) -> None:
    tests = 'import pytest\npytest.importorskip("no_such_module")\n'
    assert _run(tmp_path, tests, required="").returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    finished = _run(tmp_path, tests, required="hsm")
    assert finished.returncode == pytest.ExitCode.INTERRUPTED, finished.stdout
    assert "a module may not skip itself here" in finished.stdout


def test_a_misspelt_requirement_is_refused(tmp_path: Path) -> None:
    finished = _run(tmp_path, TESTS, required="browsers")
    assert finished.returncode == pytest.ExitCode.USAGE_ERROR
    assert "unknown marks: browsers" in finished.stdout


def test_the_fixture_refuses_a_misspelt_mark(tmp_path: Path) -> None:
    tests = 'def test_it(require):\n    require("postgress", "there is no server")\n'
    finished = _run(tmp_path, tests, required="")
    assert finished.returncode == pytest.ExitCode.TESTS_FAILED
    assert "no such optional mark: postgress" in finished.stdout
