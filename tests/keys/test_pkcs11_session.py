"""A session with a token: who may open it, what a fork and a lost token do to it."""

import multiprocessing
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from pkcs11.exceptions import DeviceRemoved

from keys import KeysError
from keys.pkcs11.session import OpenToken
from keys.pkcs11.store import HsmKeys, prepare_token
from tests.keys.custody import KEY_160, registered
from tests.keys.test_pkcs11_store import key_object, session_of
from tests.soft_hsm import LABEL, PIN, SO_PIN, SoftHsm

pytestmark = pytest.mark.hsm

KEY = registered()
OTHER_PIN = "83920017"


@pytest.fixture
def keys(hsm: SoftHsm) -> HsmKeys:
    """A token with one vending key."""
    opened = hsm.keys()
    opened.add(KEY, KEY_160)
    return opened


def _code(attempt: Callable[[], object]) -> str:
    with pytest.raises(KeysError) as refusal:
        attempt()
    assert refusal.value.hint
    assert PIN not in str(refusal.value)
    return refusal.value.code


def _use(keys: HsmKeys) -> bytes:
    return keys.mac(KEY, b"message")


# --- opening --------------------------------------------------------------------------------------


def test_a_token_of_another_name_is_not_there(hsm: SoftHsm) -> None:
    assert _code(lambda: hsm.keys(token_label='"mwanga"')) == "HSM_TOKEN"


def test_two_tokens_of_one_name_are_none(hsm: SoftHsm) -> None:
    hsm.utility("--init-token", "--free", "--label", LABEL, "--so-pin", SO_PIN, "--pin", PIN)
    hsm.plug_in()
    assert _code(hsm.keys) == "HSM_TOKEN"


def test_a_token_that_came_after_the_library_was_started_is_found(hsm: SoftHsm) -> None:
    away = hsm.folder / "away"
    hsm.tokens.rename(away)
    hsm.tokens.mkdir()
    hsm.plug_in()
    assert _code(hsm.keys) == "HSM_TOKEN"
    hsm.tokens.rmdir()
    away.rename(hsm.tokens)
    assert hsm.keys().records == ()


def test_a_wrong_pin_is_refused(hsm: SoftHsm) -> None:
    hsm.pin_file.write_text("0000", encoding="ascii")
    assert _code(hsm.keys) == "HSM_PIN"


@pytest.mark.parametrize("content", [None, b"not a library"])
def test_a_library_that_is_none_is_refused(hsm: SoftHsm, content: bytes | None) -> None:
    library = hsm.folder / "library.so"
    if content is not None:
        library.write_bytes(content)
    assert _code(lambda: hsm.keys(library='"library.so"')) == "HSM_DRIVER"


def test_a_token_that_was_not_prepared_has_no_keys(hsm: SoftHsm, tmp_path: Path) -> None:
    blank = SoftHsm.blank(tmp_path / "blank")
    assert _code(blank.keys) == "HSM_NOT_PREPARED"
    prepare_token(blank.settings())
    assert blank.keys().records == ()
    assert hsm.folder != blank.folder


def test_the_pin_may_come_from_the_environment(
    hsm: SoftHsm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STS_TEST_PIN", PIN)
    settings = replace(hsm.settings(), pin_file=None, pin_environment="STS_TEST_PIN")
    assert HsmKeys.open(settings).records == ()


def test_a_library_that_does_not_start_is_said_so(hsm: SoftHsm) -> None:
    shutil.rmtree(hsm.tokens)
    hsm.tokens.write_text("", encoding="ascii")
    with pytest.raises(KeysError, match="open the token: GeneralError") as refusal:
        hsm.keys()
    assert refusal.value.code == "HSM_REFUSED"


# --- processes and threads ------------------------------------------------------------------------


def _in_child(keys: HsmKeys, hsm: SoftHsm, answers: Connection) -> None:
    try:
        _use(keys)
    except KeysError as error:
        answers.send(error.code)
    answers.send(_use(hsm.keys()))


def test_a_session_is_for_the_process_that_opened_it(keys: HsmKeys, hsm: SoftHsm) -> None:
    """SoftHSM itself would let a forked process use the handles that it inherited."""
    expected = _use(keys)
    context = multiprocessing.get_context("fork")
    answers, sender = context.Pipe(duplex=False)
    child = context.Process(target=_in_child, args=(keys, hsm, sender))
    child.start()
    assert answers.recv() == "HSM_OTHER_PROCESS"
    assert answers.recv() == expected, "the child opens the token for itself"
    child.join()
    assert child.exitcode == 0
    assert _use(keys) == expected


def test_threads_use_one_session(keys: HsmKeys) -> None:
    expected = _use(keys)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: _use(keys), range(200))) == {expected}


def test_two_modules_of_one_process_do_not_end_each_other(keys: HsmKeys, hsm: SoftHsm) -> None:
    expected = _use(keys)
    other = hsm.keys()
    assert _use(other) == expected
    away = hsm.folder / "away"
    hsm.tokens.rename(away)
    assert _code(lambda: _use(other)) == "HSM_LOST"
    away.rename(hsm.tokens)
    # The one starts the library anew, which ends the session of the other.
    assert _use(other) == expected
    assert _use(keys) == expected
    assert _use(other) == expected


# --- a token that is lost -------------------------------------------------------------------------


def test_a_token_that_another_process_initialises_is_lost_until_it_is_back(
    keys: HsmKeys, hsm: SoftHsm
) -> None:
    expected = _use(keys)
    backup = hsm.folder / "backup"
    shutil.copytree(hsm.tokens, backup)
    hsm.initialise_again()
    for _ in range(2):
        assert _code(lambda: _use(keys)) == "HSM_LOST"
    shutil.rmtree(hsm.tokens)
    shutil.copytree(backup, hsm.tokens)
    assert _use(keys) == expected


def test_a_token_that_is_taken_away_is_lost_until_it_is_back(keys: HsmKeys, hsm: SoftHsm) -> None:
    expected = _use(keys)
    away = hsm.folder / "away"
    hsm.tokens.rename(away)
    for _ in range(2):
        assert _code(lambda: _use(keys)) == "HSM_LOST"
    assert _code(lambda: keys.add(registered(revision=2), KEY_160)) == "HSM_LOST"
    away.rename(hsm.tokens)
    assert _use(keys) == expected
    assert keys.records == hsm.keys().records == (KEY,)


def test_another_token_in_its_place_is_not_taken_for_it(
    keys: HsmKeys, hsm: SoftHsm, tmp_path: Path
) -> None:
    """It has the same name and is prepared, too."""
    other = SoftHsm.prepared(tmp_path / "other", "shared 1")
    hsm.plug_in()
    _use(keys)
    hsm.tokens.rename(hsm.folder / "away")
    shutil.copytree(other.tokens, hsm.tokens)
    assert _code(lambda: _use(keys)) == "HSM_LOST"


def test_a_key_that_was_removed_meanwhile_is_missing(keys: HsmKeys, hsm: SoftHsm) -> None:
    _use(keys)
    with session_of(hsm) as session:
        key_object(session).destroy()
    assert _code(lambda: _use(keys)) == "HSM_KEY_MISSING"


def test_a_pin_that_was_refused_is_not_tried_again(keys: HsmKeys, hsm: SoftHsm) -> None:
    """Else a module that works on would lock the token."""
    expected = _use(keys)
    away = hsm.folder / "away"
    hsm.tokens.rename(away)
    assert _code(lambda: _use(keys)) == "HSM_LOST"
    away.rename(hsm.tokens)
    hsm.pin_file.write_text(OTHER_PIN, encoding="ascii")
    for says in ("refuses the PIN", "not tried again", "not tried again"):
        with pytest.raises(KeysError, match=says) as refusal:
            _use(keys)
        assert refusal.value.code == "HSM_PIN"
    hsm.pin_file.write_text(PIN, encoding="ascii")
    assert _use(keys) == expected


def test_a_pin_that_cannot_be_read_is_said_so(keys: HsmKeys, hsm: SoftHsm) -> None:
    away = hsm.folder / "away"
    hsm.tokens.rename(away)
    assert _code(lambda: _use(keys)) == "HSM_LOST"
    away.rename(hsm.tokens)
    hsm.pin_file.chmod(0o644)
    assert _code(lambda: _use(keys)) == "UNSAFE_FILE_MODE"
    hsm.pin_file.chmod(0o600)
    _use(keys)


@pytest.mark.parametrize(("repeatable", "times"), [(True, 2), (False, 1)])
def test_what_is_lost_on_the_way_is_begun_again_only_if_that_does_no_harm(
    keys: HsmKeys,
    repeatable: bool,  # noqa: FBT001 - a column of the table above
    times: int,
) -> None:
    begun = 0

    def lose(_: OpenToken) -> None:
        nonlocal begun
        begun += 1
        raise DeviceRemoved

    session = keys._session  # noqa: SLF001 - nothing else can be lost at will
    assert _code(lambda: session.run("do it", lose, repeatable=repeatable)) == "HSM_LOST"
    assert begun == times
    _use(keys)
