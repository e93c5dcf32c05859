"""Addresses and messages are shown without credentials."""

import pytest

from schemas.redaction import redact, show_address


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://127.0.0.1:4200/api", "http://127.0.0.1:4200/api"),
        ("https://user:secret@host/api", "https://host/api"),
        ("https://user:se@cret@host:80/api", "https://host:80/api"),
        ("https://user:12/secret@host/api", "https://host/api"),
        ("http://[::1]:4200/api?key=secret#secret", "http://[::1]:4200/api"),
    ],
)
def test_an_address_is_shown_without_credentials(address: str, shown: str) -> None:
    assert show_address(address) == shown


@pytest.mark.parametrize(
    "address", ["host:4200/api", "user:secret@host", "ftp://host", "http://", "http://user:secret/x@host", "http://[x"]
)
def test_what_is_no_http_address_is_not_shown(address: str) -> None:
    assert show_address(address) is None


@pytest.mark.parametrize(
    "text",
    [
        "401 for url 'http://user:secret@host/api'",
        "http://user:se/secret@host",
        "Illegal header value b'Bearer secret\\x01'",
        "Basic secret",
        "token hf_secretsecretsecretsecret is not valid",
        "key pnu_secretsecretsecretsecret",
        "the value of PREFECT_API_KEY is secret",
    ],
)
def test_a_message_loses_its_secrets(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_KEY", "is secret")
    assert "secret" not in redact(text)


def test_a_message_without_a_secret_stays_as_it_is() -> None:
    text = "hf_hub_download: no https://host/api, write to a@b.c; Bearer of news"
    assert redact(text).replace("***", "of") == text
