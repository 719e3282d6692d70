"""The settings of a command that calls the API."""

from typing import Annotated

from pydantic import AfterValidator, SecretStr

from nightmail_common.service.settings import ServiceSettings


def _check_url(url: str) -> str:
    if not url.startswith(("https://", "http://")):
        raise ValueError("an http:// or https:// URL, as in https://nightmail.example.com")
    return url


class ClientSettings(ServiceSettings):
    """The URL and token of the API."""

    host: str = "127.0.0.1"
    port: int = 8080
    url: Annotated[str, AfterValidator(_check_url)] | None = None
    token: SecretStr | None = None
    admin_token: SecretStr | None = None
