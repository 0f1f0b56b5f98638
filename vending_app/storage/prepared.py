"""Statements that are compiled once and do not go through SQLAlchemy when they are sent.

To run a statement through SQLAlchemy costs five to ten times what the database takes for it, and a
sale has near twenty. Where that counts, a module makes its statements with SQLAlchemy as always,
from the one definition of the tables, and prepares them::

    _FIND: Final = Prepared(select(meters).where(meters.c.drn == bindparam("drn")))
    row = _FIND.one_or_none(connection, {"drn": "01777000018"})

What is sent, the types of values on their way in and out, the transaction and errors are the same
as with ``Connection.execute``; its events are not, see ``vending_app.storage.sending.watched``. To
PostgreSQL all values go as text, so that a place whose type follows neither from its column nor
from a cast is text there: a parameter that is itself a column of the result, for one.
Lists in a statement (``IN`` with an expanding parameter) are not possible, as their number of
places is not known beforehand.
"""

import re
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, Self, TypeAlias

from sqlalchemy import BindParameter, ColumnElement, Connection, Dialect, Insert, bindparam
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import SelectBase, UpdateBase

from vending_app.storage.sending import Rows, ask, change, read, write

Values: TypeAlias = Mapping[str, object]
"""The values of a statement by the names of its parameters; of an INSERT, of its columns."""
_Processor: TypeAlias = Callable[[Any], Any]
_MOST_ROWS: Final = 50
_NAMED_PLACE: Final = re.compile(r"%\((\w+)\)s")


Found: TypeAlias = Any
"""A row that is found. Its columns are its attributes; their types are the statement's affair."""


class Question:
    """Rows that were asked for, to be had when they are needed."""

    __slots__ = ("_found", "_row")

    def __init__(self, found: Rows, row: Callable[[Sequence[Any]], Found]) -> None:
        """Make rows with ``row`` of what the driver has read, or will read."""
        self._found = found
        self._row = row

    def rows(self) -> list[Found]:
        """Return the rows that are found.

        Raises:
            sqlalchemy.exc.DBAPIError: The database refuses this statement or one before it.
        """
        return list(map(self._row, self._found()))

    def one_or_none(self) -> Found | None:
        """Return the row that is found, the first of several, or None.

        Raises:
            sqlalchemy.exc.DBAPIError: As for ``rows``.
        """
        rows = self.rows()
        return rows[0] if rows else None


class Prepared:
    """A statement, compiled at its first use on each kind of database."""

    def __init__(self, statement: SelectBase | UpdateBase) -> None:
        """Prepare ``statement``; an INSERT has the columns for which there are values."""
        self._statement: Final = statement
        self._forms: Final[dict[tuple[str, tuple[str, ...]], _Form]] = {}
        self._last: Final[dict[str, _Form]] = {}
        self._of_several: Final[dict[tuple[int, tuple[str, ...]], Prepared]] = {}

    def rows(self, connection: Connection, values: Values) -> list[Found]:
        """Return the rows that are found, with the names of the columns as attributes.

        Args:
            connection: The transaction.
            values: The values of all parameters that have none of their own.

        Raises:
            sqlalchemy.exc.DBAPIError: The database refuses, with the class that it says.
        """
        form, arguments = self._ready(connection, values)
        return list(map(form.row, read(connection, form.sql, arguments)))

    def one_or_none(self, connection: Connection, values: Values) -> Found | None:
        """Return the row that is found, the first of several, or None.

        Raises:
            sqlalchemy.exc.DBAPIError: As for ``rows``.
        """
        found = self.rows(connection, values)
        return found[0] if found else None

    def ask(self, connection: Connection, values: Values) -> Question:
        """Ask for rows that are needed later; several questions make one journey to the database.

        The database answers them in the order in which they are asked, locks and all.

        Raises:
            sqlalchemy.exc.DBAPIError: As for ``rows``, if not only with the rows.
        """
        form, arguments = self._ready(connection, values)
        return Question(ask(connection, form.sql, arguments), form.row)

    def run(self, connection: Connection, values: Values) -> None:
        """Change the database; see ``vending_app.storage.sending`` for when that happens.

        Raises:
            sqlalchemy.exc.DBAPIError: As for ``rows``.
        """
        form, arguments = self._ready(connection, values)
        write(connection, form.sql, arguments)

    def run_all(self, connection: Connection, many: Sequence[Values]) -> None:
        """Insert several rows, which all have the same columns.

        Raises:
            sqlalchemy.exc.DBAPIError: As for ``rows``.
        """
        for start in range(0, len(many), _MOST_ROWS):
            part = many[start : start + _MOST_ROWS]
            if len(part) == 1:
                self.run(connection, part[0])
            else:
                self._several(len(part), tuple(part[0])).run(
                    connection,
                    {
                        f"{column}_{number}": value
                        for number, row in enumerate(part)
                        for column, value in row.items()
                    },
                )

    def change(self, connection: Connection, values: Values) -> int:
        """Change the database now, and return how many rows have changed.

        Raises:
            sqlalchemy.exc.DBAPIError: As for ``rows``.
        """
        form, arguments = self._ready(connection, values)
        return change(connection, form.sql, arguments)

    def _several(self, rows: int, columns: tuple[str, ...]) -> "Prepared":
        """Return the statement that inserts so many rows at once."""
        wanted = rows, columns
        prepared = self._of_several.get(wanted)
        if prepared is None:
            assert isinstance(self._statement, Insert)
            values: list[dict[str, BindParameter[Any]]] = [
                {
                    # Of the rows behind the first, SQLAlchemy does not find the types by itself.
                    column: bindparam(
                        f"{column}_{number}", type_=self._statement.table.c[column].type
                    )
                    for column in columns
                }
                for number in range(rows)
            ]
            prepared = self._of_several[wanted] = Prepared(self._statement.values(values))
        return prepared

    def _ready(self, connection: Connection, values: Values) -> tuple["_Form", Sequence[Any]]:
        """Return the statement as it is sent, made at its first use, and the values of its places.

        All in one function: a sale passes here near twenty times, and calls are what costs.
        """
        form = self._last.get(connection.dialect.name)
        # The statement of last time, if the values have its names: as many, and each of them.
        if form is None or len(values) != form.names:
            form = self._form(connection, values)
        try:
            picked = form.pick(values)
        except KeyError:
            form = self._form(connection, values)
            picked = form.pick(values)
        if not form.rest:
            return form, picked
        arguments = list(picked)
        for place, process, fixed in form.rest:
            arguments[place] = fixed if process is None else process(arguments[place])
        return form, arguments

    def _form(self, connection: Connection, values: Values) -> "_Form":
        """Return the statement for values of these names."""
        dialect = connection.dialect
        wanted = dialect.name, tuple(values)
        form = self._forms.get(wanted)
        if form is None:
            form = self._forms[wanted] = _Form.of(self._statement, dialect, wanted[1])
        self._last[dialect.name] = form
        return form


class _Form:
    """A statement as it is sent to one kind of database.

    Attributes:
        sql: As the driver takes it.
        names: How many values it is given.
        pick: Takes the value of each place out of those.
        rest: The places whose value is not taken as it is: how it is converted, or itself.
        row: Makes a row of what the driver has read.
    """

    def __init__(self, compiled: SQLCompiler, row: Callable[[Sequence[Any]], Found]) -> None:
        self.sql, places = _numbered(compiled)
        found = [_place(compiled, name) for name in places]
        given = [name for name, _, _ in found if name is not None]
        self.names: Final = len(set(given))
        # A place with a value of its own picks any other, and is then given its own.
        spare = given[0] if given else None
        self.pick: Final = _picker([spare if name is None else name for name, _, _ in found])
        self.rest: Final = [
            (place, process, fixed)
            for place, (name, process, fixed) in enumerate(found)
            if name is None or process is not None
        ]
        self.row: Final = row

    @classmethod
    def of(
        cls, statement: SelectBase | UpdateBase, dialect: Dialect, names: tuple[str, ...]
    ) -> Self:
        """Compile a statement for values of these names."""
        compiled = statement.compile(dialect=dialect, column_keys=names)
        assert isinstance(compiled, SQLCompiler)
        unknown = set(names) - compiled.params.keys()
        if unknown or compiled.post_compile_params:
            message = f"no parameters of this statement, or a list: {sorted(unknown)}"
            raise TypeError(message)
        return cls(compiled, _row_maker(tuple(statement.exported_columns), dialect))


def _picker(names: Sequence[str | None]) -> Callable[[Values], Sequence[Any]]:
    """Return what takes the values of these names; for None, which is all of them, any."""
    wanted = [name for name in names if name is not None]
    if len(wanted) > 1:
        # The interpreter's own code, which is fast.
        return itemgetter(*wanted)
    if wanted:
        return lambda values: (values[wanted[0]],)
    return lambda _: (None,) * len(names)


def _numbered(compiled: SQLCompiler) -> tuple[str, Sequence[str]]:
    """Return the statement with places in an order, and what their parameters are called.

    psycopg would put them into an order each time anew, from their names.
    """
    if compiled.positional:
        return str(compiled), compiled.positiontup or ()
    names = tuple(compiled.params)
    numbers = {name: f"${number}" for number, name in enumerate(names, start=1)}
    sql = _NAMED_PLACE.sub(lambda found: numbers[found[1]], str(compiled))
    return sql.replace("%%", "%"), names


def _place(compiled: SQLCompiler, name: str) -> tuple[str | None, _Processor | None, Any]:
    """Return where the value of a place comes from: a name and how it is converted, or itself."""
    parameter = compiled.binds[name]
    convert = parameter.type.dialect_impl(compiled.dialect).bind_processor(compiled.dialect)
    if parameter.required:
        return name, convert, None
    value = parameter.effective_value
    return None, None, value if convert is None else convert(value)


def _row_maker(
    columns: Sequence[ColumnElement[Any]], dialect: Dialect
) -> Callable[[Sequence[Any]], Found]:
    """Return what makes a row of what the driver has read."""
    names = [str(column.key) for column in columns]
    converts = [
        column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns
    ]
    # mypy wants to know the names, which only the statement does.
    make: type[Found] = namedtuple("Found", names)  # type: ignore[misc] # noqa: PYI024
    changed = [(number, convert) for number, convert in enumerate(converts) if convert is not None]
    if not changed:
        return make._make

    def made(read: Sequence[Any]) -> Found:
        values = list(read)
        for number, convert in changed:
            values[number] = convert(values[number])
        return make(*values)

    return made
