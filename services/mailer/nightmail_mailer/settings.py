"""The settings of the mailer."""

from email.errors import HeaderParseError
from email.headerregistry import Address
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


class MailerSettings(ServiceSettings):
    """The SMTP server, the sender, and the base URL of the links in mails."""

    smtp_host: str
    smtp_port: int = Field(default=25, ge=1, le=65535)
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_security: Literal["none", "starttls", "tls"] = "none"
    smtp_from: Annotated[str, AfterValidator(_bare_address)] = "nightmail@localhost"
    #: The URL at which recipients reach the API. Without it mails have no links.
    public_url: Annotated[str, AfterValidator(_without_slash)] | None = None
    secret_key: SecretStr | None = Field(default=None, validate_default=True)
    #: Of the encoded mail: base64 makes 4 bytes of 3.
    max_attachment_bytes: ByteSize = ByteSize(10 * 1024**2)

    @field_validator("secret_key")
    @classmethod
    def _links_need_a_key(cls, key: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if key is None and info.data.get("public_url") is not None:
            raise ValueError("links to NIGHTMAIL_PUBLIC_URL need it, the same as the API has")
        return key
