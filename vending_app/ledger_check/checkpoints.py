"""Sealed checkpoints: those kept beside the books, and those kept elsewhere."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from vending_app.ledger_check.canonical import canonical_text, moment_text
from vending_app.ledger_check.database import Tenant
from vending_app.ledger_check.findings import Finding

_LABEL: Final = b"sts-vending checkpoint, version 1\0"
_SECONDS: Final = ".000000Z"
_OF_LEDGERS: Final = "ledger/"


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberedHead:
    """A head that a checkpoint says a chain has had.

    Attributes:
        chain: The name of the chain.
        length: How many entries it had.
        head: The hash of the last of them.
    """

    chain: str
    length: int
    head: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAuditLog:
    """What a key audit log says.

    Attributes:
        chain: The name of its chain.
        hashes: The hash of each entry by its number.
        heads: What it remembers of other chains.
    """

    chain: str
    hashes: Mapping[int, str]
    heads: tuple[RememberedHead, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A checkpoint as it was read.

    Attributes:
        head: What it says.
        sealed_at: When it was sealed, as it says.
        seal: The seal, hexadecimal.
    """

    head: RememberedHead
    sealed_at: str
    seal: str

    def is_sealed_by(self, public_key: bytes) -> bool:
        """Tell whether the private half of an Ed25519 key sealed it."""
        body = {
            "chain": self.head.chain,
            "length": self.head.length,
            "head": self.head.head,
            "sealed_at": self.sealed_at,
        }
        try:
            key = Ed25519PublicKey.from_public_bytes(public_key)
            key.verify(bytes.fromhex(self.seal), _LABEL + canonical_text(body).encode("ascii"))
        except (InvalidSignature, ValueError):
            return False
        return True


def read_checkpoint(content: str | bytes) -> Checkpoint | None:
    """Return the checkpoint that a file or a row holds, or None if it holds none."""
    try:
        value: Any = json.loads(content)
        if value["format"] != "sts-vending checkpoint" or value["seal"]["algorithm"] != "ed25519":
            return None
        return Checkpoint(
            head=RememberedHead(
                chain=str(value["chain"]), length=int(value["length"]), head=str(value["head"])
            ),
            sealed_at=str(value["sealed_at"]),
            seal=str(value["seal"]["value"]),
        )
    except (ValueError, TypeError, KeyError):
        return None


def witnessed(content: bytes) -> KeyAuditLog:
    """Return what a key audit log says of itself and of other chains.

    Lines that are no entries are passed over; whether the log is right its own checker says.
    """
    chain, hashes, heads = "", dict[int, str](), list[RememberedHead]()
    for line in content.split(b"\n"):
        try:
            entry: Any = json.loads(line)
            record = entry["record"]
            hashes[int(entry["sequence"])] = str(entry["hash"])
            chain = str(record.get("chain") or chain)
            if record["event"] == "witness":
                kept = record["checkpoint"]
                heads.append(
                    RememberedHead(
                        chain=str(kept["chain"]), length=int(kept["length"]), head=str(kept["head"])
                    )
                )
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
    return KeyAuditLog(chain=chain, hashes=hashes, heads=tuple(heads))


def kept_heads(
    tenant: Tenant,
    *,
    public_key: bytes | None,
    module_keys: Sequence[bytes],
    logs: Mapping[str, Mapping[int, str]],
    heads: list[RememberedHead],
) -> Iterator[Finding]:
    """Look at the checkpoints beside the books.

    Args:
        tenant: Whose.
        public_key: The installation's, which seals the books; None if it is not at hand.
        module_keys: Those of security modules, which seal their logs; none if not at hand.
        logs: Name of a key audit chain to its hashes by number.
        heads: Where the heads of all that are right are added.
    """
    for row in tenant.rows(
        "SELECT chain, length, document, sealed_at FROM ledger_checkpoints "
        "WHERE tenant = :tenant ORDER BY chain, length"
    ):
        key = f"{row['chain']}/{row['length']}"
        checkpoint = read_checkpoint(str(row["document"]))
        if checkpoint is None:
            yield tenant.finding("ledger_checkpoints", key, "its document is no checkpoint")
            continue
        head = checkpoint.head
        said = (head.chain, head.length, checkpoint.sealed_at.removesuffix("Z") + _SECONDS)
        if said != (row["chain"], row["length"], moment_text(row["sealed_at"])):
            yield tenant.finding("ledger_checkpoints", key, "it is not what its document says")
        of_ledger = head.chain.startswith(_OF_LEDGERS)
        keys = module_keys if not of_ledger else () if public_key is None else (public_key,)
        if keys and not any(map(checkpoint.is_sealed_by, keys)):
            whose = "the installation's" if of_ledger else "that of a module we know"
            yield tenant.finding("ledger_checkpoints", key, f"its seal is not {whose}")
            continue
        heads.append(head)
        log = logs.get(head.chain)
        if log is not None and log.get(head.length) != head.head:
            yield tenant.finding(
                "ledger_checkpoints", key, "the key audit log is not the one that it remembers"
            )


def of_chain(heads: Iterable[RememberedHead], chain: str) -> dict[int, set[str]]:
    """Return the remembered hashes of one chain by number; contradictions are all kept."""
    remembered: dict[int, set[str]] = {}
    for head in heads:
        if head.chain == chain:
            remembered.setdefault(head.length, set()).add(head.head)
    return remembered
