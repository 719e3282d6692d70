"""The settings of a command that calls the API."""

from pydantic import SecretStr

from nightmail_common.service.settings import ServiceSettings


class ClientSettings(ServiceSettings):
    """The URL and token of the API."""

    host: str = "127.0.0.1"
    port: int = 8080
    url: str | None = None
    token: SecretStr | None = None
    admin_token: SecretStr | None = None
