"""`sts-vend conformance`: the point-of-sale steps of STS 531 against the real engine."""

import json
import sys

import click

from vending_app.cli.options import REFUSED, refusals
from vending_app.conformance import StepResult, run


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@refusals
def conformance(*, as_json: bool) -> None:
    """Run the point-of-sale steps of STS 531 against this engine, with a set clock.

    Token identifiers (CTSA09), expired keys (CTSA16), check digits (CTSA17), automatic key change
    (CTSA19). Nothing of an installation is touched. Exit status 1 if a step fails.
    """
    results = run()
    if as_json:
        click.echo(json.dumps([_body(result) for result in results], indent=2))
    else:
        for result in results:
            _show(result)
        failed = sum(not result.passed for result in results)
        click.echo(f"{len(results) - failed} passed, {failed} failed")
    if not all(result.passed for result in results):
        sys.exit(REFUSED)


def _show(result: StepResult) -> None:
    word = "passed" if result.passed else "FAILED"
    click.echo(f"{result.step.test}  {word}  {result.step.title}")
    for problem in result.problems:
        click.echo(f"                {problem}")


def _body(result: StepResult) -> dict[str, object]:
    return {
        "test": result.step.test,
        "title": result.step.title,
        "passed": result.passed,
        "problems": list(result.problems),
    }
