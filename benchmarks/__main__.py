"""``python -m benchmarks [NAME …]``: run all benchmarks but the longest, or those named."""

import sys
from collections.abc import Callable
from typing import Final

from benchmarks import (
    batch,
    batch_agreement,
    bench_vend,
    bulk,
    core,
    digit_flip,
    import_time,
    keys,
    meter,
)


def _pkcs11() -> None:
    from benchmarks import keys_pkcs11  # noqa: PLC0415 - the driver may be missing

    keys_pkcs11.run()


_BENCHMARKS: Final[dict[str, Callable[[], None]]] = {
    "import": import_time.run,
    "core": core.run,
    "batch": batch.run,
    "bulk": bulk.run,
    "flip": digit_flip.run,
    "keys": keys.run,
    "pkcs11": _pkcs11,
    "meter": meter.run,
    "vend": bench_vend.run,
}
_ONLY_BY_NAME: Final[dict[str, Callable[[], None]]] = {"agreement": batch_agreement.run}
"""What takes minutes."""


def main(names: list[str]) -> None:
    """Run the benchmarks named, or all that do not take minutes."""
    known = {**_BENCHMARKS, **_ONLY_BY_NAME}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SystemExit(f"no benchmark {', '.join(unknown)}; there are {', '.join(known)}")
    for name in names or _BENCHMARKS:
        known[name]()


main(sys.argv[1:])
