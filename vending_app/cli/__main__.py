"""`python -m vending_app.cli` is `sts-vend`."""

from vending_app.cli import main

if __name__ == "__main__":
    main(prog_name="sts-vend")
