"""Parts made by the workers of a Dask cluster, which open the module themselves.

What is sent to a worker names the module and the file that opens it, by the paths that they have
there, and says which part to make; no key and no passphrase is in it. The folder of the input and
that of the output are shared by all. A worker that is lost loses nothing: Dask gives its parts to
another one, and a part has its name only once it is whole.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from keys.bulk.errors import ClusterError
from keys.bulk.part import PartFailure, PartTask, attempt_part, required
from keys.bulk.workspace import PartRecord
from keys.bulk_access import BulkAccess
from keys.files import read_key_file
from keys.open import ModuleOptions, open_driver
from sts import SAMPLE_TABLES, load_sta_tables

CONNECT_SECONDS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerModule:
    """How a worker opens the module, by the paths that it has there.

    Attributes:
        name: ``software:PATH``.
        key_file: The key file of the vault.
        tables: The file of licensed tables; None for the SAMPLE set.
        lab_mode: Whether it is a lab module.
    """

    name: str
    key_file: Path
    tables: Path | None
    lab_mode: bool


class DaskWorkers:
    """Makes parts on a cluster."""

    def __init__(self, address: str, module: WorkerModule) -> None:
        """Name the scheduler, for example ``tcp://10.0.0.5:8786``."""
        self._address = address
        self._module = module

    def make(self, tasks: Iterable[PartTask]) -> Iterator[PartRecord]:
        """Yield the record of each part as soon as it is done.

        Raises:
            ClusterError: There is no cluster, or it has lost too many workers.
            KeysError, StsError: What a worker refuses.
        """
        try:
            from distributed import (  # noqa: PLC0415 - an extra, imported on use
                Client,
                KilledWorker,
                as_completed,
            )
        except ImportError:
            message = 'Dask is not installed: pip install "sts-vending[cluster]"'
            raise ClusterError(message) from None
        try:
            with Client(  # type: ignore[no-untyped-call]  # Dask has no types here
                self._address, timeout=CONNECT_SECONDS, set_as_default=False
            ) as client:
                futures = [client.submit(_make, task, self._module, pure=False) for task in tasks]
                for future in as_completed(futures, loop=client.loop):  # type: ignore[no-untyped-call]  # Dask has no types here
                    yield required(future.result())
        except (OSError, KilledWorker) as error:
            message = f"the cluster at {self._address} failed: {type(error).__name__}"
            raise ClusterError(message) from error


@cache
def _opened(module: WorkerModule) -> BulkAccess:
    """Open the module once in each worker; who asked for the use is written down by the caller."""
    options = ModuleOptions(
        lab_mode=module.lab_mode,
        unlock=read_key_file(module.key_file),
        sta_tables=SAMPLE_TABLES if module.tables is None else load_sta_tables(module.tables),
    )
    return open_driver(module.name, options).bulk_access()


def _make(task: PartTask, module: WorkerModule) -> PartRecord | PartFailure:
    return attempt_part(task, _opened(module))
