"""``sts-keys audit``: the log of every use of a key, checked, sealed and exported."""

from pathlib import Path
from typing import Any, Final

import click

from keys.audit_export import export_csv, export_json
from keys.audit_read import AuditSummary, verify_log
from keys.audit_record import AuditEvent
from keys.chain_seal import (
    Ed25519SealVerifier,
    SealVerifier,
    format_checkpoint,
    parse_checkpoint,
    require_seal,
)
from keys.cli.common import KeysGroup, read_content, session_of, session_options
from keys.files import write_new
from keys.hash_chain import Checkpoint
from keys.module_identity import parse_identity
from sts.terminal import print_json
from sts.terminal_keys import FILE_PATH

_TARGET: Final = click.argument("target")
_SINCE: Final = click.option(
    "--since",
    type=FILE_PATH,
    multiple=True,
    help="A checkpoint kept elsewhere; may be repeated.",
)


@click.group(cls=KeysGroup)
def audit() -> None:
    """Check, seal or export the log of every use of a key.

    TARGET is a module, or lab-centre:FILE. Without a checkpoint that was kept elsewhere nobody can
    see that the end of a log was cut off, or an old copy put in its place.

    \b
    Examples:
      sts-keys audit verify software:keys.vault --key-file vault.key --since monday.checkpoint
      sts-keys audit checkpoint software:keys.vault --key-file vault.key --output today.checkpoint
    """  # noqa: D301 - click's mark


@audit.command()
@_TARGET
@_SINCE
@session_options
def verify(target: str, *, since: tuple[Path, ...], as_json: bool, **options: Any) -> None:
    """Check every entry, its seal, and every checkpoint; name what is wrong.

    \b
    Example:
      sts-keys audit verify software:keys.vault --since monday.checkpoint --key-file vault.key
    """  # noqa: D301 - click's mark
    opened = session_of(options).target(target)
    checkpoints = _checked(since, opened.checkpoint_key())
    _print_summary(opened.audit.log.verified(checkpoints), len(checkpoints), as_json=as_json)


@audit.command("inspect")
@click.argument("log", type=FILE_PATH)
@click.option(
    "--identity",
    type=FILE_PATH,
    help="The module's identity file, to check the seals of checkpoints.",
)
@_SINCE
@session_options
def inspect_log(
    log: Path, *, identity: Path | None, since: tuple[Path, ...], as_json: bool, **options: Any
) -> None:
    """Check a copy of a LOG without any key: against itself, and against checkpoints.

    For auditors. Only the module itself can check the seal of each entry (`audit verify`).

    \b
    Example:
      sts-keys audit inspect keys.vault.audit --identity depot.identity \\
          --since monday.checkpoint
    """  # noqa: D301 - click's mark
    session_of(options)
    if since and identity is None:
        message = "the seals of checkpoints are checked with --identity"
        raise click.UsageError(message)
    checkpoints: tuple[Checkpoint, ...] = ()
    if identity is not None:
        verifier = Ed25519SealVerifier(parse_identity(read_content(identity)).audit_key)
        checkpoints = _checked(since, verifier)
    _print_summary(verify_log(log, since=checkpoints), len(checkpoints), as_json=as_json)


@audit.command()
@_TARGET
@_SINCE
@click.option("--output", type=FILE_PATH, required=True, help="A new file, to be kept elsewhere.")
@session_options
def checkpoint(
    target: str, *, since: tuple[Path, ...], output: Path, as_json: bool, **options: Any
) -> None:
    """Check the whole log and seal where it ends, once a day say.

    \b
    Example:
      sts-keys audit checkpoint software:keys.vault --output today.checkpoint --key-file vault.key
    """  # noqa: D301 - click's mark
    session = session_of(options)
    opened = session.target(target)
    key = opened.checkpoint_key()
    made = opened.audit.log.checkpoint(key, now=session.now, since=_checked(since, key))
    write_new(output, format_checkpoint(made))
    if as_json:
        print_json({"file": str(output), "entries": made.head.length, "head": made.head.hash.hex()})
    else:
        click.echo(f"wrote {output}: {made.head.length} entries, head {made.head.hash.hex()}")


@audit.command()
@_TARGET
@click.argument("file", type=FILE_PATH)
@session_options
def witness(target: str, file: Path, *, as_json: bool, **options: Any) -> None:
    """Keep a checkpoint of another log in this one: of the ledger, or of another module.

    \b
    Example:
      sts-keys audit witness software:keys.vault monday.checkpoint --key-file vault.key
    """  # noqa: D301 - click's mark
    session = session_of(options)
    found = parse_checkpoint(read_content(file))
    session.target(target).audit.write(AuditEvent.WITNESS, now=session.now, checkpoint=found)
    if as_json:
        print_json({"chain": found.chain, "entries": found.head.length})
    else:
        click.echo(f"kept: {found.chain} had {found.head.length} entries")


@audit.command()
@_TARGET
@_SINCE
@click.option(
    "--format",
    "form",
    type=click.Choice(("json", "csv")),
    default="json",
    show_default=True,
    help="json is exact, csv is for spreadsheets.",
)
@click.option("--output", type=FILE_PATH, help="A new file.  [default: print]")
@session_options
def export(
    target: str,
    *,
    since: tuple[Path, ...],
    form: str,
    output: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Check the whole log and give it to auditors: no key is in it, and no whole token.

    \b
    Example:
      sts-keys audit export software:keys.vault --format csv --output audit.csv --key-file vault.key
    """  # noqa: D301 - click's mark
    if as_json and form == "csv" and output is None:
        message = "--json cannot print CSV: leave out one of the two, or give --output"
        raise click.UsageError(message)
    opened = session_of(options).target(target)
    checkpoints = _checked(since, opened.checkpoint_key())
    # The whole log is checked before anything of it is given out.
    entries = tuple(opened.audit.log.entries(checkpoints))
    content = "".join((export_csv if form == "csv" else export_json)(entries))
    if output is None:
        click.echo(content, nl=False)
        return
    write_new(output, content.encode("utf-8"))
    if as_json:
        print_json({"file": str(output), "entries": len(entries)})
    else:
        click.echo(f"wrote {output}: {len(entries)} entries")


def _checked(paths: tuple[Path, ...], key: SealVerifier) -> tuple[Checkpoint, ...]:
    found = tuple(parse_checkpoint(read_content(path)) for path in paths)
    for each in found:
        require_seal(each, [key])
    return found


def _print_summary(summary: AuditSummary, checkpoints: int, *, as_json: bool) -> None:
    facts = {
        "chain": summary.chain,
        "entries": summary.head.length,
        "head": summary.head.hash.hex(),
        "torn_bytes": summary.torn_bytes,
        "checkpoints": checkpoints,
    }
    if as_json:
        print_json(facts)
        return
    click.echo(f"{summary.chain}: {summary.head.length} entries, all right")
    click.echo(f"head {facts['head']}")
    if summary.torn_bytes:
        click.echo(
            f"behind the last entry are {summary.torn_bytes} bytes that are none: an entry was cut "
            "off while it was written, or the end of the file was altered",
            err=True,
        )
    if not checkpoints:
        click.echo("no checkpoint was given: a missing end would not show", err=True)
