"""Locking rows until the transaction ends.

PostgreSQL ends one of two transactions that wait for each other, so all of them take what they
need in one order: a request, or the case that takes a sale back and then the sale; the meter; its
place; the case that lets tokens be made; the account; the vendor; the supply group; the counters (a
basis before a sale); the end of the books; the counter of the audit log. Outside of it stand the
number of a new case, which comes before the meter that the case refers to, and what is locked by
itself: the tenant, and what is printed again. On SQLite whoever writes has the whole database, and
nothing more needs to be locked.
"""

from typing import TypeVar

from sqlalchemy import Select, Table

_SelectT = TypeVar("_SelectT", bound=Select[*tuple[object, ...]])


def locked(query: _SelectT, *tables: Table) -> _SelectT:
    """Return a query whose rows nobody else locks or changes until the transaction ends.

    Rows that only refer to them may be added all the same: the columns that others refer to stay as
    they are, and one sale need not wait for the account of another one.

    Args:
        query: The query.
        tables: Those of its tables whose rows are locked; none: all of them.
    """
    return query.with_for_update(of=tables or None, key_share=True)
