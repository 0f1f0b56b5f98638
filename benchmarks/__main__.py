"""``python -m benchmarks [NAME …]``: run all benchmarks, or those named."""

import sys
from collections.abc import Callable
from typing import Final

from benchmarks import bench_vend, core, digit_flip, import_time, keys, meter


def _pkcs11() -> None:
    from benchmarks import keys_pkcs11  # noqa: PLC0415 - the driver may be missing

    keys_pkcs11.run()


_BENCHMARKS: Final[dict[str, Callable[[], None]]] = {
    "import": import_time.run,
    "core": core.run,
    "flip": digit_flip.run,
    "keys": keys.run,
    "pkcs11": _pkcs11,
    "meter": meter.run,
    "vend": bench_vend.run,
}


def main(names: list[str]) -> None:
    """Run the benchmarks named, or all."""
    unknown = [name for name in names if name not in _BENCHMARKS]
    if unknown:
        raise SystemExit(f"no benchmark {', '.join(unknown)}; there are {', '.join(_BENCHMARKS)}")
    for name in names or _BENCHMARKS:
        _BENCHMARKS[name]()


main(sys.argv[1:])
