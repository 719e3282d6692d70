"""Sessions of the console: a signed cookie that names a token, without the token.

Each request looks the token up, so a role that changes and a token that is revoked count at once, on every replica. The
cookie is bound to the token's hash: a new token of an old name does not revive old sessions.
"""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import nats.errors
from nats.js import JetStreamContext
from nats.js.errors import KeyWrongLastSequenceError
from nats.js.kv import KeyValue

from nightmail_api.access.one_time_codes import CODE_SECONDS, CodeNotValid, issue_code, parse_code
from nightmail_api.access.tokens import ROLES, Principal, TokenEntry, TokenStore
from nightmail_common.broker.streams import ensure_bucket
from nightmail_common.contract import signing
from nightmail_common.contract.envelope import iso_time

#: The bucket of used codes. Its entries expire after the codes themselves.
USED_CODES = "SESSION_CODES"
#: A working week: a person who opens the console on Monday is not asked again on Friday.
SESSION_LIFE = timedelta(days=7)

_PURPOSE = "session"


class Sessions:
    """Begins sessions, and finds the principal of one."""

    def __init__(self, js: JetStreamContext, secret_key: str, tokens: TokenStore) -> None:
        self._js = js
        self._secret_key = secret_key
        self._tokens = tokens
        self._used: KeyValue | None = None

    async def ensure_bucket(self, replicas: int = 1) -> None:
        """Create the bucket of used codes if it does not exist."""
        self._used = await ensure_bucket(self._js, USED_CODES, 2 * CODE_SECONDS, replicas)

    async def issue_code(self, token_key: str) -> tuple[str, datetime] | None:
        """Return a one-time code for the holder of a token, and when it expires; None if the token is revoked."""
        entry = await self._tokens.find(token_key)
        return None if entry is None else issue_code(self._secret_key, token_key, entry.sha256)

    async def redeem(self, code: str) -> Principal:
        """Return the principal of a code, and use the code up on every replica.

        Raises:
            CodeNotValid: the code is damaged, expired or used, or its token is revoked.
            nats.errors.Error: the broker does not answer.
        """
        parsed = parse_code(code)
        entry = await self._tokens.find(parsed.token_key)
        if entry is None or not parsed.matches(self._secret_key, entry.sha256):
            raise CodeNotValid("the code is not valid: `nightmail open` prints a new link")
        if parsed.is_expired:
            raise CodeNotValid("the code has expired: `nightmail open` prints a new link")
        if self._used is None:
            raise nats.errors.NoServersError
        try:
            # The broker accepts one `create` of a key: of two requests with the same code, one loses here.
            await self._used.create(hashlib.sha256(parsed.body).hexdigest(), b"")
        except KeyWrongLastSequenceError:
            raise CodeNotValid("the code was used already: `nightmail open` prints a new link") from None
        return entry.principal

    async def begin(self, principal: Principal) -> tuple[str, datetime] | None:
        """Return the cookie of a new session, and when it expires; None if the token is revoked."""
        expires = datetime.now(UTC) + SESSION_LIFE
        if principal.expires_at is not None:
            expires = min(expires, datetime.fromisoformat(principal.expires_at))
        claims = {"until": iso_time(expires)}
        if principal.token_key is None:
            # Only the issuer can revoke its token, which its expiry bounds.
            claims |= {"name": principal.name, "role": principal.role}
        else:
            entry = await self._tokens.find(principal.token_key)
            if entry is None:
                return None
            claims |= {"key": principal.token_key, "token": self._fingerprint(entry)}
        return signing.sign(self._secret_key, _PURPOSE, claims, expires), expires

    async def principal(self, cookie: str) -> Principal | None:
        """Return the principal of a session, with the role that its token has now; None if the session has ended."""
        try:
            claims = signing.read(self._secret_key, _PURPOSE, cookie)
        except signing.LinkNotValid:
            return None
        if "role" in claims:
            role = next(role for role in ROLES if role == claims["role"])
            return Principal(claims["name"], role, None, claims["until"])
        entry = await self._tokens.find(claims["key"])
        if entry is None or not hmac.compare_digest(claims["token"], self._fingerprint(entry)):
            return None
        return Principal(entry.name, entry.role, entry.key, claims["until"])

    def _fingerprint(self, entry: TokenEntry) -> str:
        return hmac.digest(self._secret_key.encode(), entry.sha256.encode(), hashlib.sha256).hex()[:32]
