"""The settings of the mailer."""

from typing import Literal

from pydantic import Field, SecretStr

from nightmail_common.settings import ServiceSettings


class MailerSettings(ServiceSettings):
    """Which server sends the mail, and in whose name."""

    smtp_host: str
    smtp_port: int = Field(default=25, ge=1, le=65535)
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_security: Literal["none", "starttls", "tls"] = "none"
    smtp_from: str = "nightmail@localhost"
