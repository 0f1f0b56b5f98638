"""``sts-keys lab-centre``: a key centre for labs, and the key load files that it issues."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import click

from keys.audit_record import AuditEvent
from keys.centre_custody import CentreCustody
from keys.ceremony import generate_vending_key
from keys.cli.common import (
    NEW_KEY_FILE_OPTION,
    KeysGroup,
    random_bytes,
    read_content,
    session_of,
    session_options,
)
from keys.cli.key_options import (
    KEY_HEADS,
    key_bits,
    key_name,
    key_options,
    key_row,
    keys_json,
    optional_time,
    registered_key,
    tenant_option,
)
from keys.custody import Origin
from keys.errors import FileExistsRefusedError
from keys.files import write_new
from keys.json_fields import time_text
from keys.key_load_file import parse_key_load_file
from keys.module_identity import parse_identity, require_module_id
from keys.trusted_centres import LAB_NOTICE, format_centre
from sts.terminal import print_json
from sts.terminal_keys import FILE_PATH
from sts.terminal_tables import print_table

_CENTRE: Final = click.argument("centre", type=FILE_PATH)


@click.group("lab-centre", cls=KeysGroup)
def lab_centre() -> None:
    """Run a key centre for labs: its keys, and key load files for modules.

    Keys of supply groups that the STS Association allocates live only in certified modules and
    come from the Association's own centre; this one cannot take its place.

    \b
    Examples:
      sts-keys lab-centre init lab.centre "Training lab" --new-key-file centre.key
      sts-keys lab-centre generate lab.centre --tenant thabaneng --sgc 201457
      sts-keys lab-centre issue lab.centre depot.identity --tenant thabaneng \\
          --key 201457/1 --output first.klf
    """  # noqa: D301 - click's mark


@lab_centre.command()
@_CENTRE
@click.argument("name")
@NEW_KEY_FILE_OPTION
@session_options
def init(
    centre: Path, name: str, *, new_key_file: Path | None, as_json: bool, **options: Any
) -> None:
    """Make a new centre with a signing key of its own.

    It is opened by a new key file, by one that exists, or by a passphrase, which is asked for
    twice.

    \b
    Example:
      sts-keys lab-centre init lab.centre "Training lab" --new-key-file centre.key
    """  # noqa: D301 - click's mark
    session = session_of(options)
    if centre.exists():
        raise FileExistsRefusedError(centre)
    made = CentreCustody.begin(
        centre,
        name,
        unlock=session.source("centre").new_unlock(new_key_file),
        actor=session.who,
        now=session.now,
        random_bytes=random_bytes,
    )
    found = made.centre.identity
    if as_json:
        print_json({"name": found.name, "id": found.id, "notice": LAB_NOTICE})
    else:
        click.echo(f"made the lab centre {found.name}\nid  {found.id}")
        click.echo(LAB_NOTICE, err=True)


@lab_centre.command()
@_CENTRE
@click.option("--output", type=FILE_PATH, help="A new file, for modules.  [default: print]")
@session_options
def identity(centre: Path, *, output: Path | None, as_json: bool, **options: Any) -> None:
    """Print the centre's identity: what a module needs to trust it, nothing secret.

    \b
    Example:
      sts-keys lab-centre identity lab.centre --output lab.identity --key-file centre.key
    """  # noqa: D301 - click's mark
    found = session_of(options).centre(centre).centre.identity
    content = format_centre(found)
    if output is None:
        click.echo(content, nl=False)
        return
    write_new(output, content)
    if as_json:
        print_json({"name": found.name, "id": found.id, "file": str(output)})
    else:
        click.echo(f"wrote {output}\nid  {found.id}")


@lab_centre.command()
@_CENTRE
@key_options
@session_options
def generate(centre: Path, *, as_json: bool, **options: Any) -> None:
    """Draw a vending key inside the centre; nobody sees it. See `ceremony` for the better way.

    \b
    Example:
      sts-keys lab-centre generate lab.centre --tenant thabaneng --sgc 201458 --key-file centre.key
    """  # noqa: D301 - click's mark
    session = session_of(options)
    vending_key = generate_vending_key(key_bits(options), random_bytes)
    key = registered_key(options, vending_key)
    origin = Origin(event=AuditEvent.GENERATE)
    session.centre(centre).take(key, vending_key, origin=origin, now=session.now)
    if as_json:
        print_json(keys_json([key])[0])
    else:
        print_table(KEY_HEADS, [key_row(key)])


@lab_centre.command()
@_CENTRE
@click.argument("identity", type=FILE_PATH)
@tenant_option
@click.option("--key", "keys", multiple=True, required=True, help="SGC/KRN; may be repeated.")
@click.option("--output", type=FILE_PATH, required=True, help="A new file.")
@click.option(
    "--days",
    type=click.IntRange(1, 3650),
    default=30,
    show_default=True,
    help="How long it can be loaded.",
)
@click.option("--id", "module_id", help="The module's id, as its people say it by another way.")
@session_options
def issue(
    centre: Path,
    identity: Path,
    *,
    tenant: str,
    keys: tuple[str, ...],
    output: Path,
    days: int,
    module_id: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Issue a key load file for one module, by the file of its IDENTITY.

    \b
    Example:
      sts-keys lab-centre issue lab.centre depot.identity --tenant thabaneng \\
          --key 201457/1 --output first.klf --key-file centre.key
    """  # noqa: D301 - click's mark
    session = session_of(options)
    module = parse_identity(read_content(identity))
    if module_id is not None:
        require_module_id(module, module_id)
    if output.exists():
        # Before a serial number is used up.
        raise FileExistsRefusedError(output)
    content = session.centre(centre).issue(
        module,
        [key_name(tenant, each) for each in keys],
        now=session.now,
        expires_at=session.now + timedelta(days=days),
    )
    write_new(output, content)
    file = parse_key_load_file(content)
    found = [wrapped.key for wrapped in file.keys]
    if as_json:
        print_json(
            {
                "file": str(output),
                "serial_number": file.header.serial_number,
                "expires_at": time_text(file.header.expires_at),
                "module": {"name": module.name, "id": module.id},
                "keys": keys_json(found),
            }
        )
        return
    click.echo(f"wrote {output}: file {file.header.serial_number} for {module.name} ({module.id})")
    click.echo(f"to be loaded before {time_text(file.header.expires_at)}")
    print_table(KEY_HEADS, [key_row(key) for key in found])


@lab_centre.command("list")
@_CENTRE
@session_options
def list_centre(centre: Path, *, as_json: bool, **options: Any) -> None:
    """List the centre's keys, the files that it issued, and the modules that it revoked.

    \b
    Example:
      sts-keys lab-centre list lab.centre --key-file centre.key
    """  # noqa: D301 - click's mark
    opened = session_of(options).centre(centre).centre
    if as_json:
        print_json(
            {
                "notice": LAB_NOTICE,
                "keys": [
                    {**body, "revoked_at": optional_time(each.revoked_at) or None}
                    for each, body in zip(
                        opened.keys, keys_json(each.key for each in opened.keys), strict=True
                    )
                ],
                "issued": [
                    {
                        "serial_number": file.serial_number,
                        "module": {"name": file.module_name, "id": file.module_id},
                        "issued_at": time_text(file.issued_at),
                        "expires_at": time_text(file.expires_at),
                        "sha256": file.sha256,
                        "keys": [str(name) for name in file.keys],
                    }
                    for file in opened.issued
                ],
                "revoked_modules": [
                    {"id": each.id, "revoked_at": time_text(each.revoked_at)}
                    for each in opened.revoked_modules
                ],
            }
        )
        return
    rows = [(*key_row(each.key), optional_time(each.revoked_at)) for each in opened.keys]
    print_table((*KEY_HEADS, "revoked"), rows)
    for file in opened.issued:
        click.echo(
            f"file {file.serial_number} for {file.module_name} ({file.module_id}), "
            f"{time_text(file.issued_at)}, keys: {len(file.keys)}"
        )
    for each in opened.revoked_modules:
        click.echo(f"module {each.id} revoked {time_text(each.revoked_at)}")


@lab_centre.command()
@_CENTRE
@click.option("--tenant", help="Whose key is revoked.")
@click.option("--key", help="The key, SGC/KRN.")
@click.option("--module", "module_id", help="The id of a module, instead of a key.")
@session_options
def revoke(
    centre: Path,
    *,
    tenant: str | None,
    key: str | None,
    module_id: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Give a key to nobody any more, or a module no keys any more.

    What a module has it keeps: bring its meters to another key, and make another module.

    \b
    Examples:
      sts-keys lab-centre revoke lab.centre --tenant thabaneng --key 201457/1 --key-file centre.key
      sts-keys lab-centre revoke lab.centre \\
          --module 260a33c3d6b8261ceec7eceb826e82eb --key-file centre.key
    """  # noqa: D301 - click's mark
    session = session_of(options)
    opened = session.centre(centre)
    if key is not None and tenant is not None and module_id is None:
        opened.revoke_key(key_name(tenant, key), now=session.now)
        what = f"the key {key} of {tenant}"
    elif module_id is not None and key is None and tenant is None:
        opened.revoke_module(module_id, now=session.now)
        what = f"the module {module_id}"
    else:
        message = "give --tenant and --key, or --module"
        raise click.UsageError(message)
    if as_json:
        print_json({"revoked": what})
    else:
        click.echo(f"revoked {what}")
