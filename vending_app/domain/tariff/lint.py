"""The lint of a tariff: what whoever approves it should see before customers do.

It works out many purchases: on a day of each season and each rate of a table, for customers who are
new, long absent, or at the border of a block, and for amounts of money at which something turns. It
says what is odd, with figures:

    code                   level     what was found
    (of the error)         error     the document is no tariff; the code is that of the refusal
    TABLE_MISSING          error     a dated table that the tariff refers to does not exist
    TABLE_GAP              error     days of the tariff on which a table has no rate
    NOTHING_LEFT           error     shares of the money tendered leave nothing to buy with
    VERSION_GAP            error     days between two versions on which no version applies
    VERSION_HIDDEN         warning   a version that a later one always replaces
    MORE_BUYS_LESS         warning   a larger purchase that buys less than a smaller one
    SPLITTING_GAINS        warning   purchases that buy more than one of the same money
    ROUNDING_GAINS         warning   small purchases gain much by the rounding of tokens
    MINIMUM_BUYS_NOTHING   warning   a smallest purchase that is refused or gives no token
    PERCENT_OVER_100       warning   percentages that more than double a price
    UNREACHABLE            warning   a schedule, block, band or charge that never applies
    TAX_ON_TAX             notice    a tax that is also taken of another tax
"""

from collections.abc import Sequence
from typing import Final

from vending_app.domain.tariff.document import parse_version
from vending_app.domain.tariff.findings import Finding, Level
from vending_app.domain.tariff.lint_dates import lint_tables, lint_versions
from vending_app.domain.tariff.lint_graph import lint_percentages
from vending_app.domain.tariff.lint_purchases import lint_purchases
from vending_app.domain.tariff.lint_reach import lint_reach
from vending_app.domain.tariff.quote import NO_TABLES
from vending_app.domain.tariff.rates import Tables
from vending_app.domain.tariff.version import TariffVersion
from vending_app.domain.tariff_errors import TariffDefinitionError, TariffFreeError

_ORDER: Final = {level: place for place, level in enumerate(Level)}


def lint_document(
    text: str, *, tables: Tables = NO_TABLES, others: Sequence[TariffVersion] = ()
) -> tuple[Finding, ...]:
    """Return what is odd about the document of a tariff, errors first.

    Args:
        text: The document; if it is no tariff, that is the one finding.
        tables: The dated tables of the utility.
        others: The other versions of the tariff.
    """
    try:
        version = parse_version(text)
    except TariffDefinitionError as error:
        return (Finding(code=error.code, level=Level.ERROR, message=str(error), path=error.path),)
    return lint(version, tables=tables, others=others)


def lint(
    version: TariffVersion, *, tables: Tables = NO_TABLES, others: Sequence[TariffVersion] = ()
) -> tuple[Finding, ...]:
    """Return what is odd about a version of a tariff, errors first.

    Args:
        version: The tariff.
        tables: The dated tables of the utility.
        others: The other versions of the tariff.
    """
    found = [*lint_versions(version, others), *lint_tables(version, tables=tables)]
    try:
        found += [
            *lint_percentages(version, tables=tables),
            *lint_purchases(version, tables=tables),
            *lint_reach(version, tables=tables),
        ]
    except TariffFreeError as error:
        found.append(
            Finding(code=error.code, level=Level.ERROR, message=str(error), path=error.path)
        )
    return tuple(sorted(found, key=lambda finding: _ORDER[finding.level]))
