"""What is installed is what we mean to ship: the built wheel, its contents, what it pulls in."""

import os
import re
import subprocess
import sys
import venv
import zipfile
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Final

import pytest

from tests.house.project import PACKAGES, ROOT, project_files

pytestmark = pytest.mark.slow

BASE: Final = {"click", "cryptography", "pycryptodome", "rich"}
COMMANDS: Final = {"sts", "sts-keys", "sts-meter", "sts-vend"}
_COPYLEFT: Final = re.compile(r"(?<!L)\bA?GPL|(?<!Lesser )General Public|Affero", re.IGNORECASE)


def _run(*command: str | Path, folder: Path) -> str:
    """Run a command as on a new machine: from another folder, without our environment."""
    finished = subprocess.run(
        command,
        check=False,
        cwd=folder,
        encoding="utf-8",
        env={name: os.environ[name] for name in ("HOME", "LANG", "PATH") if name in os.environ},
        stderr=subprocess.STDOUT,
        stdout=subprocess.PIPE,
    )
    assert finished.returncode == 0, finished.stdout
    return finished.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel with the backend that is installed."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation"]
    _run(*build, "--outdir", folder, ROOT, folder=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def base_install(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel without any extra in an environment of its own; return its folder."""
    folder = tmp_path_factory.mktemp("base")
    venv.create(folder)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    _run(*pip, "--python", folder / "bin" / "python", "install", "--quiet", wheel, folder=folder)
    return folder


def test_the_wheel_holds_our_packages_whole_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == {path.as_posix() for path in project_files() if path.parts[0] in PACKAGES}
    assert "sts/py.typed" in held


def test_the_wheel_carries_the_licence_and_the_commands(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (licence,) = (name for name in archive.namelist() if name.endswith("/licenses/LICENSE"))
        (points,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert b"Apache License" in archive.read(licence)
        commands = re.findall(r"^(\S+) =", archive.read(points).decode(), re.MULTILINE)
    assert set(commands) == COMMANDS


def test_the_library_works_from_the_wheel_with_the_base_install_alone(
    base_install: Path, tmp_path: Path
) -> None:
    code = "import sts, keys; [getattr(sts, name) for name in sts.__all__]; print(sts.__file__)"
    python = base_install / "bin" / "python"
    printed = _run(python, "-I", "-W", "error", "-c", code, folder=tmp_path)
    assert Path(printed.strip()).is_relative_to(base_install)


def test_the_command_line_works_from_the_wheel_with_the_base_install_alone(
    base_install: Path, tmp_path: Path
) -> None:
    assert "Usage: sts" in _run(base_install / "bin" / "sts", "--help", folder=tmp_path)


def test_the_base_install_needs_what_we_say_it_needs() -> None:
    requirements = Distribution.from_name("sts-vending").requires or []
    base = {re.split(r"[^\w-]", each)[0] for each in requirements if "extra ==" not in each}
    assert base == BASE


def test_nothing_that_we_install_is_under_the_gpl_or_agpl() -> None:
    copyleft = {}
    for installed in distributions():
        fields = installed.metadata.get_all("Classifier", [])
        licence = [each for each in fields if each.startswith("License")]
        licence += installed.metadata.get_all("License-Expression", [])
        # Some packages put the whole text here; its first line is its name.
        licence += [each.partition("\n")[0] for each in installed.metadata.get_all("License", [])]
        if _COPYLEFT.search(" ".join(licence)):
            copyleft[installed.name] = licence
    assert copyleft == {}
