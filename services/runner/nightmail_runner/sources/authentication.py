"""The header that authenticates the requests of one fetch."""

import base64
from collections.abc import Mapping

from nightmail_common.contract.http_source import (
    Auth,
    BasicAuth,
    BearerAuth,
    HeaderAuth,
    OAuth2ClientCredentials,
    auth_texts,
)
from nightmail_common.contract.request_headers import check_header
from nightmail_common.contract.source_templates import secret_names
from nightmail_runner.sources.errors import CannotFetch
from nightmail_runner.sources.masking import Masker
from nightmail_runner.sources.source_secrets import SecretStore, host_of
from nightmail_runner.sources.tokens import Credentials, TokenCache

#: The fields of an auth that are secret, whether they name a secret or hold one.
_SECRET_FIELDS = frozenset({"token", "password", "value", "client_secret"})
#: A shorter text that stands in the job itself could be any word; a secret by name is always masked.
MIN_HIDDEN_CHARS = 8


class Authentication:
    """Makes the header of an auth for a host.

    Args:
        host: of the source. It gets the token, so that the secrets of OAuth 2.0 must be allowed for it, too.
        masker: gets every secret and every token to hide.

    Raises:
        CannotFetch: the host may not receive a secret, or a header cannot hold its value.
    """

    def __init__(self, auth: Auth | None, host: str, secrets: SecretStore, tokens: TokenCache, masker: Masker) -> None:
        self._tokens = tokens
        self._masker = masker
        self._token: str | None = None
        self._credentials: Credentials | None = None
        self._header: dict[str, str] = {}
        texts = {} if auth is None else auth_texts(auth)
        masker.hide(text for name, text in texts.items() if name in _SECRET_FIELDS and len(text) >= MIN_HIDDEN_CHARS)
        masker.hide(secrets.values_of(texts.values()))
        filled = {name: secrets.fill(text, host) for name, text in texts.items()}
        match auth:
            case BearerAuth():
                self._header = {"Authorization": f"Bearer {filled['token']}"}
            case BasicAuth():
                user = f"{filled['username']}:{filled['password']}"
                self._header = {"Authorization": f"Basic {base64.b64encode(user.encode()).decode()}"}
            case HeaderAuth():
                self._header = {auth.name: filled["value"]}
            case OAuth2ClientCredentials():
                token_host = host_of(auth.token_url)
                secrets.values([name for text in texts.values() for name in secret_names(text)], token_host)
                self._credentials = Credentials(
                    auth.token_url, filled["client_id"], filled["client_secret"], auth.scope
                )

        check_headers(self._header)

    async def header(self, timeout_seconds: float) -> dict[str, str]:
        """Return the header, with a token that is valid.

        Raises:
            CannotFetch: there is no token.
        """
        if self._credentials is None:
            return self._header
        self._token = await self._tokens.get(self._credentials, timeout_seconds, self._masker.mask)
        self._masker.hide([self._token])
        return {"Authorization": f"Bearer {self._token}"}

    def renew(self) -> bool:
        """Discard a token that the source has refused; return whether another one can be got."""
        if self._credentials is None or self._token is None:
            return False
        self._tokens.discard(self._credentials, self._token)
        return True


def check_headers(headers: Mapping[str, str]) -> None:
    """Check headers whose secrets are filled in.

    Raises:
        CannotFetch: HTTP cannot carry a header as it is; the message does not hold its value.
    """
    for name, value in headers.items():
        try:
            check_header(name, value)
        except ValueError as error:
            raise CannotFetch(str(error)) from None
