"""Tokens with a name and a role. A KV bucket keeps their hashes; each is shown once and can be revoked at any time.

A token is `nm_<key>_<secret>`: the key finds the entry, and the token's SHA-256 is compared in constant time. The
secret has 256 random bits, so a slow hash would add nothing.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import re
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Literal, TypeVar

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError
from nats.js.kv import KeyValue

from nightmail_common.broker.streams import ensure_bucket
from nightmail_common.contract.envelope import iso_time

BUCKET = "TOKENS"
Role = Literal["viewer", "editor", "admin"]

#: Each role includes the ones before it.
ROLES: tuple[Role, ...] = ("viewer", "editor", "admin")
#: The longest time for which a revoked token still works: on a replica that misses the message about the revocation.
CACHE_SECONDS = 1.0
#: The key and the name of the token of the settings, which is not in the bucket.
ADMIN_KEY = "admin"
REMEMBERED_TOKENS = 1024

Item = TypeVar("Item")

_TOKEN = re.compile(r"nm_([a-z2-7]{26})_([A-Za-z0-9_-]{43})")
_KEY = re.compile(r"[a-z2-7]{26}")


class NameInUse(Exception):
    """A token of that name exists; revoke it first, or choose another name."""


class NoSuchToken(Exception):
    """There is no token of that name."""


@dataclass(frozen=True)
class Principal:
    """The caller. `name` becomes the `actor` of the events that the request causes."""

    name: str
    role: Role
    #: The key of the caller's token; None for a token of the OIDC issuer, which no store can look up.
    token_key: str | None = None
    #: When the caller's token or session expires, in ISO 8601; None: never.
    expires_at: str | None = None


@dataclass(frozen=True)
class TokenEntry:
    """A token as the bucket keeps it: its hash, and everything else about it."""

    name: str
    role: Role
    created_at: str
    created_by: str
    sha256: str
    #: None: never.
    expires_at: str | None = None

    @property
    def key(self) -> str:
        return ADMIN_KEY if self.name == ADMIN_KEY else _key(self.name)

    @property
    def principal(self) -> Principal:
        return Principal(self.name, self.role, self.key, self.expires_at)

    def is_expired(self) -> bool:
        return self.expires_at is not None and datetime.fromisoformat(self.expires_at) <= datetime.now(UTC)


class TokenStore:
    """Creates, finds and revokes tokens. Any call raises `nats.errors.Error` when the broker does not answer."""

    def __init__(self, js: JetStreamContext, admin_token: str) -> None:
        self._js = js
        self._admin = TokenEntry(ADMIN_KEY, "admin", "", ADMIN_KEY, token_digest(admin_token))
        self._bucket: KeyValue | None = None
        self._has_any = False
        #: Done at the next change of any token.
        self._next_change: asyncio.Future[None] | None = None
        #: Key -> the token's entry, and the monotonic time at which that expires.
        self._cache: OrderedDict[str, tuple[TokenEntry, float]] = OrderedDict()
        #: Key -> monotonic time of its last change. A read at that time may return the entry before the change.
        self._changed: OrderedDict[str, float] = OrderedDict()

    async def ensure_bucket(self, replicas: int = 1) -> None:
        """Create the bucket if it does not exist."""
        self._bucket = await ensure_bucket(self._js, BUCKET, None, replicas)

    async def follow_changes(self, client: Client) -> None:
        """Subscribe to the bucket's writes, so that a token revoked on another replica leaves the cache at once."""
        await client.subscribe(f"$KV.{BUCKET}.>", cb=self._on_change)

    async def _on_change(self, message: Msg) -> None:
        self._forget(message.subject.rpartition(".")[2])

    def next_change(self) -> asyncio.Future[None]:
        """Return a future that is done when any token is created or revoked, on any replica."""
        if self._next_change is None or self._next_change.done():
            self._next_change = asyncio.get_running_loop().create_future()
        return self._next_change

    async def principal(self, token: str) -> Principal | None:
        """Return the principal of a token; None if the token is unknown or expired."""
        digest = token_digest(token)
        if hmac.compare_digest(digest, self._admin.sha256):
            return self._admin.principal
        match = _TOKEN.fullmatch(token)
        entry = None if match is None else await self.find(match[1])
        if entry is None or not hmac.compare_digest(entry.sha256, digest):
            return None
        return entry.principal

    async def find(self, key: str) -> TokenEntry | None:
        """Return the entry of a token that is valid now; None if it is unknown, revoked or expired."""
        if key == ADMIN_KEY:
            return self._admin
        if _KEY.fullmatch(key) is None:  # a one-time code that nobody issued has any text here
            return None
        cached = self._cache.get(key)
        if cached is not None and time.monotonic() < cached[1]:
            entry = cached[0]
        else:
            found = await self._entry(key)
            if found is None:
                return None
            entry = found
            if time.monotonic() - self._changed.get(key, -CACHE_SECONDS) >= CACHE_SECONDS:
                _keep(self._cache, key, (entry, time.monotonic() + CACHE_SECONDS))
        return None if entry.is_expired() else entry

    def _forget(self, key: str) -> None:
        _keep(self._changed, key, time.monotonic())
        self._cache.pop(key, None)
        if self._next_change is not None and not self._next_change.done():
            self._next_change.set_result(None)

    async def create(
        self, name: str, role: Role, created_by: str, expires_at: datetime | None = None
    ) -> tuple[TokenEntry, str]:
        """Create a token, and return its entry and the token itself, which is not kept.

        Raises:
            NameInUse: a token of that name exists.
        """
        key = _key(name)
        token = f"nm_{key}_{secrets.token_urlsafe(32)}"
        expiry = None if expires_at is None else iso_time(expires_at)
        entry = TokenEntry(name, role, iso_time(datetime.now(UTC)), created_by, token_digest(token), expiry)
        try:
            await self._kv.create(key, json.dumps(entry.__dict__).encode())
        except KeyWrongLastSequenceError:
            raise NameInUse from None
        return entry, token

    async def has_any(self) -> bool:
        """Return whether somebody besides the admin of the settings ever had a token."""
        if not self._has_any:
            self._has_any = await self.list() != []
        return self._has_any

    async def list(self) -> list[TokenEntry]:
        """Return the tokens by name."""
        # nats-py's `keys()` returns an empty list when the first key has not arrived yet.
        info = await self._js.stream_info(f"KV_{BUCKET}", subjects_filter=f"$KV.{BUCKET}.>")
        keys = [subject.rpartition(".")[2] for subject in info.state.subjects or {}]
        entries = [await self._entry(key) for key in keys]
        return sorted((entry for entry in entries if entry is not None), key=lambda entry: entry.name)

    async def revoke(self, name: str) -> None:
        """Revoke a token.

        Raises:
            NoSuchToken: there is no token of that name.
        """
        entry = await self._entry(_key(name))
        if entry is None:
            raise NoSuchToken
        await self._kv.purge(_key(name))
        self._forget(_key(name))

    @property
    def _kv(self) -> KeyValue:
        if self._bucket is None:
            raise nats.errors.NoServersError
        return self._bucket

    async def _entry(self, key: str) -> TokenEntry | None:
        try:
            found = await self._kv.get(key)
        except KeyNotFoundError:
            return None
        kept = json.loads(found.value or b"{}")
        return TokenEntry(**{field.name: kept[field.name] for field in fields(TokenEntry) if field.name in kept})


def _key(name: str) -> str:
    """Return the key of a name: the bucket's `create` then refuses a second token of that name, on any replica."""
    return base64.b32encode(hashlib.sha256(name.encode()).digest()[:16]).decode().rstrip("=").lower()


def _keep(remembered: OrderedDict[str, Item], key: str, value: Item) -> None:
    remembered[key] = value
    remembered.move_to_end(key)
    if len(remembered) > REMEMBERED_TOKENS:
        remembered.popitem(last=False)


def token_digest(token: str) -> str:
    """Return the SHA-256 of a token, as the bucket keeps it."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
