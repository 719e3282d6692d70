"""The settings of the mailer."""

import ssl
from email.errors import HeaderParseError
from email.headerregistry import Address
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, ByteSize, Field, SecretStr, ValidationInfo, field_validator

from nightmail_common.service.settings import ServiceSettings


def _without_slash(url: str) -> str:
    if not url.startswith(("http://", "https://")) or not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("an http:// or https:// URL, as in https://nightmail.example.com")
    return url.rstrip("/")


def _bare_address(address: str) -> str:
    try:
        if address.isascii() and address.isprintable() and Address(addr_spec=address).domain:
            return address
    except (HeaderParseError, ValueError, IndexError):
        pass
    raise ValueError("an address without a name, as in reports@example.com")


def _certificates(path: Path) -> Path:
    try:
        ssl.create_default_context().load_verify_locations(path)
    except ssl.SSLError:
        raise ValueError(f"{path} has no certificate in PEM") from None
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    return path


class MailerSettings(ServiceSettings):
    """The SMTP server, the sender, and the base URL of the links in mails."""

    smtp_host: str
    smtp_port: int = Field(default=25, ge=1, le=65535)
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_security: Literal["none", "starttls", "tls"] = "none"
    #: A PEM file with the certificate of a private CA, or of a self-signed server; trusted besides the system's CAs.
    smtp_ca: Annotated[Path, AfterValidator(_certificates)] | None = None
    smtp_from: Annotated[str, AfterValidator(_bare_address)] = "nightmail@localhost"
    #: Who hears of what recipients cannot act on: a report that reached nobody, and mail that was held back.
    operator_email: Annotated[str, AfterValidator(_bare_address)] | None = None
    #: The URL at which recipients reach the API. Without it mails have no links.
    public_url: Annotated[str, AfterValidator(_without_slash)] | None = None
    secret_key: SecretStr | None = Field(default=None, validate_default=True)
    #: Of the encoded mail: base64 makes 4 bytes of 3.
    max_attachment_bytes: ByteSize = ByteSize(10 * 1024**2)

    @cached_property
    def tls_context(self) -> ssl.SSLContext:
        """The context of a TLS client that verifies the SMTP server's certificate and host name."""
        context = ssl.create_default_context()
        if self.smtp_ca is not None:
            context.load_verify_locations(self.smtp_ca)
        return context

    @field_validator("secret_key")
    @classmethod
    def _links_need_a_key(cls, key: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if key is None and info.data.get("public_url") is not None:
            raise ValueError("links to NIGHTMAIL_PUBLIC_URL need it, the same as the API has")
        return key
