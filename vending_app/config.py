"""Settings: read once, from a file and the environment, then frozen.

The file is ``sts-vend.toml`` in the data directory; an environment variable wins over it.

=====================  ========================  =======================================
setting                variable                  default
=====================  ========================  =======================================
(the data directory)   STS_VEND_DATA             ./data
database_url           STS_VEND_DATABASE_URL     SQLite, vending.db in the data directory
secret_key             STS_VEND_SECRET_KEY       secret.key in the data directory; or refused
module                 STS_VEND_MODULE           software:keys.vault in the data directory
module_key             STS_VEND_MODULE_KEY       vault.key in the data directory; an HSM needs none
module_credential      STS_VEND_MODULE_CREDENTIAL  module.client in the data directory
sta_tables             STS_STA_TABLES            the printed SAMPLE set
lab_mode               STS_VEND_LAB_MODE         false
secure_cookies         STS_VEND_SECURE_COOKIES   true
=====================  ========================  =======================================
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from keys.open import split_name
from vending_app.domain.errors import ConfigError, SecretMissingError

FILE_NAME: Final = "sts-vend.toml"
SECRET_FILE_NAME: Final = "secret.key"  # noqa: S105 - a name, not a secret
DEFAULT_DATA_DIR: Final = Path("data")
SHORTEST_SECRET: Final = 32

_VARIABLES: Final[Mapping[str, str]] = {
    "database_url": "STS_VEND_DATABASE_URL",
    "secret_key": "STS_VEND_SECRET_KEY",
    "module": "STS_VEND_MODULE",
    "module_key": "STS_VEND_MODULE_KEY",
    "module_credential": "STS_VEND_MODULE_CREDENTIAL",
    "sta_tables": "STS_STA_TABLES",
    "lab_mode": "STS_VEND_LAB_MODE",
    "secure_cookies": "STS_VEND_SECURE_COOKIES",
}
_WORDS: Final[Mapping[str, bool]] = {
    "true": True,
    "1": True,
    "yes": True,
    "false": False,
    "0": False,
    "no": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All settings of one installation.

    Attributes:
        data_dir: Where files are that have no other place.
        database_url: ``sqlite:///PATH`` or ``postgresql://…``.
        secret_key: Signs sessions; stays out of every repr.
        module: The security module, ``KIND:PLACE`` as ``keys.open`` has it; the only thing that is
            known here of keys.
        module_key: The key file that opens its vault; an HSM has a PIN instead.
        module_credential: By which a module for real meters knows this installation.
        sta_tables: The licensed tables for EA07; None for the SAMPLE set.
        lab_mode: Whether this is for trials: SAMPLE tables and virtual meters.
        secure_cookies: Whether browsers send the session over HTTPS only.
        demo_log_ins: Whether the log-in page offers the demo's operators.
    """

    data_dir: Path
    database_url: str = field(repr=False)  # It may hold a password.
    secret_key: str = field(repr=False)
    module: str
    module_key: Path
    module_credential: Path
    sta_tables: Path | None
    lab_mode: bool
    secure_cookies: bool
    demo_log_ins: bool = False

    def __post_init__(self) -> None:
        """Refuse to start without a secret."""
        if len(self.secret_key) < SHORTEST_SECRET:
            raise SecretMissingError

    @property
    def module_place(self) -> Path:
        """The vault of the security module, or the settings of its HSM.

        Raises:
            ModuleNameError: The module is none of a known kind.
        """
        return split_name(self.module)[1]

    @property
    def meters_dir(self) -> Path:
        """Where the virtual meters of the lab are."""
        return self.data_dir / "meters"


def data_dir_of(environ: Mapping[str, str]) -> Path:
    """Return the data directory that the environment names, or the default."""
    return Path(environ.get("STS_VEND_DATA") or DEFAULT_DATA_DIR)


def load_config(data_dir: Path, environ: Mapping[str, str]) -> Config:
    """Read the settings of an installation.

    Raises:
        ConfigError: The file cannot be read, or holds what is no setting.
        SecretMissingError: No secret is set.
    """
    settings = _file_settings(data_dir / FILE_NAME)
    for name, variable in _VARIABLES.items():
        if environ.get(variable):
            settings[name] = environ[variable]
    sta_tables = settings.get("sta_tables")
    return Config(
        data_dir=data_dir,
        database_url=settings.get("database_url") or default_database_url(data_dir),
        secret_key=settings.get("secret_key") or _secret_of(data_dir),
        module=settings.get("module") or f"software:{data_dir / 'keys.vault'}",
        module_key=Path(settings.get("module_key") or data_dir / "vault.key"),
        module_credential=Path(settings.get("module_credential") or data_dir / "module.client"),
        sta_tables=Path(sta_tables) if sta_tables else None,
        lab_mode=_truth("lab_mode", settings.get("lab_mode", "false")),
        secure_cookies=_truth("secure_cookies", settings.get("secure_cookies", "true")),
    )


def default_database_url(data_dir: Path) -> str:
    """Return the URL of the SQLite database in a data directory."""
    return f"sqlite:///{data_dir / 'vending.db'}"


def _file_settings(path: Path) -> dict[str, str]:
    """Return the settings in the file as text, as the environment would give them."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    for name, value in content.items():
        if name not in _VARIABLES:
            raise ConfigError(f"{path}: there is no setting {name}")
        if not isinstance(value, str | bool):
            raise ConfigError(f"{path}: {name} must be text, true or false")
    return {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in content.items()
    }


def _secret_of(data_dir: Path) -> str:
    try:
        return (data_dir / SECRET_FILE_NAME).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{data_dir / SECRET_FILE_NAME} cannot be read: {error}") from error


def _truth(name: str, text: str) -> bool:
    try:
        return _WORDS[text.strip().lower()]
    except KeyError:
        raise ConfigError(f"{name} must be true or false") from None
