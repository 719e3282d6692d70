"""The settings of the API."""

import os
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from nightmail_common.broker.settings import Retention
from nightmail_common.contract.timezones import check_timezone
from nightmail_common.service.setting_types import Origins, Packages, Secret, TrustedProxies
from nightmail_common.service.settings import ServiceSettings

ADMIN_TOKEN_FILE = "admin-token"  # noqa: S105


class ApiSettings(ServiceSettings):
    """The settings of the API."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    admin_token: Secret | None = None
    #: Where the read model is, shared by all replicas: `postgresql://...`. A file in `DATA_DIR` for each if there is none.
    database_url: SecretStr | None = None
    #: How long the input of a run is kept at most.
    input_retention: Retention = timedelta(days=30)
    #: Signs the links in mails, which the mailer has too, and the console's sessions. Without it there are no such links, and
    #: a session ends with the API's process.
    secret_key: Secret | None = None
    #: The zone of a job that names none.
    timezone: Annotated[str, AfterValidator(check_timezone)] = "UTC"
    #: Whose tokens (JWT) are good beside our own, as the `iss` in them, and the `aud` that they must have.
    oidc_issuer: str | None = Field(default=None, pattern=r"^https?://[^/?#\s]+[^?#\s]*$")
    oidc_audience: str | None = Field(default=None, validate_default=True)
    #: The client id for the console's sign-in at the issuer (authorization code with PKCE); None: no such sign-in.
    oidc_client_id: str | None = Field(default=None, validate_default=True)
    #: None: a public client.
    oidc_client_secret: SecretStr | None = None
    #: Whose pages may call from a browser, comma separated: `https://reports.example.com`. None unless set.
    cors_origins: Origins = ()
    #: The addresses and networks of proxies whose X-Forwarded-For and X-Forwarded-Proto count, comma separated. None unless set.
    trusted_proxies: TrustedProxies = ()
    #: The top-level packages that a script may import besides `DEFAULT_IMPORTS`: set it as for the runners.
    script_imports: Packages = ()

    @field_validator("database_url")
    @classmethod
    def _of_postgresql(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("a URL of PostgreSQL begins with postgresql://")
        return url

    @field_validator("oidc_audience")
    @classmethod
    def _goes_with_the_issuer(cls, audience: str | None, info: ValidationInfo) -> str | None:
        if (info.data.get("oidc_issuer") is None) != (audience is None):
            raise ValueError("it and NIGHTMAIL_OIDC_ISSUER are set together or not at all")
        return audience

    @field_validator("oidc_client_id")
    @classmethod
    def _needs_the_issuer(cls, client_id: str | None, info: ValidationInfo) -> str | None:
        if client_id is not None and info.data.get("oidc_issuer") is None:
            raise ValueError("it needs NIGHTMAIL_OIDC_ISSUER")
        return client_id


def admin_token(settings: ApiSettings) -> str:
    """Return the admin's token: the one that is set, or the one made once and kept in `DATA_DIR/admin-token`.

    Raises:
        OSError: the file cannot be read or made.
    """
    if settings.admin_token is not None:
        return settings.admin_token.get_secret_value()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    return _kept_token(settings.data_dir / ADMIN_TOKEN_FILE)


def _kept_token(path: Path) -> str:
    made = path.with_name(f"{path.name}.{os.getpid()}")
    made.unlink(missing_ok=True)
    made.touch(mode=0o600, exist_ok=False)
    made.write_text(secrets.token_urlsafe(32) + "\n")
    try:
        # Two replicas may start at once on an empty folder: `link` lets one of them name the file, whole.
        os.link(made, path)
    except FileExistsError:
        pass
    finally:
        made.unlink()
    return path.read_text().strip()
