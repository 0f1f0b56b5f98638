"""What a use case that makes tokens is made of."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from sqlalchemy import Connection

from keys.canonical_json import JsonObject
from vending_app.domain.network import Meter
from vending_app.domain.requests import StoredRequest
from vending_app.services.plans import IssuePlan, Made


class Work(Protocol):
    """What a use case has decided before tokens are made."""

    @property
    def issue(self) -> IssuePlan:
        """The tokens to be made."""
        ...


WorkT = TypeVar("WorkT", bound=Work)
ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping(Generic[WorkT]):
    """What a use case needs to write its result down.

    Attributes:
        connection: The transaction.
        request: The request.
        work: What was decided.
        made: The tokens.
        meter: The meter as it is now, locked.
        now: The present time, aware.
        step: Called with the name of each step taken.
    """

    connection: Connection
    request: StoredRequest
    work: WorkT
    made: Made
    meter: Meter
    now: datetime
    step: Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUseCase(Generic[WorkT, ResultT]):
    """A use case that makes tokens; another one is another row of functions.

    Attributes:
        kind: Its name, as requests keep it.
        dump: Returns what was decided as plain JSON values, the tokens apart.
        read: The reverse, given the tokens.
        lock: Locks whose money it is, after the meter; in the transaction of ``keep`` or
            ``give_back``, if deciding had one of its own.
        keep: Writes the result down and returns it: bases, tokens, books.
        give_back: Takes back what deciding has written; the request fails.
        load: Returns the result of a request that is done.
    """

    kind: str
    dump: Callable[[WorkT], JsonObject]
    read: Callable[[dict[str, Any], IssuePlan], WorkT]
    lock: Callable[[Connection, WorkT], None]
    keep: Callable[[Keeping[WorkT]], ResultT]
    give_back: Callable[[Connection, WorkT], None]
    load: Callable[[Connection, StoredRequest], ResultT]


Decide: TypeAlias = Callable[[Connection], Callable[[], WorkT]]
"""Asks for what a use case has to know, and returns what decides: locks the meter, applies the
rules, plans the tokens. When it is called, it is not known yet whether the request is a new one:
so it neither waits for anybody nor locks or changes anything; what it returns does."""


def unasked(decide: Callable[[Connection], WorkT]) -> Decide[WorkT]:
    """Return a decision that asks for nothing beforehand."""
    return lambda connection: partial(decide, connection)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Generic[ResultT]):
    """A result, and whether it had been there before this request."""

    result: ResultT
    replay: bool
