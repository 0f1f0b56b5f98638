"""``sts-keys module``: who a security module is, whom it trusts, what it loads."""

from contextlib import closing
from pathlib import Path
from typing import Any, Final

import click

from keys.cli.common import (
    MODULE_ARGUMENT,
    KeysGroup,
    random_bytes,
    read_content,
    require_terminal,
    session_of,
    session_options,
)
from keys.cli.key_options import KEY_HEADS, key_row, keys_json, makers_keys, optional_time
from keys.custody import Custody
from keys.files import write_new
from keys.journal import JournalSeal
from keys.journal_file import FileJournal
from keys.json_fields import time_text
from keys.module_home import ModuleHome
from keys.module_identity import format_identity
from keys.open import open_store, require_safe_folder, require_safe_store, split_name
from keys.register import deadlines
from keys.trusted_centres import parse_centre, require_centre_id
from sts.terminal import print_json
from sts.terminal_keys import FILE_PATH
from sts.terminal_tables import print_table

_LAB_MODULE: Final = (
    "For trials and training. Keys of supply groups allocated by the STS Association live only in "
    "certified modules."
)
_PRODUCTION_MODULE: Final = (
    "It answers clients only: add one. Keys of supply groups allocated by the STS Association live "
    "only in certified modules."
)


@click.group(cls=KeysGroup)
def module() -> None:
    """Make a security module over a vault or an HSM, load it, look at it.

    \b
    Examples:
      sts-keys module init software:keys.vault "Depot 1" --key-file vault.key
      sts-keys module identity software:keys.vault --key-file vault.key --output depot.identity
    """  # noqa: D301 - click's mark


@module.command()
@MODULE_ARGUMENT
@click.argument("name")
@click.option("--production", is_flag=True, help="For real meters: it answers only its clients.")
@session_options
def init(module: str, name: str, *, production: bool, as_json: bool, **options: Any) -> None:
    """Make the module's identity, its journal and its audit log, beside the vault.

    A lab module stays one, and so does a production module.

    \b
    Examples:
      sts-keys module init software:keys.vault "Depot 1" --key-file vault.key
      sts-keys module init software:keys.vault "Town" --production --key-file vault.key
    """  # noqa: D301 - click's mark
    session = session_of(options)
    _, place = split_name(module)
    ModuleHome(place).require_empty()
    if production:
        require_safe_folder(place)
    unlock = session.unlock_for(module)
    store = open_store(module, unlock)
    if production:
        require_safe_store(store, unlock)
    made = Custody.begin(
        place,
        store,
        name=name,
        is_lab=not production,
        actor=session.who,
        now=session.now,
        random_bytes=random_bytes,
    )
    public = made.file.identity.public
    if as_json:
        print_json({"name": public.name, "id": public.id, "lab": made.file.is_lab})
    else:
        click.echo(f"made the {_kind(made)} module {public.name}\nid  {public.id}")
        click.echo(_LAB_MODULE if made.file.is_lab else _PRODUCTION_MODULE, err=True)


@module.command()
@MODULE_ARGUMENT
@click.option("--output", type=FILE_PATH, help="A new file, for a key centre.  [default: print]")
@session_options
def identity(module: str, *, output: Path | None, as_json: bool, **options: Any) -> None:
    """Print the module's identity: what a key centre and an auditor need, nothing secret.

    \b
    Example:
      sts-keys module identity software:keys.vault --output depot.identity --key-file vault.key
    """  # noqa: D301 - click's mark
    opened = session_of(options).custody(module)
    content = format_identity(opened.file.identity.public)
    if output is None:
        click.echo(content, nl=False)
        return
    write_new(output, content)
    public = opened.file.identity.public
    if as_json:
        print_json({"name": public.name, "id": public.id, "file": str(output)})
    else:
        click.echo(f"wrote {output}\nid  {public.id}")


@module.command()
@MODULE_ARGUMENT
@click.argument("centre", type=FILE_PATH)
@click.option("--id", "centre_id", help="The id, as the centre says it by another way.")
@session_options
def trust(
    module: str, centre: Path, *, centre_id: str | None, as_json: bool, **options: Any
) -> None:
    """Take key load files of a centre from now on.

    CENTRE is the file by which the centre makes itself known. Its id must be confirmed: ask the
    centre for it by another way than the file came, by telephone say.

    \b
    Example:
      sts-keys module trust software:keys.vault lab.identity \\
          --id 834da8e413a2d3b611f4fe8cece0f777 --key-file vault.key
    """  # noqa: D301 - click's mark
    session = session_of(options)
    found = parse_centre(read_content(centre))
    if centre_id is None:
        require_terminal("the id of the centre is confirmed with --id, or at a terminal")
        centre_id = click.prompt("id of the centre", err=True)
    require_centre_id(found, centre_id)
    session.custody(module).trust(found, now=session.now)
    if as_json:
        print_json({"trusted": {"name": found.name, "id": found.id}})
    else:
        click.echo(f"trusts {found.name}")


@module.command()
@MODULE_ARGUMENT
@click.option("--centre", required=True, help="The id of the centre.")
@session_options
def distrust(module: str, *, centre: str, as_json: bool, **options: Any) -> None:
    """Take no key load files of a centre any more; that is not taken back.

    \b
    Example:
      sts-keys module distrust software:keys.vault \\
          --centre 834da8e413a2d3b611f4fe8cece0f777 --key-file vault.key
    """  # noqa: D301 - click's mark
    session = session_of(options)
    session.custody(module).distrust(centre, now=session.now)
    if as_json:
        print_json({"distrusted": centre})
    else:
        click.echo(f"trusts {centre} no longer")


@module.command()
@MODULE_ARGUMENT
@click.argument("file", type=FILE_PATH)
@session_options
def load(module: str, file: Path, *, as_json: bool, **options: Any) -> None:
    """Load a key load file. A program that has the module open must be started anew.

    \b
    Example:
      sts-keys module load software:keys.vault first.klf --key-file vault.key
    """  # noqa: D301 - click's mark
    session = session_of(options)
    loaded = session.custody(module).load(read_content(file), now=session.now)
    keys = [transit.key for transit in loaded.keys]
    if as_json:
        header = loaded.header
        print_json(
            {
                "centre": header.centre.name,
                "serial_number": header.serial_number,
                "keys": keys_json(keys),
            }
        )
    else:
        click.echo(f"loaded file {loaded.header.serial_number} of {loaded.header.centre.name}")
        print_table(KEY_HEADS, [key_row(key) for key in keys])


@module.command()
@MODULE_ARGUMENT
@session_options
def status(module: str, *, as_json: bool, **options: Any) -> None:
    """Check keys, audit log and journal; say who the module is, and what ends when.

    \b
    Example:
      sts-keys module status software:keys.vault --key-file vault.key
    """  # noqa: D301 - click's mark
    session = session_of(options)
    opened = session.custody(module)
    file, audit = opened.file, opened.audit.log.verified()
    with closing(FileJournal.open(ModuleHome(split_name(module)[1]).journal)) as journal:
        journal_entries = journal.check(JournalSeal(opened.store.journal_key()))
    supplied = makers_keys(opened.store)
    # What ends for many meters on the same day, ends once here; `expiring` names the meters.
    ends = sorted(
        {
            (end.at, end.kind, str(end.key.name))
            for key in (*opened.store.records, *(each.key for each in supplied))
            for end in deadlines(key)
        }
    )
    public = file.identity.public
    facts: dict[str, object] = {
        "name": public.name,
        "id": public.id,
        "mode": _kind(opened),
        "keys": len(opened.store.records),
        "decoder_keys": len(supplied),
        "audit_entries": audit.head.length,
        "journal_entries": journal_entries,
        "centres": [
            {
                "name": centre.identity.name,
                "id": centre.identity.id,
                "last_serial_number": centre.last_serial_number,
                "revoked_at": optional_time(centre.revoked_at) or None,
            }
            for centre in file.centres
        ],
        "clients": [
            {"name": each.name, "revoked_at": optional_time(each.revoked_at) or None}
            for each in file.clients
        ],
        "deadlines": [{"at": time_text(at), "what": what, "key": name} for at, what, name in ends],
    }
    if as_json:
        print_json(facts)
        return
    for fact in ("name", "id", "mode", "keys", "decoder_keys", "audit_entries", "journal_entries"):
        click.echo(f"{fact.replace('_', ' '):<17}{facts[fact]}")
    for centre in file.centres:
        state = f"revoked {optional_time(centre.revoked_at)}" if centre.revoked_at else "trusted"
        click.echo(f"{'centre':<17}{centre.identity.name} ({centre.identity.id}), {state}")
    for each in file.clients:
        state = f"revoked {optional_time(each.revoked_at)}" if each.revoked_at else "let in"
        click.echo(f"{'client':<17}{each.name}, {state}")
    for at, what, name in ends:
        click.echo(f"{'ends':<17}{time_text(at)} {what}: {name}")


def _kind(opened: Custody) -> str:
    return "lab" if opened.file.is_lab else "production"
