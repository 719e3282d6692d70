"""The settings of the mailer."""

import ssl
from email.errors import HeaderParseError
from email.headerregistry import Address
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, ByteSize, Field, SecretStr, ValidationInfo, field_validator, model_validator

from nightmail_common.broker.settings import Certificates
from nightmail_common.service.setting_types import Secret, at_least
from nightmail_common.service.settings import ServiceSettings
from nightmail_mailer.bounces.imap_address import ImapAddress


def _without_slash(url: str) -> str:
    if not url.startswith(("http://", "https://")) or not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("an http:// or https:// URL, as in https://nightmail.example.com")
    return url.rstrip("/")


def _maildir(path: Path) -> Path:
    if not all((path / folder).is_dir() for folder in ("new", "cur", "tmp")):
        raise ValueError(f"{path} is no Maildir: it needs the folders new, cur and tmp")
    return path


def _imap_url(url: str) -> str:
    ImapAddress.of(url)
    return url


def _token_url(url: str) -> str:
    parts = urlsplit(url)
    local = parts.hostname in {"127.0.0.1", "::1", "localhost"}
    if not parts.hostname or parts.username or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise ValueError("an https:// URL: it gets the client's secret")
    return url


def _bare_address(address: str) -> str:
    try:
        if address.isascii() and address.isprintable() and Address(addr_spec=address).domain:
            return address
    except (HeaderParseError, ValueError, IndexError):
        pass
    raise ValueError("an address without a name, as in reports@example.com")


class MailerSettings(ServiceSettings):
    """The SMTP server, the sender, and the base URL of the links in mails."""

    smtp_host: str
    smtp_port: int = Field(default=25, ge=1, le=65535)
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    #: How the mailer signs in: with the password, or with an OAuth 2.0 access token, from the command or by client credentials.
    smtp_auth: Literal["password", "xoauth2"] = "password"
    #: A shell command that prints an access token.
    smtp_token_command: str | None = None
    smtp_token_url: Annotated[str, AfterValidator(_token_url)] | None = None
    smtp_client_id: str | None = None
    smtp_client_secret: SecretStr | None = None
    smtp_scope: str | None = None
    smtp_security: Literal["none", "starttls", "tls"] = "none"
    #: A PEM file with the certificate of a private CA, or of a self-signed server; trusted besides the system's CAs.
    smtp_ca: Certificates | None = None
    smtp_from: Annotated[str, AfterValidator(_bare_address)] = "nightmail@localhost"
    #: Who hears of what recipients cannot act on: a report that reached nobody, and mail that was held back.
    operator_email: Annotated[str, AfterValidator(_bare_address)] | None = None
    #: A Maildir with the mail to SMTP_FROM: delivery status notifications in it mark the mails that came back.
    bounce_maildir: Annotated[Path, AfterValidator(_maildir)] | None = None
    #: The same on an IMAP server. Without the password, the mailer signs in with the access token of SMTP_AUTH=xoauth2.
    bounce_imap_url: Annotated[str, AfterValidator(_imap_url)] | None = None
    bounce_imap_password: SecretStr | None = None
    #: The URL at which recipients reach the API. Without it mails have no links.
    public_url: Annotated[str, AfterValidator(_without_slash)] | None = None
    secret_key: Secret | None = Field(default=None, validate_default=True)
    #: The size of the encoded mail: base64 makes 4 bytes of 3.
    max_attachment_bytes: Annotated[ByteSize, at_least("1kB")] = ByteSize(10 * 1024**2)

    @cached_property
    def tls_context(self) -> ssl.SSLContext:
        """The context of a TLS client that verifies a mail server's certificate and host name."""
        context = ssl.create_default_context()
        if self.smtp_ca is not None:
            context.load_verify_locations(self.smtp_ca)
        return context

    @model_validator(mode="after")
    def _a_token_has_one_source(self) -> Self:
        if self.smtp_auth != "xoauth2":
            return self
        if self.smtp_username is None:
            raise ValueError("NIGHTMAIL_SMTP_AUTH=xoauth2 needs NIGHTMAIL_SMTP_USERNAME, the mailbox that sends")
        credentials = (self.smtp_token_url, self.smtp_client_id, self.smtp_client_secret)
        if (self.smtp_token_command is None) != all(one is not None for one in credentials):
            raise ValueError(
                "NIGHTMAIL_SMTP_AUTH=xoauth2 needs either NIGHTMAIL_SMTP_TOKEN_COMMAND, or NIGHTMAIL_SMTP_TOKEN_URL,"
                " NIGHTMAIL_SMTP_CLIENT_ID and NIGHTMAIL_SMTP_CLIENT_SECRET"
            )
        return self

    @model_validator(mode="after")
    def _bounces_have_one_source(self) -> Self:
        if self.bounce_imap_url is None:
            return self
        if self.bounce_maildir is not None:
            raise ValueError("NIGHTMAIL_BOUNCE_MAILDIR or NIGHTMAIL_BOUNCE_IMAP_URL, not both")
        if self.bounce_imap_password is None and self.smtp_auth != "xoauth2":
            raise ValueError(
                "NIGHTMAIL_BOUNCE_IMAP_URL needs NIGHTMAIL_BOUNCE_IMAP_PASSWORD, or NIGHTMAIL_SMTP_AUTH=xoauth2"
            )
        return self

    @field_validator("secret_key")
    @classmethod
    def _links_need_a_key(cls, key: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if key is None and info.data.get("public_url") is not None:
            raise ValueError("links to NIGHTMAIL_PUBLIC_URL need it, the same as the API has")
        for name in ("bounce_maildir", "bounce_imap_url"):
            if key is None and info.data.get(name) is not None:
                raise ValueError(f"NIGHTMAIL_{name.upper()} needs it: it signs what a notification returns")
        return key
