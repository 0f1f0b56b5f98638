"""``sts-keys batch``: key changes, credit, decoding and check values of whole fleets."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from keys.audit_record import AuditEvent
from keys.cli.batch_options import (
    ATTRIBUTES,
    NEW_ATTRIBUTES,
    Opened,
    attribute_options,
    job_options,
    module_options,
    open_for_batch,
    progress_bar,
    require_libraries,
)
from keys.cli.common import KeysGroup
from keys.open import split_name
from sts import Service
from sts.terminal import REFUSED, json_option, print_json
from sts.terminal_keys import FILE_PATH, SAMPLE_MARK

_SERVICES = tuple(service.name.lower() for service in Service)


@click.group(cls=KeysGroup)
def batch() -> None:
    """Make or read the tokens of a whole fleet, as one use of the module.

    INPUT is a table with a column `meter`, in a .csv, .parquet or .db file. What is the same for
    all meters may be an option instead of a column. Refused rows are listed in OUTPUT.errors.csv
    with line and code; then the exit status is 1. A job that was stopped goes on when the same
    command is given again.

    \b
    Example:
      sts-keys batch key-change fleet.csv -o sets.csv --module software:keys.vault \\
          --tenant thabaneng --sgc 201457 --krn 1 --ti 01 --kt 2 --ea 07 --to-krn 2 \\
          --key-file vault.key
    """  # noqa: D301 - click's mark


@batch.command("key-change")
@click.option("--three", is_flag=True, help="Of a 64-bit key: bring the supply group code as well.")
@click.option("--forbid-dkga-change", is_flag=True, help="Refuse DKGA02 to DKGA04.")
@attribute_options(NEW_ATTRIBUTES)
@job_options
def key_change(*, three: bool, forbid_dkga_change: bool, **options: Any) -> None:
    """Make the sets of tokens that bring meters to another key of the module.

    \b
    Example:
      sts-keys batch key-change fleet.csv -o sets.csv --module software:keys.vault \\
          --tenant thabaneng --sgc 201457 --krn 1 --ti 01 --kt 2 --ea 07 --to-krn 2 \\
          --key-file vault.key
    """  # noqa: D301 - click's mark
    flags = {"three": three, "forbid_dkga_change": forbid_dkga_change}
    _run("key-change", options, {name: "yes" for name, given in flags.items() if given})


@batch.command()
@click.option(
    "--service",
    type=click.Choice(_SERVICES),
    default="electricity",
    show_default=True,
    help="What is sold.",
)
@click.option("--tenths", help="The amount of all, in tenths of a unit.  [default: a column]")
@job_options
def credit(*, service: str, **options: Any) -> None:
    """Make a credit token for each row; the identifier is in a column `tid`, or that of --at.

    \b
    Example:
      sts-keys batch credit fleet.csv -o tokens.csv --module software:keys.vault \\
          --tenant thabaneng --sgc 201457 --krn 2 --ti 01 --kt 2 --ea 07 --tenths 100 \\
          --key-file vault.key
    """  # noqa: D301 - click's mark
    _run("credit", options, {"service": service})


@batch.command()
@job_options
def decode(**options: Any) -> None:
    """Read the tokens in a column `token` as their meters would.

    \b
    Example:
      sts-keys batch decode tokens.csv -o read.csv --module software:keys.vault \\
          --tenant thabaneng --sgc 201457 --krn 2 --ti 01 --kt 2 --ea 07 --key-file vault.key
    """  # noqa: D301 - click's mark
    _run("decode", options, {})


@batch.command()
@job_options
def derive(**options: Any) -> None:
    """Derive the keys of meters and list their check values; no key is shown.

    \b
    Example:
      sts-keys batch derive fleet.csv -o checks.csv --module software:keys.vault \\
          --tenant thabaneng --sgc 201457 --krn 1 --ti 01 --kt 2 --ea 07 --key-file vault.key
    """  # noqa: D301 - click's mark
    _run("derive", options, {})


@batch.command()
@click.argument("meters", type=int)
@click.option("--output", "-o", type=FILE_PATH, required=True, help="A new .csv file.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Which fleet.")
@click.option("--credit", is_flag=True, help="With amounts in a column `tenths`.")
@attribute_options({**ATTRIBUTES, **NEW_ATTRIBUTES})
@json_option
def generate(
    meters: int, *, output: Path, seed: int, credit: bool, as_json: bool, **given: str | None
) -> None:
    """Write a made-up fleet of so many METERS, to try things with.

    \b
    Example:
      sts-keys batch generate 1000 -o fleet.csv
    """  # noqa: D301 - click's mark
    require_libraries()
    from keys.bulk import generate as bulk_generate  # noqa: PLC0415 - an extra, imported on use

    present = {name: value for name, value in given.items() if value is not None}
    bulk_generate.generate(output, meters, seed=seed, given=present, credit=credit)
    if as_json:
        print_json({"file": str(output), "meters": meters})
    else:
        click.echo(f"wrote {output}: {meters} meters")


@batch.command()
@click.argument("output", type=FILE_PATH)
@click.option("--input", "source", type=FILE_PATH, required=True, help="The input of the job.")
@click.option("--sample", type=click.IntRange(1), help="So many rows.  [default: all]")
@module_options
def verify(
    output: Path, *, source: Path, sample: int | None, as_json: bool, **options: Any
) -> None:
    """Check a finished job against the scalar core, row by row, without the array engine.

    Refused rows, too: each must be refused for the same reason. With --sample, so many rows are
    judged, of the others only the number is looked at, and duplicates are not looked for.

    \b
    Example:
      sts-keys batch verify sets.csv --input fleet.csv --module software:keys.vault \\
          --tenant thabaneng --key-file vault.key
    """  # noqa: D301 - click's mark
    require_libraries()
    from keys.bulk import verify as bulk_verify  # noqa: PLC0415 - as the other commands

    tenant = options.pop("tenant")
    opened = open_for_batch(options)
    access = opened.module.bulk_access()
    audit, now = opened.module.audit, opened.session.now
    with (
        audit.refusals_of(AuditEvent.BULK, now=now, note="verify"),
        progress_bar("verify") as progress,
    ):
        found = bulk_verify.verify(
            source, output, access, tenant=tenant, sample=sample, progress=progress
        )
    audit.write(AuditEvent.BULK, now=now, count=found.checked, note="verify")
    if as_json:
        print_json({"rows": found.rows, "right": found.right, "checked": found.checked})
    else:
        click.echo(
            f"{output}: {found.rows} rows, {found.right} came out, {found.checked} judged and right"
        )


def _run(operation: str, options: dict[str, Any], flags: dict[str, str]) -> None:
    """Do a job and say what became of it."""
    require_libraries()
    from keys.bulk import fleet, local  # noqa: PLC0415 - an extra, imported on use
    from keys.bulk.job import Job, Operation  # noqa: PLC0415 - as above

    as_json, source, output = (options.pop(name) for name in ("as_json", "source", "output"))
    table, purpose, processes, dask, tenant = (
        options.pop(name) for name in ("table", "purpose", "processes", "dask", "tenant")
    )
    opened = open_for_batch(options)
    now = opened.session.now
    if dask is not None:
        # Workers stand in folders of their own.
        source, output = source.absolute(), output.absolute()
    job = Job(
        operation=Operation(operation),
        source=source,
        output=output,
        tenant=tenant,
        module=opened.name,
        at=fleet.time_of_job(output, opened.session.at, now),
        given={name: value for name, value in options.items() if value is not None},
        table=table,
        options=flags,
    )
    if dask is not None:
        makers: Any = nullcontext(_on_cluster(dask, opened))
    elif (count := processes or local.cores()) == 1:
        makers = nullcontext(local.ThisProcess(opened.module.bulk_access()))
    else:
        makers = local.ForkedProcesses(opened.module.bulk_access(), count)
    with makers as working, progress_bar(operation) as progress:
        summary = fleet.run(
            job, opened.module, working, now=now, purpose=purpose, progress=progress
        )
    _print_summary(summary, output, as_json=as_json, opened=opened)


def _on_cluster(address: str, opened: Opened) -> Any:
    from keys.bulk.cluster import DaskWorkers, WorkerModule  # noqa: PLC0415 - an extra

    key_file = opened.session.key_file
    if key_file is None:
        message = "--dask needs --key-file: by this path the workers open the module"
        raise click.UsageError(message)
    opened.module.bulk_access()
    kind, path = split_name(opened.name)
    return DaskWorkers(
        address,
        WorkerModule(
            name=f"{kind}:{path.absolute()}",
            key_file=key_file.absolute(),
            tables=None if opened.tables is None else opened.tables.absolute(),
            lab_mode=opened.lab_mode,
        ),
    )


def _print_summary(summary: Any, output: Path, *, as_json: bool, opened: Opened) -> None:
    if as_json:
        print_json(
            {
                "file": str(output),
                "rows": summary.rows,
                "right": summary.right,
                "refused": summary.refused,
                "resumed_parts": summary.resumed,
                "digest": summary.digest,
                "job": summary.job_id,
            }
        )
    else:
        click.echo(f"wrote {output}: {summary.right} of {summary.rows} rows")
        if summary.refused:
            click.echo(f"{summary.refused} rows were refused, see {output}.errors.csv")
    if opened.module.bulk_access().sta_tables.is_sample:
        click.echo(SAMPLE_MARK, err=True)
    if summary.refused:
        click.get_current_context().exit(REFUSED)
