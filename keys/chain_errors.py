"""How a chain or a checkpoint of it can turn out to be wrong.

ChainError                             CHAIN
├── ChainBrokenError                   CHAIN_BROKEN
│   ├── ChainEntryAlteredError         CHAIN_ENTRY_ALTERED
│   ├── ChainEntryRemovedError         CHAIN_ENTRY_REMOVED
│   ├── ChainEntryMovedError           CHAIN_ENTRY_MOVED
│   ├── ChainEntryReplacedError        CHAIN_ENTRY_REPLACED
│   ├── ChainTruncatedError            CHAIN_TRUNCATED
│   └── ChainRewrittenError            CHAIN_REWRITTEN
└── CheckpointError                    CHECKPOINT
    ├── CheckpointFormatError          CHECKPOINT_FORMAT
    ├── AnotherChainsCheckpointError   CHECKPOINT_OF_ANOTHER_CHAIN
    └── SealMismatchError              SEAL_MISMATCH
"""

from keys.errors import KeysError


class ChainError(KeysError):
    """A chain or a checkpoint cannot be trusted."""

    code = "CHAIN"


class ChainBrokenError(ChainError):
    """A chain is not as it was written.

    Attributes:
        sequence: The first entry that shows it.
    """

    code = "CHAIN_BROKEN"
    hint = "keep the file as evidence, find out who changed it, compare it with a backup"

    def __init__(self, message: str, *, sequence: int) -> None:
        """Keep the number of the entry beside the message."""
        super().__init__(message)
        self.sequence = sequence


class ChainEntryAlteredError(ChainBrokenError):
    """The content of an entry does not have the hash that stands in it."""

    code = "CHAIN_ENTRY_ALTERED"

    def __init__(self, sequence: int) -> None:
        """Name the entry."""
        super().__init__(f"entry {sequence} was altered", sequence=sequence)


class ChainEntryRemovedError(ChainBrokenError):
    """Entries are missing before the end."""

    code = "CHAIN_ENTRY_REMOVED"

    def __init__(self, sequence: int, *, last: int) -> None:
        """Name the first and last entry that are missing."""
        missing = (
            f"entry {sequence} is" if last == sequence else f"entries {sequence} to {last} are"
        )
        super().__init__(f"{missing} missing", sequence=sequence)
        self.last = last


class ChainEntryMovedError(ChainBrokenError):
    """An entry stands in another place than its number says."""

    code = "CHAIN_ENTRY_MOVED"

    def __init__(self, sequence: int, *, found: int) -> None:
        """Name the place and the entry found there."""
        super().__init__(f"entry {found} stands in the place of {sequence}", sequence=sequence)
        self.found = found


class ChainEntryReplacedError(ChainBrokenError):
    """An entry is whole, but does not continue the one before it."""

    code = "CHAIN_ENTRY_REPLACED"

    def __init__(self, sequence: int) -> None:
        """Name the entry."""
        super().__init__(
            f"entry {sequence} does not continue entry {sequence - 1}: one of them was replaced",
            sequence=sequence,
        )


class ChainTruncatedError(ChainBrokenError):
    """The chain ends before a checkpoint that was taken of it."""

    code = "CHAIN_TRUNCATED"

    def __init__(self, length: int, *, checkpoint: int) -> None:
        """Say where the chain ends and how long it has been."""
        super().__init__(
            f"the chain ends with entry {length}, but has had {checkpoint}: entries were cut off, "
            "or an old copy was put in its place",
            sequence=length + 1,
        )


class ChainRewrittenError(ChainBrokenError):
    """The chain is whole, but not the one that a checkpoint was taken of."""

    code = "CHAIN_REWRITTEN"

    def __init__(self, sequence: int) -> None:
        """Name the entry whose hash the checkpoint remembers."""
        super().__init__(
            f"entry {sequence} is not that of the checkpoint: it or one before it was replaced",
            sequence=sequence,
        )


class CheckpointError(ChainError):
    """A checkpoint that proves nothing about this chain."""

    code = "CHECKPOINT"


class CheckpointFormatError(CheckpointError):
    """Not a checkpoint, or one of a version that this program does not know."""

    code = "CHECKPOINT_FORMAT"
    hint = "give a file that `audit checkpoint` wrote"


class AnotherChainsCheckpointError(CheckpointError):
    """The checkpoint was taken of another chain."""

    code = "CHECKPOINT_OF_ANOTHER_CHAIN"
    hint = "take the checkpoints of this very log"

    def __init__(self, chain: str, *, found: str) -> None:
        """Name both chains."""
        super().__init__(f"the checkpoint is of the chain {found!r}, not of {chain!r}")


class SealMismatchError(CheckpointError):
    """A seal was not made by this key, or not over this."""

    code = "SEAL_MISMATCH"
    hint = "check whose checkpoint or entry it is; if it is this log's own, keep it as evidence"

    def __init__(self, what: str) -> None:
        """Say what the seal stands on."""
        super().__init__(f"the seal of {what} was not made by this key, or {what} was altered")
