"""Tokens with a name and a role, in a KV bucket as hashes: shown once, revoked at any time.

A token reads `nm_<key>_<secret>`: the key finds its entry, the secret's SHA-256 is compared in constant time. The
secret has 256 random bits, so a slow hash would add nothing.
"""

import base64
import hashlib
import hmac
import json
import re
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from nats.js import JetStreamContext
from nats.js.api import KeyValueConfig, StorageType
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError, NoKeysError, NotFoundError
from nats.js.kv import KeyValue

BUCKET = "TOKENS"
Role = Literal["viewer", "editor", "admin"]

#: A role may do what those before it may.
ROLES: tuple[Role, ...] = ("viewer", "editor", "admin")
#: A token that is revoked on another replica is good here for at most so long; on this one it ends at once.
CACHE_SECONDS = 1.0
CACHED_TOKENS = 1024

_TOKEN = re.compile(r"nm_([a-z2-7]{26})_([A-Za-z0-9_-]{43})")


class NameInUse(Exception):
    """There is a token of that name; revoke it first, or choose another name."""


class NoSuchToken(Exception):
    """There is no token of that name."""


@dataclass(frozen=True)
class Principal:
    """Who calls: `name` is the `actor` of the events that come of it."""

    name: str
    role: Role


@dataclass(frozen=True)
class TokenEntry:
    """A token as it is kept: everything but the token."""

    name: str
    role: Role
    created_at: str
    created_by: str
    sha256: str

    @property
    def principal(self) -> Principal:
        return Principal(self.name, self.role)


class Tokens:
    """The tokens that are known. `nats.errors.Error` from any call: the broker does not answer."""

    def __init__(self, js: JetStreamContext, admin_token: str) -> None:
        self._js = js
        self._admin = _sha256(admin_token)
        self._bucket: KeyValue | None = None
        #: What a token's hash was found to be, and until when that is believed.
        self._cache: OrderedDict[str, tuple[Principal, float]] = OrderedDict()

    async def declare(self, replicas: int = 1) -> None:
        """Make sure that the bucket exists."""
        try:
            self._bucket = await self._js.key_value(BUCKET)
        except NotFoundError:
            config = KeyValueConfig(bucket=BUCKET, history=1, storage=StorageType.FILE, replicas=replicas)
            self._bucket = await self._js.create_key_value(config)

    def known(self, token: str) -> Principal | None:
        """Return whose token it is if that can be told without asking the broker."""
        digest = _sha256(token)
        if hmac.compare_digest(digest, self._admin):
            return Principal("admin", "admin")
        cached = self._cache.get(digest)
        return cached[0] if cached is not None and time.monotonic() < cached[1] else None

    async def principal(self, token: str) -> Principal | None:
        """Return whose token it is; None if it is nobody's."""
        if (principal := self.known(token)) is not None:
            return principal
        match = _TOKEN.fullmatch(token)
        entry = None if match is None else await self._entry(match[1])
        digest = _sha256(token)
        if entry is None or not hmac.compare_digest(entry.sha256, digest):
            return None
        self._cache[digest] = (entry.principal, time.monotonic() + CACHE_SECONDS)
        self._cache.move_to_end(digest)
        if len(self._cache) > CACHED_TOKENS:
            self._cache.popitem(last=False)
        return entry.principal

    async def create(self, name: str, role: Role, created_by: str) -> tuple[TokenEntry, str]:
        """Make a token and return its entry and the token itself, which nobody can be told again.

        Raises:
            NameInUse: there is a token of that name.
        """
        key = _key(name)
        token = f"nm_{key}_{secrets.token_urlsafe(32)}"
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        entry = TokenEntry(name, role, now, created_by, _sha256(token))
        try:
            await self._kv.create(key, json.dumps(entry.__dict__).encode())
        except KeyWrongLastSequenceError:
            raise NameInUse from None
        return entry, token

    async def list(self) -> list[TokenEntry]:
        """Return the tokens by name."""
        try:
            keys = await self._kv.keys()
        except NoKeysError:
            return []
        entries = [await self._entry(key) for key in keys]
        return sorted((entry for entry in entries if entry is not None), key=lambda entry: entry.name)

    async def revoke(self, name: str) -> None:
        """End a token.

        Raises:
            NoSuchToken: there is no token of that name.
        """
        entry = await self._entry(_key(name))
        if entry is None:
            raise NoSuchToken
        await self._kv.purge(_key(name))
        self._cache.pop(entry.sha256, None)

    @property
    def _kv(self) -> KeyValue:
        assert self._bucket is not None, "declared before the service is ready"
        return self._bucket

    async def _entry(self, key: str) -> TokenEntry | None:
        try:
            found = await self._kv.get(key)
        except KeyNotFoundError:
            return None
        return TokenEntry(**json.loads(found.value or b"{}"))


def _key(name: str) -> str:
    """Return the one key of a name: two tokens of one name cannot be, whichever replicas make them."""
    return base64.b32encode(hashlib.sha256(name.encode()).digest()[:16]).decode().rstrip("=").lower()


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
