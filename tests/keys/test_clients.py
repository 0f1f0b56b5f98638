"""A production module knows its clients by a credential, and keeps only a digest of it."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from keys.client_errors import (
    ClientCredentialFormatError,
    ClientCredentialMissingError,
    ClientCredentialRefusedError,
    ClientRevokedError,
)
from keys.clients import (
    ClientCredential,
    KnownClient,
    client_body,
    format_credential,
    parse_client,
    parse_credential,
    require_client,
)
from keys.sealed_file_errors import SealedFileFormatError
from keys.secret import Secret
from tests.keys.custody import NOW, fixed_random

MODULE_ID: Final = "0123456789abcdef" * 2
TILL: Final = ClientCredential.generate(MODULE_ID, "till 1", random_bytes=fixed_random("till"))
KNOWN: Final = KnownClient.of(TILL, now=NOW)
Edit = Callable[[dict[str, Any]], object]


def test_a_client_is_known_by_its_credential() -> None:
    other = KnownClient.of(replace(TILL, client="till 2"), now=NOW)
    assert require_client(TILL, [other, KNOWN]) is KNOWN


def test_nobody_in_particular_is_not_let_in() -> None:
    with pytest.raises(ClientCredentialMissingError):
        require_client(None, [KNOWN])


@pytest.mark.parametrize(
    "credential",
    [
        replace(TILL, secret=Secret(bytes(32))),
        replace(TILL, client="till 2"),
        replace(TILL, module_id="0" * 32),
    ],
    ids=["secret", "name", "module"],
)
def test_a_credential_is_of_one_client_of_one_module(credential: ClientCredential) -> None:
    with pytest.raises(ClientCredentialRefusedError):
        require_client(credential, [KNOWN])


def test_a_client_that_was_shut_out_stays_out_since_the_first_time() -> None:
    revoked = KNOWN.revoked(NOW).revoked(NOW + timedelta(days=1))
    assert revoked.revoked_at == NOW
    with pytest.raises(ClientRevokedError, match="till 1 was revoked at 2026-03-02"):
        require_client(TILL, [revoked])


def test_a_credential_comes_back_from_its_file() -> None:
    again = parse_credential(format_credential(TILL))
    assert again == TILL
    assert "till 1" in repr(again)
    assert TILL.secret.expose().hex() not in repr(again)


def test_what_the_module_keeps_opens_nothing() -> None:
    kept = json.dumps(client_body(KNOWN))
    assert TILL.secret.expose().hex() not in kept
    assert parse_client(client_body(KNOWN), refuse=SealedFileFormatError) == KNOWN
    gone = KNOWN.revoked(NOW)
    assert parse_client(client_body(gone), refuse=SealedFileFormatError) == gone


@pytest.mark.parametrize(
    "edit",
    [
        lambda body: body.pop("secret"),
        lambda body: body.update(format="other"),
        lambda body: body.update(version=2),
        lambda body: body.update(module="00"),
        lambda body: body.update(client=""),
        lambda body: body.update(secret="00" * 31),
        lambda body: body.update(secret="no hexadecimal"),
    ],
)
def test_anything_else_is_no_credential(edit: Edit) -> None:
    body = json.loads(format_credential(TILL))
    edit(body)
    with pytest.raises(ClientCredentialFormatError) as refusal:
        parse_credential(json.dumps(body).encode())
    assert TILL.secret.expose().hex() not in str(refusal.value)


def test_no_json_is_no_credential() -> None:
    with pytest.raises(ClientCredentialFormatError):
        parse_credential(b"{")


def test_a_client_has_a_name_that_can_be_printed() -> None:
    with pytest.raises(ClientCredentialFormatError):
        ClientCredential.generate(MODULE_ID, "a\nb", random_bytes=fixed_random("x"))
