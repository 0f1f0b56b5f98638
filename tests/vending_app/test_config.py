from pathlib import Path

import pytest

from vending_app.config import Config, data_dir_of, load_config
from vending_app.domain.errors import ConfigError, SecretMissingError

SECRET = "s" * 32


def _load(folder: Path, toml: str = "", **environ: str) -> Config:
    (folder / "sts-vend.toml").write_text(toml)
    return load_config(folder, {"STS_VEND_SECRET_KEY": SECRET} | environ)


def test_without_settings_everything_lies_in_the_data_directory(tmp_path: Path) -> None:
    config = load_config(tmp_path, {"STS_VEND_SECRET_KEY": SECRET})
    assert config.database_url == f"sqlite:///{tmp_path}/vending.db"
    assert config.module == f"software:{tmp_path / 'keys.vault'}"
    assert config.module_place == tmp_path / "keys.vault"
    assert config.module_key == tmp_path / "vault.key"
    assert config.module_credential == tmp_path / "module.client"
    assert config.meters_dir == tmp_path / "meters"
    assert config.sta_tables is None
    assert not config.lab_mode
    assert config.secure_cookies
    assert not config.demo_log_ins


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    toml = (
        'module = "software:/a/vault"\nsta_tables = "/a/tables"\n'
        "lab_mode = true\nsecure_cookies = false\n"
    )
    config = _load(tmp_path, toml, STS_VEND_MODULE="pkcs11:/b/hsm.toml", STS_VEND_LAB_MODE="no")
    assert config.module == "pkcs11:/b/hsm.toml"
    assert config.module_place == Path("/b/hsm.toml")
    assert config.sta_tables == Path("/a/tables")
    assert not config.lab_mode
    assert not config.secure_cookies


def test_the_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text(f"{SECRET}\n")
    assert load_config(tmp_path, {}).secret_key == SECRET


@pytest.mark.parametrize("secret", ["", "short", "x" * 31])
def test_without_a_secret_there_is_no_start(tmp_path: Path, secret: str) -> None:
    with pytest.raises(SecretMissingError) as refusal:
        load_config(tmp_path, {"STS_VEND_SECRET_KEY": secret})
    assert refusal.value.code == "SECRET_MISSING"


def test_nothing_secret_is_shown(tmp_path: Path) -> None:
    config = _load(tmp_path, STS_VEND_DATABASE_URL="postgresql://user:hunter2@host/db")
    assert SECRET not in repr(config)
    assert "hunter2" not in repr(config)


@pytest.mark.parametrize(
    "toml", ["nonsense", "unknown = 1", "vault = 7", 'lab_mode = "perhaps"', "[vault]"]
)
def test_a_file_that_makes_no_sense_is_refused(tmp_path: Path, toml: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        _load(tmp_path, toml)
    assert refusal.value.code == "CONFIG"


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_bytes(b"\xff" * 40)
    with pytest.raises(ConfigError, match=r"secret\.key"):
        load_config(tmp_path, {})
    (tmp_path / "sts-vend.toml").mkdir()
    with pytest.raises(ConfigError, match=r"sts-vend\.toml"):
        load_config(tmp_path, {})


def test_the_data_directory_may_be_named() -> None:
    assert data_dir_of({}) == Path("data")
    assert data_dir_of({"STS_VEND_DATA": "/srv/vend"}) == Path("/srv/vend")
