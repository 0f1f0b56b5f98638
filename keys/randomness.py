"""Random bytes are an argument, so that a test can fix them and an HSM can supply them."""

from collections.abc import Callable
from typing import TypeAlias

RandomBytes: TypeAlias = Callable[[int], bytes]
"""Returns so many unpredictable bytes; ``secrets.token_bytes`` is one."""
