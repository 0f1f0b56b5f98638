"""`python -m vending_app.cli` is `sts-vend`."""

from vending_app.cli import main

main(prog_name="sts-vend")
