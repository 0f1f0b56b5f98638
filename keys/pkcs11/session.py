"""A session with a token that survives the loss of the token, and belongs to one process.

A PKCS#11 library is initialised once in a process, for everybody in it. When a token has been lost
it may have to be initialised anew, and that ends all sessions of all tokens in the library; worse,
handles are given out again, so that an old session may then be somebody else's. So every start of a
library has a number, and a session of another start is never used again but opened anew.

After a fork, the child has the parent's sessions without the right to them; some libraries do not
even notice. A session remembers its process and refuses every other.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import RLock
from typing import Final, TypeVar

import pkcs11
from pkcs11.constants import Attribute, ObjectClass
from pkcs11.exceptions import (
    DeviceError,
    DeviceRemoved,
    GeneralError,
    KeyHandleInvalid,
    MultipleTokensReturned,
    NoSuchToken,
    ObjectHandleInvalid,
    PinExpired,
    PinIncorrect,
    PinInvalid,
    PinLenRange,
    PinLocked,
    PKCS11Error,
    SessionClosed,
    SessionHandleInvalid,
    SlotIDInvalid,
    TokenNotPresent,
    TokenNotRecognised,
    UserAlreadyLoggedIn,
    UserNotLoggedIn,
    UserPinNotInitialized,
)
from pkcs11.types import Object, Session, SignMixin, Token

from keys.pkcs11.errors import (
    HsmDriverError,
    HsmLostError,
    HsmNotPreparedError,
    HsmPinError,
    HsmProcessError,
    HsmRefusedError,
    HsmTokenError,
)
from keys.pkcs11.settings import HsmSettings
from keys.secret import Secret

_T = TypeVar("_T")
_LOST: Final = (
    DeviceError,
    DeviceRemoved,
    GeneralError,
    KeyHandleInvalid,
    ObjectHandleInvalid,
    SessionClosed,
    SessionHandleInvalid,
    SlotIDInvalid,
    TokenNotPresent,
    TokenNotRecognised,
    UserNotLoggedIn,
)
"""What libraries say when the token is not the one any more that the session was opened with."""
_PIN_REFUSED: Final = (
    PinExpired,
    PinIncorrect,
    PinInvalid,
    PinLenRange,
    PinLocked,
    UserPinNotInitialized,
)


class OpenToken:
    """An open session as long as it lasts, with the objects that were found in it.

    Attributes:
        session: The session.
        start: In which start of the library it was opened.
        checked: Vending keys that have been looked at, by their identifiers.
    """

    __slots__ = ("_found", "checked", "session", "start")

    def __init__(self, session: Session, *, start: int) -> None:
        """Take over a session of this start of the library."""
        self.session = session
        self.start = start
        self.checked: dict[bytes, SignMixin] = {}
        self._found: dict[tuple[bytes, ObjectClass], Object] = {}

    def find(self, identifier: bytes, kind: ObjectClass = ObjectClass.SECRET_KEY) -> Object | None:
        """Return the one object with this identifier, or None if there is none or more than one."""
        found = self._found.get((identifier, kind))
        if found is None:
            template = {Attribute.ID: identifier, Attribute.CLASS: kind}
            objects = list(self.session.get_objects(template))
            if len(objects) != 1:
                return None
            found = self._found[identifier, kind] = objects[0]
        return found


class HsmSession:
    """A logged-in session with one token; opened anew when it was lost, refused after a fork."""

    def __init__(self, settings: HsmSettings, *, identify: Callable[[OpenToken], bytes]) -> None:
        """Open the token.

        Args:
            settings: Which.
            identify: Returns something that no other token has. A token that comes back must have
                the same.

        Raises:
            HsmDriverError, HsmTokenError, HsmPinError, HsmRefusedError: It cannot be opened.
            HsmError: What ``identify`` raises.
        """
        self._settings = settings
        self._identify = identify
        self._process = os.getpid()
        self._refused_pin: Secret | None = None
        self._library = _library(settings.library)
        self._token: OpenToken | None = None
        with self._library.lock:
            self._token = self._first_opened()
            self._identity = self.run("read the token", identify)

    def run(
        self, operation: str, work: Callable[[OpenToken], _T], *, repeatable: bool = True
    ) -> _T:
        """Return what ``work`` does with the token; if the token was lost, once more when reopened.

        Args:
            operation: What is done, for messages: ``the HSM refuses to …``.
            work: Does it.
            repeatable: Whether it does no harm to begin again.

        Raises:
            HsmProcessError: This is not the process that opened the session.
            HsmLostError: The token is not there, or is not the same.
            HsmPinError: It is, but does not take the PIN any more.
            HsmRefusedError: It does not do this.
        """
        if os.getpid() != self._process:
            raise HsmProcessError
        # One at a time: while the library is started anew, nobody may be inside.
        with self._library.lock:
            token = self._token
            if token is None or token.start != self._library.start:
                token = self._reopened(restart=token is None)
            try:
                return _translated(operation, work, token)
            except _LOST:
                token = self._reopened(restart=True)
            if not repeatable:
                raise HsmLostError
            try:
                return _translated(operation, work, token)
            except _LOST:
                self._token = None
                raise HsmLostError from None

    def _first_opened(self) -> OpenToken:
        try:
            try:
                return self._opened()
            except (HsmTokenError, *_LOST):
                # A token that was plugged in after the library was started may need a new start.
                return self._restarted()
        except PKCS11Error as error:
            raise HsmRefusedError("open the token", type(error).__name__) from None

    def _reopened(self, *, restart: bool) -> OpenToken:
        """Open the token again, and refuse it if it is not the same as before."""
        self._token = None
        try:
            opened = self._restarted() if restart else self._opened()
            same = self._identify(opened) == self._identity
        except (HsmTokenError, HsmNotPreparedError, PKCS11Error):
            raise HsmLostError from None
        if not same:
            raise HsmLostError
        self._token = opened
        return opened

    def _restarted(self) -> OpenToken:
        self._library.restart()
        return self._opened()

    def _opened(self) -> OpenToken:
        pin = self._settings.read_pin()
        if pin == self._refused_pin:
            raise HsmPinError("the token has refused this PIN before, it is not tried again")
        try:
            token = self._library.token(self._settings.token_label)
            session = _logged_in(token, pin)
        except _PIN_REFUSED as error:
            self._refused_pin = pin
            raise HsmPinError(f"the token refuses the PIN: {type(error).__name__}") from None
        return OpenToken(session, start=self._library.start)


class _Library:
    """A PKCS#11 library in this process, with the number of its present start."""

    def __init__(self, path: Path, *, inherited: bool) -> None:
        self.process = os.getpid()
        self.lock = RLock()
        self.start = 0
        try:
            self._library = pkcs11.lib(str(path))
            if inherited:
                self.restart()
        except PKCS11Error:
            raise HsmDriverError(f"the PKCS#11 library {path} cannot be loaded") from None

    def restart(self) -> None:
        """Start the library anew; all sessions end."""
        self.start += 1
        with suppress(PKCS11Error):
            self._library.finalize()
        self._library.initialize()

    def token(self, label: str) -> Token:
        """Return the token of this name."""
        try:
            return self._library.get_token(token_label=label)
        except (NoSuchToken, MultipleTokensReturned):
            raise HsmTokenError(label) from None


_LIBRARIES: Final[dict[Path, _Library]] = {}
"""A library is one for the whole process, whoever uses it."""
_OPENING: Final[dict[int, RLock]] = {}
"""One lock a process: a forked one might inherit that of its parent locked."""


def _library(path: Path) -> _Library:
    """Return a library, started anew in a forked process: what it inherited is its parent's."""
    with _OPENING.setdefault(os.getpid(), RLock()):
        known = _LIBRARIES.get(path)
        if known is None or known.process != os.getpid():
            known = _LIBRARIES[path] = _Library(path, inherited=known is not None)
        return known


def _logged_in(token: Token, pin: Secret) -> Session:
    try:
        return token.open(rw=True, user_pin=pin.expose().decode("utf-8"))
    except UserAlreadyLoggedIn:
        # Another session of this process is, and that holds for all of them.
        return token.open(rw=True)


def _translated(operation: str, work: Callable[[OpenToken], _T], token: OpenToken) -> _T:
    """Return what ``work`` does, with refusals of the token as errors of ours."""
    try:
        return work(token)
    except _LOST:
        raise
    except PKCS11Error as error:
        raise HsmRefusedError(operation, type(error).__name__) from None
