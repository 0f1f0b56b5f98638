"""A column of decoder keys that does not show them."""

from typing import Final, NoReturn, final

import numpy as np
from numpy.typing import NDArray

from sts.batch.arrays import status_column
from sts.batch.status import StatusColumn
from sts.errors import ArrayShapeError, ArrayTypeError

_KEY_BYTES: Final = (8, 16)


@final
class DecoderKeys:
    """The decoder keys of many meters, all of one length.

    ``keys[start:stop]`` is the same for some of the rows, without a copy. As with one key
    (``sts.DecoderKey``), the only way to the bytes is ``expose()``.

    Attributes:
        status: Of each row; where it is not ``OK`` there is no key, and nothing can be made or
            read with the row.

    Args:
        key_bytes: ``uint8`` of the shape (rows, 8) or (rows, 16), most significant byte first.
        status: Of each row; none means that all are there.

    Raises:
        ArrayTypeError: Not ``uint8``.
        ArrayShapeError: Neither 8 nor 16 bytes a row.
    """

    __slots__ = ("_bytes", "status")

    def __init__(self, key_bytes: NDArray[np.uint8], status: StatusColumn | None = None) -> None:
        """Wrap the keys."""
        if not isinstance(key_bytes, np.ndarray) or key_bytes.dtype != np.uint8:
            found = getattr(key_bytes, "dtype", type(key_bytes).__name__)
            raise ArrayTypeError("decoder keys", wanted="uint8", found=found)
        if key_bytes.ndim != 2 or key_bytes.shape[1] not in _KEY_BYTES:  # noqa: PLR2004 - a matrix
            wanted = "(rows, 8) or (rows, 16)"
            raise ArrayShapeError("decoder keys", wanted=wanted, found=key_bytes.shape)
        self._bytes = np.ascontiguousarray(key_bytes)
        self.status = status_column(status, len(key_bytes))

    @property
    def bits(self) -> int:
        """Length of each key in bits."""
        return int(self._bytes.shape[1]) * 8

    def expose(self) -> NDArray[np.uint8]:
        """Return the key bytes, of the shape (rows, 8) or (rows, 16). The only way to them."""
        return self._bytes

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._bytes)

    def __getitem__(self, rows: slice) -> "DecoderKeys":
        """Return some of the rows."""
        return DecoderKeys(self._bytes[rows], self.status[rows])

    def __repr__(self) -> str:
        """Show number and length, never the bytes."""
        return f"<DecoderKeys {len(self)} × {self.bits} bits>"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled, which would write the bytes somewhere unseen."""
        message = "DecoderKeys cannot be pickled"
        raise TypeError(message)
