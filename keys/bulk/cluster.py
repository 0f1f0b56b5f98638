"""Parts made by the workers of a Dask cluster, which open the module themselves.

What is sent to a worker names the module and the file that opens it, by the paths that they have
there, and says which part to make; no key and no passphrase is in it. The folder of the input and
that of the output are shared by all. A worker that is lost loses nothing: Dask gives its parts to
another one, and a part has its name only once it is whole.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Protocol

from keys.bulk.errors import ClusterError
from keys.bulk.part import PartFailure, PartTask, attempt_part, required
from keys.bulk.workspace import PartRecord
from keys.bulk_access import BulkAccess
from keys.files import read_key_file
from keys.open import ModuleOptions, open_driver
from sts import SAMPLE_TABLES, load_sta_tables

CONNECT_SECONDS: Final = 10
ALONE_SECONDS: Final = 60
"""So long a cluster may be without any worker."""
_LOOK_SECONDS: Final = 1
_POLL_SECONDS: Final = 0.02


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


class _Future(Protocol):
    """What is used of a future of Dask, which has no types."""

    status: str

    def result(self) -> PartRecord | PartFailure: ...
    def exception(self) -> BaseException: ...


class _Completed(Protocol):
    """What is used of ``as_completed``."""

    def is_empty(self) -> bool: ...
    def next_batch(self, *, block: bool) -> list[_Future]: ...


class _Client(Protocol):
    """What is used of a client."""

    def nthreads(self) -> dict[str, int]: ...


class DaskWorkers:
    """Makes parts on a cluster."""

    def __init__(self, address: str, module: WorkerModule) -> None:
        """Name the scheduler, for example ``tcp://10.0.0.5:8786``."""
        self._address = address
        self._module = module

    def make(self, tasks: Iterable[PartTask]) -> Iterator[PartRecord]:
        """Yield the record of each part as soon as it is done.

        Raises:
            ClusterError: There is no cluster, it has no worker, or it has lost too many.
            KeysError, StsError: What a worker refuses.
        """
        try:
            from distributed import Client, as_completed  # noqa: PLC0415 - an extra
        except ImportError:
            message = 'Dask is not installed: pip install "sts-vending[cluster]"'
            raise ClusterError(message) from None
        self._require_scheduler()
        try:
            with Client(  # type: ignore[no-untyped-call]  # Dask has no types here
                self._address, timeout=CONNECT_SECONDS, set_as_default=False
            ) as client:
                client.wait_for_workers(1, timeout=CONNECT_SECONDS)
                futures = [client.submit(_make, task, self._module, pure=False) for task in tasks]
                completed = as_completed(futures, loop=client.loop)  # type: ignore[no-untyped-call]  # as above
                for future in self._ready(client, completed):
                    yield required(self._outcome(future))
        except OSError as error:
            message = f"the cluster at {self._address} failed: {_said(error)}"
            raise ClusterError(message) from error

    def _require_scheduler(self) -> None:
        """Greet the scheduler: a client that finds none leaves threads behind that hang."""
        from distributed.comm.core import connect  # noqa: PLC0415 - an extra

        async def greet() -> None:
            comm = await connect(self._address, timeout=CONNECT_SECONDS)  # type: ignore[no-untyped-call]  # as above
            await comm.close()

        try:
            asyncio.run(asyncio.wait_for(greet(), CONNECT_SECONDS))
        except (OSError, ValueError, MemoryError) as error:
            # What is no scheduler may say anything, which is read as the size of a message.
            message = f"there is no scheduler at {self._address}: {_said(error)}"
            raise ClusterError(message) from error

    def _ready(self, client: _Client, completed: _Completed) -> Iterator[_Future]:
        """Yield futures that are done, and do not wait for ever for workers to come back."""
        seen = looked = time.monotonic()
        while not completed.is_empty():
            batch = completed.next_batch(block=False)
            yield from batch
            now = time.monotonic()
            if batch:
                seen = now
            elif now - looked > _LOOK_SECONDS:
                looked = now
                seen = now if client.nthreads() else seen
                if now - seen > ALONE_SECONDS:
                    message = f"the cluster at {self._address} has no worker any more"
                    raise ClusterError(message)
            else:
                time.sleep(_POLL_SECONDS)

    def _outcome(self, future: _Future) -> PartRecord | PartFailure:
        if future.status == "finished":
            return future.result()
        # "cancelled" and "lost" are what becomes of all of them when the scheduler goes away.
        what = (
            repr(future.exception()) if future.status == "error" else f"a part is {future.status}"
        )
        message = f"the cluster at {self._address} failed: {what}"
        raise ClusterError(message)


def _said(error: BaseException) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


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
    return attempt_part(task, lambda: _opened(module))
