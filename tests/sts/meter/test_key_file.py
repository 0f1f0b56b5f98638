"""The sealed key of a meter: it opens under its passphrase, and under nothing else."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner, Result

from sts.identifiers import (
    BaseDate,
    DecoderReferenceNumber,
    EncryptionAlgorithm,
    KeyExpiryNumber,
    KeyType,
)
from sts.meter.cli import main
from sts.meter.device import open_meter
from sts.meter.errors import MeterKeyFileError, MeterKeyFileSealError
from sts.meter.key_file import Cost, MeterKey, open_meter_key, seal_meter_key
from sts.meter.state import DecoderKeyRegister
from tests.pair import DITK, START, VendAndMeter

PUBLISHED: Final = Path(__file__).parents[2] / "vectors" / "meter_key_file.json"
PASSPHRASE: Final = "correct horse battery staple"
CHEAP: Final = Cost(n=1 << 14)
SALT, NONCE = bytes(range(16)), bytes(range(12))


def _meter_key(**built: Any) -> MeterKey:
    pair = VendAndMeter(**built)
    return MeterKey(
        decoder_reference_number=pair.spec.decoder_reference_number,
        encryption_algorithm=pair.spec.encryption_algorithm,
        register=pair.state.key_register,
    )


def _sealed(meter_key: MeterKey) -> str:
    return seal_meter_key(meter_key, PASSPHRASE, salt=SALT, nonce=NONCE, cost=CHEAP)


@cache
def _text() -> str:
    """Seal the plain meter's key; once, for it is made to be slow."""
    return _sealed(_meter_key())


@pytest.mark.parametrize(
    "built",
    [
        {},
        {"key_type": KeyType.INITIALISATION},
        {"drn": "00100001023", "algorithm": EncryptionAlgorithm.STA, "key_expiry_number": 85},
    ],
)
def test_what_was_sealed_comes_back(built: dict[str, Any]) -> None:
    meter_key = _meter_key(**built)
    text = _sealed(meter_key)
    assert open_meter_key(text, PASSPHRASE) == meter_key
    assert meter_key.register.decoder_key.expose().hex() not in text


def test_a_file_that_another_program_made_opens() -> None:
    """It was made with another library, and its sealed text by hand: see its ``how_made``."""
    vector = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    opened = open_meter_key(json.dumps(vector["file"]), vector["passphrase"])
    assert opened == MeterKey(
        decoder_reference_number=DecoderReferenceNumber("0100200002010"),
        encryption_algorithm=EncryptionAlgorithm.MISTY1,
        register=DecoderKeyRegister(
            decoder_key=DITK[128],
            key_type=KeyType.INITIALISATION,
            supply_group_code=_meter_key().register.supply_group_code,
            tariff_index=_meter_key().register.tariff_index,
            key_revision_number=None,
            key_expiry_number=KeyExpiryNumber(255),
            base_date=BaseDate.Y2014,
        ),
    )


def test_another_passphrase_does_not_open_it() -> None:
    with pytest.raises(MeterKeyFileSealError) as caught:
        open_meter_key(_text(), PASSPHRASE.upper())
    assert caught.value.code == "METER_KEY_FILE_SEAL"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("meter", "0100200001012"),
        ("encryption_algorithm", "09"),
        ("key_type", 1),
        ("supply_group_code", "201458"),
        ("tariff_index", "02"),
        ("key_revision_number", 2),
        ("key_expiry_number", 254),
        ("base_date", "93"),
        ("base_date", None),
        ("salt", "00" * 16),
        ("nonce", "00" * 12),
        ("sealed_key", "00" * 32),
        ("note", "added"),
    ],
)
def test_nothing_in_it_can_be_exchanged(name: str, value: object) -> None:
    altered = {**json.loads(_text()), name: value}
    with pytest.raises(MeterKeyFileSealError):
        open_meter_key(json.dumps(altered), PASSPHRASE)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "another"}, "no meter key file"),
        ({"version": 2}, "version"),
        ({"salt": "00"}, "another length"),
        ({"nonce": "00" * 16}, "another length"),
        ({"salt": 7}, "salt"),
        ({"sealed_key": None}, "sealed_key"),
        ({"sealed_key": "zz"}, "sealed_key"),
        ({"scrypt": {"n": 1 << 13, "r": 8, "p": 1}}, "cost"),
        ({"scrypt": {"n": (1 << 14) + 1, "r": 8, "p": 1}}, "cost"),
        ({"scrypt": {"n": 1 << 30, "r": 8, "p": 1}}, "cost"),
        ({"scrypt": {"n": 1 << 14, "r": 0, "p": 1}}, "cost"),
        ({"scrypt": {"n": 1 << 14, "r": 8, "p": 99}}, "cost"),
        ({"scrypt": {"n": "many", "r": 8, "p": 1}}, "scrypt"),
        ({"scrypt": {"rounds": 1}}, "scrypt"),
    ],
)
def test_what_is_no_such_file_is_refused(changes: dict[str, object], message: str) -> None:
    altered = {**json.loads(_text()), **changes}
    with pytest.raises(MeterKeyFileError, match=message) as caught:
        open_meter_key(json.dumps(altered), PASSPHRASE)
    assert caught.value.code == "METER_KEY_FILE"


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "not JSON", "[" * 9000])
def test_what_is_not_even_json_is_refused(text: str) -> None:
    with pytest.raises(MeterKeyFileError) as caught:
        open_meter_key(text, PASSPHRASE)
    assert caught.value.code == "METER_KEY_FILE"


def test_a_sealed_key_that_no_meter_can_have_is_refused() -> None:
    """Whoever seals nonsense under the right passphrase is told what is wrong with it."""
    meter_key = _meter_key()
    object.__setattr__(meter_key.register, "key_revision_number", None)
    with pytest.raises(MeterKeyFileError, match="revision"):
        open_meter_key(_sealed(meter_key), PASSPHRASE)
    object.__setattr__(meter_key.register, "key_type", 7)
    with pytest.raises(MeterKeyFileError, match="key_type is missing"):
        open_meter_key(_sealed(meter_key), PASSPHRASE)
    object.__setattr__(meter_key, "decoder_reference_number", "no meter")
    with pytest.raises(MeterKeyFileError, match="meter is missing"):
        open_meter_key(_sealed(meter_key), PASSPHRASE)


# --- the command ------------------------------------------------------------------------------


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    path = tmp_path / "meter.json"
    path.write_text(_sealed(_meter_key(key_type=KeyType.INITIALISATION)), encoding="utf-8")
    return path


def _new(sealed: Path, *more: str, passphrase: str | None = None) -> Result:
    command = ["new", str(sealed.parent / "house.meter"), "--meter-key-file", str(sealed), *more]
    return CliRunner(env={"STS_METER_PASSPHRASE": passphrase}).invoke(main, command)


def test_a_meter_is_made_of_a_sealed_key(sealed: Path) -> None:
    secret = sealed.parent / "passphrase"
    secret.write_text(f"{PASSPHRASE}\n", encoding="utf-8")
    made = _new(sealed, "--passphrase-file", str(secret), "--at", START.isoformat())
    assert made.exit_code == 0
    assert "SGC 201457  KRN 1  TI 01  KT 0  KEN 255" in made.stdout
    with open_meter(sealed.parent / "house.meter") as meter:
        assert (
            meter.memory.read().state.key_register
            == _meter_key(key_type=KeyType.INITIALISATION).register
        )


def test_the_passphrase_may_be_in_the_environment(sealed: Path) -> None:
    assert _new(sealed, passphrase=PASSPHRASE).exit_code == 0


@pytest.mark.parametrize(
    ("more", "passphrase", "status", "said"),
    [
        ((), "wrong", 1, "METER_KEY_FILE_SEAL"),
        ((), None, 2, "no passphrase"),
        (("--passphrase-file", "nowhere"), None, 1, "METER_KEY_FILE"),
        (("--drn", "0100200002010"), PASSPHRASE, 2, "--drn is in the file"),
        (("--decoder-key-file", "x"), PASSPHRASE, 2, "--decoder-key-file is in the file"),
        (("--kt", "2"), PASSPHRASE, 2, "--kt is in the file"),
    ],
)
def test_nothing_is_made_of_a_key_that_does_not_open(
    sealed: Path, more: tuple[str, ...], passphrase: str | None, status: int, said: str
) -> None:
    result = _new(sealed, *more, passphrase=passphrase)
    assert result.exit_code == status
    assert said in result.stderr
    assert not (sealed.parent / "house.meter").exists()


@pytest.mark.parametrize("content", [b"\xff\xfe", b"{}"])
def test_a_file_of_something_else_is_refused(sealed: Path, content: bytes) -> None:
    sealed.write_bytes(content)
    result = _new(sealed, passphrase=PASSPHRASE)
    assert result.exit_code == 1
    assert result.stderr.startswith("error METER_KEY_FILE: ")


def test_without_a_number_and_without_a_file_there_is_no_meter(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["new", str(tmp_path / "house.meter")])
    assert result.exit_code == 2
    assert "give --drn, or --meter-key-file" in result.stderr
