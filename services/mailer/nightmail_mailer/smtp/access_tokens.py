"""OAuth 2.0 access tokens for XOAUTH2: from a command, or by client credentials (RFC 6749 section 4.4).

A token is kept until it is about to expire, or until the server refuses it. Neither a token nor a secret is in an error.
"""

import asyncio
import base64
import json
import os
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from urllib.parse import quote_plus

import aiosmtplib

from nightmail_common.contract.errors import describe_error
from nightmail_common.contract.limits import MAX_TOKEN_ANSWER_BYTES
from nightmail_mailer.settings import MailerSettings

#: A person or a vault may answer slowly; a command that waits for a password at a terminal never ends.
COMMAND_TIMEOUT_SECONDS = 30.0
REQUEST_TIMEOUT_SECONDS = 15.0
#: A token that is about to expire could do so on its way to the server.
EXPIRY_MARGIN_SECONDS = 60.0
#: The lifetime of a command's token, which the command does not say: providers give an hour, and commands cache tokens.
COMMAND_LIFETIME_SECONDS = 300.0
#: The lifetime of a token whose endpoint gives none (RFC 6749 section 5.1 recommends `expires_in`).
DEFAULT_LIFETIME_SECONDS = 600.0
_MAX_ERROR_CHARS = 200


class NoAccessToken(Exception):
    """There is no access token; the message names the setting to check."""


class AccessTokenRefused(aiosmtplib.SMTPAuthenticationError):
    """The server refuses the access token or the user name that it is sent with."""


class AccessTokens:
    """Keeps the one token of the mailer.

    Args:
        request: returns a new token and for how many seconds it is valid, or raises NoAccessToken.
    """

    def __init__(self, request: Callable[[], Awaitable[tuple[str, float]]]) -> None:
        self._request = request
        self._token: str | None = None
        self._expires_at = 0.0
        self._is_new = False

    async def get(self) -> str:
        """Return a token that is valid as far as its issuer says.

        Raises:
            NoAccessToken: the issuer gives none.
        """
        self._is_new = self._token is None or time.monotonic() >= self._expires_at
        if self._token is None or self._is_new:
            token, seconds = await self._request()
            if not (token.isascii() and token.isprintable()) or " " in token or not token:
                raise NoAccessToken("the access token is not one word of ASCII characters")
            self._token = token
            self._expires_at = time.monotonic() + max(seconds - EXPIRY_MARGIN_SECONDS, seconds / 2)
        return self._token

    def discard(self) -> bool:
        """Forget the token, which the server has refused; return whether a new one may help."""
        self._token = None
        return not self._is_new


def access_tokens(settings: MailerSettings) -> AccessTokens | None:
    """Return the source of tokens that the settings name; None if the mailer signs in with a password, or not at all."""
    if settings.smtp_auth != "xoauth2":
        return None
    if (command := settings.smtp_token_command) is not None:
        return AccessTokens(lambda: _from_command(command))
    return AccessTokens(lambda: _from_endpoint(settings))


async def sign_in(connection: aiosmtplib.SMTP, username: str, tokens: AccessTokens) -> aiosmtplib.SMTPResponse:
    """Send AUTH XOAUTH2 (https://developers.google.com/workspace/gmail/imap/xoauth2-protocol).

    Raises:
        NoAccessToken: there is no token.
        AccessTokenRefused: the server refuses it.
        aiosmtplib.SMTPException: the server does not offer XOAUTH2, or the connection ends.
    """
    if connection.is_ehlo_or_helo_needed:
        await connection.ehlo()
    if "xoauth2" not in connection.server_auth_methods:
        offered = ", ".join(method.upper() for method in connection.server_auth_methods) or "no AUTH"
        raise aiosmtplib.SMTPException(
            f"the server offers no XOAUTH2 on this port, but {offered} (NIGHTMAIL_SMTP_AUTH, NIGHTMAIL_SMTP_SECURITY)"
        )
    token = await tokens.get()
    try:
        return await connection.auth_xoauth2(username, token)
    except aiosmtplib.SMTPAuthenticationError as error:
        raise AccessTokenRefused(error.code, error.message) from None


async def _from_command(command: str) -> tuple[str, float]:
    process = await asyncio.create_subprocess_shell(
        command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(COMMAND_TIMEOUT_SECONDS):
            printed = await process.stdout.read(MAX_TOKEN_ANSWER_BYTES)
            status = await process.wait()
    except TimeoutError:
        raise NoAccessToken(f"NIGHTMAIL_SMTP_TOKEN_COMMAND did not end in {COMMAND_TIMEOUT_SECONDS:.0f} s") from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # also what it has started
            await process.wait()
    if status != 0:
        raise NoAccessToken(f"NIGHTMAIL_SMTP_TOKEN_COMMAND ended with status {status}")
    token = printed.decode("utf-8", "replace").strip()
    if not token:
        raise NoAccessToken("NIGHTMAIL_SMTP_TOKEN_COMMAND printed nothing")
    return token, COMMAND_LIFETIME_SECONDS


async def _from_endpoint(settings: MailerSettings) -> tuple[str, float]:
    """Ask with the credentials in the Authorization header, which every endpoint supports, or else in the form.

    Some endpoints take them in the form only, against RFC 6749 section 2.3.1.
    """
    assert settings.smtp_client_id is not None
    assert settings.smtp_client_secret is not None
    secret = settings.smtp_client_secret.get_secret_value()
    form = {"grant_type": "client_credentials"}
    if settings.smtp_scope is not None:
        form["scope"] = settings.smtp_scope
    user = f"{quote_plus(settings.smtp_client_id)}:{quote_plus(secret)}"
    header = {"Authorization": f"Basic {base64.b64encode(user.encode()).decode()}"}
    status, answer = await _post(settings, form, header)
    if status in {400, 401}:
        in_form = {"client_id": settings.smtp_client_id, "client_secret": secret}
        status, answer = await _post(settings, form | in_form, {})
    token = answer.get("access_token")
    if status != 200 or not isinstance(token, str):
        said = " ".join(str(answer[name]) for name in ("error", "error_description") if name in answer)
        reason = f"status {status} {said.replace(secret, '***')[:_MAX_ERROR_CHARS]}".strip()
        raise NoAccessToken(f"no access token from NIGHTMAIL_SMTP_TOKEN_URL: {reason}")
    try:
        seconds = float(answer.get("expires_in", DEFAULT_LIFETIME_SECONDS))
    except (TypeError, ValueError):
        seconds = DEFAULT_LIFETIME_SECONDS
    return token, seconds


async def _post(settings: MailerSettings, form: dict[str, str], headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    import httpx  # takes 40 ms and some MB that other mailers do not need

    content = bytearray()
    try:
        async with (
            asyncio.timeout(REQUEST_TIMEOUT_SECONDS),
            httpx.AsyncClient(verify=settings.tls_context, headers={"Accept": "application/json"}) as client,
            client.stream("POST", str(settings.smtp_token_url), data=form, headers=headers) as response,
        ):
            async for part in response.aiter_bytes():
                content += part
                if len(content) > MAX_TOKEN_ANSWER_BYTES:
                    raise NoAccessToken("the answer of NIGHTMAIL_SMTP_TOKEN_URL is too large")
    except (httpx.HTTPError, OSError, TimeoutError) as error:
        reason = describe_error(error)
        raise NoAccessToken(f"no access token from NIGHTMAIL_SMTP_TOKEN_URL: {reason}") from None
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        answer = None
    return response.status_code, answer if isinstance(answer, dict) else {}
