import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import pytest
from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa
from hypothesis import given
from hypothesis import strategies as st

from keys.canonical_json import CanonicalJsonError, JsonObject
from keys.chain_errors import (
    AnotherChainsCheckpointError,
    ChainBrokenError,
    ChainEntryAlteredError,
    ChainEntryMovedError,
    ChainEntryRemovedError,
    ChainEntryReplacedError,
    ChainError,
    ChainRewrittenError,
    ChainTruncatedError,
    CheckpointFormatError,
    SealMismatchError,
)
from keys.chain_seal import (
    Ed25519SealKey,
    Ed25519SealVerifier,
    HmacSealKey,
    SealKey,
    format_checkpoint,
    parse_checkpoint,
    require_entry_seal,
    require_seal,
    seal_entry,
    seal_head,
)
from keys.hash_chain import Checkpoint, Entry, Head, link, require_unaltered, verified, verify
from keys.secret import Secret
from sts.errors import NaiveDatetimeError
from tests.keys.custody import NOW, records

CHAIN: Final = "test"
SHARED: Final = HmacSealKey(Secret(bytes(range(32))))
SIGNING: Final = Ed25519SealKey(Secret(bytes(range(32, 64))))
chains: Final = st.lists(records, min_size=1, max_size=5)


def _chain(*contents: JsonObject, chain: str = CHAIN) -> list[Entry]:
    head, entries = Head.start(chain), list[Entry]()
    for content in contents:
        entries.append(link(head, content))
        head = entries[-1].head
    return entries


def _ten() -> list[Entry]:
    return _chain(*({"number": number} for number in range(1, 11)))


def _checkpoint(entries: list[Entry], chain: str = CHAIN) -> Checkpoint:
    return seal_head(entries[-1].head if entries else Head.start(chain), chain, key=SHARED, now=NOW)


# --- the chain --------------------------------------------------------------------------------


def test_the_hashes_are_those_of_the_definition() -> None:
    def digest(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    name = digest('{"chain":"test"}')
    first = digest(f'{{"previous":"{name}","record":{{"b":1,"\\u03a9":null}},"sequence":1}}')
    second = digest(f'{{"previous":"{first}","record":{{}},"sequence":2}}')
    entries = _chain({"Ω": None, "b": 1}, {})
    assert Head.start("test").hash.hex() == name
    assert [entry.hash.hex() for entry in entries] == [first, second]


@given(chains)
def test_a_chain_as_it_was_linked_is_right(contents: list[JsonObject]) -> None:
    entries = _chain(*contents)
    assert verify(entries, CHAIN) == Head(length=len(entries), hash=entries[-1].hash)
    assert list(verified(iter(entries), CHAIN)) == entries


def test_a_chain_without_entries_is_right() -> None:
    assert verify([], CHAIN) == Head.start(CHAIN)


def test_a_record_without_canonical_form_is_not_linked() -> None:
    with pytest.raises(CanonicalJsonError):
        link(Head.start(CHAIN), {"amount": 0.1})  # type: ignore[dict-item]  # the point


@given(chains, st.data())
def test_an_altered_record_is_named(contents: list[JsonObject], data: st.DataObject) -> None:
    entries = _chain(*contents)
    place = data.draw(st.integers(min_value=0, max_value=len(entries) - 1))
    other = data.draw(records.filter(lambda record: record != contents[place]))
    entries[place] = replace(entries[place], record=other)
    with pytest.raises(ChainEntryAlteredError) as refused:
        verify(entries, CHAIN)
    assert refused.value.sequence == place + 1


@pytest.mark.parametrize(
    "change",
    [
        {"sequence": 5},
        {"previous": bytes(32)},
        {"hash": bytes(32)},
        {"record": {"number": True}},
    ],
    ids=["sequence", "previous", "hash", "record"],
)
def test_every_field_of_an_entry_counts(change: dict[str, object]) -> None:
    entries = _ten()
    entries[3] = replace(entries[3], **change)  # type: ignore[arg-type]  # each of its type
    with pytest.raises(ChainEntryAlteredError, match="entry 4 was altered"):
        verify(entries, CHAIN)
    with pytest.raises(ChainEntryAlteredError):
        require_unaltered(entries[3])


def _removed(entries: list[Entry]) -> None:
    del entries[3]


def _two_removed(entries: list[Entry]) -> None:
    del entries[3:5]


def _first_removed(entries: list[Entry]) -> None:
    del entries[0]


def _swapped(entries: list[Entry]) -> None:
    entries[3], entries[4] = entries[4], entries[3]


def _repeated(entries: list[Entry]) -> None:
    entries.insert(4, entries[3])


def _moved_to_the_end(entries: list[Entry]) -> None:
    entries.append(entries.pop(3))


def _replaced(entries: list[Entry]) -> None:
    entries[3] = link(entries[2].head, {"number": "another"})


def _replaced_and_the_next_as_well(entries: list[Entry]) -> None:
    entries[3] = link(entries[2].head, {"number": "another"})
    entries[4] = link(entries[3].head, {"number": 5})


Change = Callable[[list[Entry]], None]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (_removed, ChainEntryRemovedError, "entry 4 is missing"),
        (_two_removed, ChainEntryRemovedError, "entries 4 to 5 are missing"),
        (_first_removed, ChainEntryRemovedError, "entry 1 is missing"),
        (_swapped, ChainEntryMovedError, "entry 5 stands in the place of 4"),
        (_repeated, ChainEntryMovedError, "entry 4 stands in the place of 5"),
        (_moved_to_the_end, ChainEntryMovedError, "entry 5 stands in the place of 4"),
        (_replaced, ChainEntryReplacedError, "entry 5 does not continue entry 4"),
        (_replaced_and_the_next_as_well, ChainEntryReplacedError, "entry 6 does not continue"),
    ],
)
def test_what_happened_to_which_entry_is_named(
    change: Change, error: type[ChainError], message: str
) -> None:
    entries = _ten()
    change(entries)
    with pytest.raises(error, match=message):
        verify(entries, CHAIN)


def test_entries_before_the_wrong_one_are_still_yielded() -> None:
    entries = _ten()
    _swapped(entries)
    passing = verified(entries, CHAIN)
    assert [next(passing).sequence for _ in range(3)] == [1, 2, 3]
    with pytest.raises(ChainEntryMovedError):
        next(passing)


def test_another_chain_with_the_same_records_is_another_chain() -> None:
    with pytest.raises(ChainEntryReplacedError):
        verify(_chain({}, {}, chain="other"), CHAIN)


# --- checkpoints ------------------------------------------------------------------------------


@given(chains, st.data())
def test_a_chain_that_grew_agrees_with_all_its_checkpoints(
    contents: list[JsonObject], data: st.DataObject
) -> None:
    entries = _chain(*contents)
    lengths = data.draw(st.sets(st.integers(min_value=0, max_value=len(entries))))
    since = [_checkpoint(entries[:length]) for length in lengths]
    assert verify(entries, CHAIN, since=since) == entries[-1].head


@pytest.mark.parametrize("kept", range(7))
def test_a_checkpoint_finds_a_chain_that_was_cut_off(kept: int) -> None:
    entries = _ten()
    since = [_checkpoint(entries[:3]), _checkpoint(entries[:7])]
    error = ChainTruncatedError
    with pytest.raises(error, match=f"ends with entry {kept}, but has had 7"):
        verify(entries[:kept], CHAIN, since=since)


def test_what_was_cut_off_behind_the_last_checkpoint_is_not_found() -> None:
    entries = _ten()
    assert verify(entries[:7], CHAIN, since=[_checkpoint(entries[:7])]).length == 7


def test_a_checkpoint_finds_a_chain_that_was_written_anew() -> None:
    entries = _ten()
    forged = _chain(*({"number": number or "forged"} for number in range(10)))
    assert verify(forged, CHAIN).length == 10
    with pytest.raises(ChainRewrittenError, match="entry 7 is not that of the checkpoint"):
        verify(forged, CHAIN, since=[_checkpoint(entries[:7])])


def test_two_checkpoints_that_contradict_each_other_cannot_both_be_met() -> None:
    entries, others = _ten(), _chain(*({"other": number} for number in range(10)))
    with pytest.raises(ChainRewrittenError):
        verify(entries, CHAIN, since=[_checkpoint(entries[:4]), _checkpoint(others[:4])])


def test_a_checkpoint_of_an_empty_chain_remembers_its_name() -> None:
    entries = _ten()
    empty = seal_head(Head(length=0, hash=bytes(32)), CHAIN, key=SHARED, now=NOW)
    assert verify(entries, CHAIN, since=[_checkpoint([])]).length == 10
    with pytest.raises(ChainRewrittenError):
        verify(entries, CHAIN, since=[empty])


def test_a_checkpoint_of_another_chain_proves_nothing() -> None:
    entries = _ten()
    with pytest.raises(AnotherChainsCheckpointError, match="'other', not of 'test'"):
        verify(entries, CHAIN, since=[_checkpoint(entries, chain="other")])


@given(chains, st.data())
def test_a_chain_may_be_checked_from_where_it_was_checked_before(
    contents: list[JsonObject], data: st.DataObject
) -> None:
    entries = _chain(*contents)
    known = data.draw(st.integers(min_value=1, max_value=len(entries)))
    after, since = entries[known - 1].head, [_checkpoint(entries), _checkpoint(entries[:1])]
    assert verify(entries[known:], CHAIN, since=since, after=after) == entries[-1].head
    with pytest.raises((ChainEntryMovedError, ChainEntryReplacedError, ChainEntryRemovedError)):
        verify(entries[known - 1 :], CHAIN, after=after)
    with pytest.raises(ChainTruncatedError):
        verify([], CHAIN, since=[_checkpoint(_ten())], after=after)


# --- seals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [SHARED, SIGNING], ids=["shared", "signing"])
def test_a_sealed_head_is_that_of_its_key(key: SealKey) -> None:
    checkpoint = seal_head(Head(length=3, hash=bytes(32)), CHAIN, key=key, now=NOW)
    require_seal(checkpoint, [SHARED, SIGNING])
    assert parse_checkpoint(format_checkpoint(checkpoint)) == checkpoint
    others: list[SealKey] = [
        HmacSealKey(Secret(bytes(32))),
        Ed25519SealKey(Secret(bytes(32))),
    ]
    with pytest.raises(SealMismatchError):
        require_seal(checkpoint, others)
    with pytest.raises(SealMismatchError):
        require_seal(checkpoint, [])


def test_the_public_half_of_a_signing_key_is_enough_to_check() -> None:
    checkpoint = _checkpoint(_ten())
    signed = seal_head(checkpoint.head, CHAIN, key=SIGNING, now=NOW)
    require_seal(signed, [Ed25519SealVerifier(SIGNING.public_key)])


def test_seals_are_those_of_the_definition() -> None:
    """Another implementation makes the same seals from the words of the definition."""
    body = (
        b'{"chain":"test","head":"'
        + b"00" * 32
        + b'","length":3,"sealed_at":"2026-03-02T08:15:00Z"}'
    )
    message = b"sts-vending checkpoint, version 1\0" + body
    head = Head(length=3, hash=bytes(32))
    shared = seal_head(head, CHAIN, key=SHARED, now=NOW).seal
    assert shared.value == hmac.digest(bytes(range(32)), message, "sha256")
    signed = seal_head(head, CHAIN, key=SIGNING, now=NOW).seal
    ours = ECC.construct(curve="Ed25519", seed=bytes(range(32, 64)))
    assert signed.value == eddsa.new(ours, "rfc8032").sign(message)
    entry = b'sts-vending chain entry, version 1\0{"chain":"test","head":"' + b"00" * 32
    expected = hmac.digest(bytes(range(32)), entry + b'","length":3}', "sha256")
    assert seal_entry(head, CHAIN, key=SHARED) == expected


@pytest.mark.parametrize(
    "change",
    [
        {"chain": "other"},
        {"head": Head(length=4, hash=bytes(32))},
        {"head": Head(length=3, hash=bytes(31) + b"\1")},
        {"sealed_at": NOW + timedelta(seconds=1)},
    ],
)
@pytest.mark.parametrize("key", [SHARED, SIGNING], ids=["shared", "signing"])
def test_a_seal_covers_all_of_a_checkpoint(key: SealKey, change: dict[str, object]) -> None:
    checkpoint = seal_head(Head(length=3, hash=bytes(32)), CHAIN, key=key, now=NOW)
    with pytest.raises(SealMismatchError):
        require_seal(replace(checkpoint, **change), [key])  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize("key", [SHARED, SIGNING], ids=["shared", "signing"])
def test_a_seal_of_an_entry_is_of_this_chain_and_this_length(key: SealKey) -> None:
    head = Head(length=3, hash=bytes(32))
    seal = seal_entry(head, CHAIN, key=key)
    require_entry_seal(head, CHAIN, seal=seal, key=key)
    for other, chain in ((Head(length=4, hash=bytes(32)), CHAIN), (head, "other")):
        with pytest.raises(SealMismatchError):
            require_entry_seal(other, chain, seal=seal, key=key)
    with pytest.raises(SealMismatchError, match="the seal of entry 3"):
        require_entry_seal(head, CHAIN, seal=b"", key=key)


def test_the_seal_of_an_entry_is_no_checkpoint() -> None:
    head = Head(length=3, hash=bytes(32))
    checkpoint = seal_head(head, CHAIN, key=SHARED, now=NOW)
    forged = replace(checkpoint.seal, value=seal_entry(head, CHAIN, key=SHARED))
    with pytest.raises(SealMismatchError):
        require_seal(replace(checkpoint, seal=forged), [SHARED])


def test_a_time_without_a_zone_seals_nothing() -> None:
    with pytest.raises(NaiveDatetimeError):
        seal_head(Head.start(CHAIN), CHAIN, key=SHARED, now=datetime(2026, 1, 1))  # noqa: DTZ001 - the point


def test_a_shared_key_is_not_short() -> None:
    with pytest.raises(ValueError, match="at least 32 bytes"):
        HmacSealKey(Secret(bytes(31)))


def test_keys_show_nothing_of_themselves() -> None:
    for key in (SHARED, SIGNING):
        assert "000102" not in repr(key) + key.key_id
        assert "202122" not in repr(key) + key.key_id


Edit = Callable[[dict[str, object]], object]


@pytest.mark.parametrize(
    "edit",
    [
        lambda body: body.clear(),
        lambda body: body.update(format="other"),
        lambda body: body.update(version=2),
        lambda body: body.update(length=-1),
        lambda body: body.update(head="00"),
        lambda body: body.update(seal={}),
        lambda body: body.update(seal={"algorithm": "crc", "key_id": "0", "value": "00"}),
        lambda body: body.update(seal={"algorithm": "ed25519", "key_id": "0", "value": "00"}),
        lambda body: body.update(extra=1),
    ],
)
def test_anything_else_is_no_checkpoint(edit: Edit) -> None:
    body = json.loads(format_checkpoint(_checkpoint(_ten())))
    edit(body)
    with pytest.raises(CheckpointFormatError):
        parse_checkpoint(json.dumps(body).encode())


def test_no_json_is_no_checkpoint() -> None:
    with pytest.raises(CheckpointFormatError):
        parse_checkpoint(b"\0")


def test_every_break_of_a_chain_has_the_number_of_an_entry() -> None:
    entries = _ten()
    del entries[5]
    with pytest.raises(ChainBrokenError) as refused:
        verify(entries, CHAIN)
    assert refused.value.sequence == 6
    assert refused.value.code == "CHAIN_ENTRY_REMOVED"
