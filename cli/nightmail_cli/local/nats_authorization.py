"""The authorization part of a nats-server's configuration, and the users' seeds as files."""

import json
import secrets
from pathlib import Path
from typing import Any

import nkeys

from nightmail_cli.local.nats_users import NATS_USERS, PREVIEW_ANSWER, NatsUser
from nightmail_cli.local.private_files import write_private
from nightmail_common.broker.connection import seed_file


def make_seeds(folder: Path) -> dict[str, str]:
    """Create the missing seeds in a folder (modes 0600 and 0700); return the public key of each user.

    Raises:
        OSError: the folder cannot be written.
        ValueError: an existing file is not a seed.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys = {}
    for user in NATS_USERS:
        path = seed_file(folder, user.name)
        if not path.exists():
            write_private(path, _new_seed())
        keys[user.name] = _public_key(path)
    return keys


def _new_seed() -> str:
    """Return a new user seed (NATS ADR-14: Ed25519, base32 with a prefix and a checksum)."""
    seed: bytes = nkeys.encode_seed(secrets.token_bytes(32), nkeys.PREFIX_BYTE_USER)
    return seed.decode()


def _public_key(path: Path) -> str:
    try:
        key: bytes = nkeys.from_seed(bytearray(path.read_bytes().strip())).public_key
    except (nkeys.ErrInvalidSeed, nkeys.ErrInvalidPrefixByte):
        raise ValueError(f"{path} is not a seed") from None
    return key.decode()


def authorized(keys: dict[str, str]) -> list[dict[str, Any]]:
    """Return the list for nats-server's `authorization.users`, with public keys."""
    return [{"nkey": keys[user.name], "permissions": permissions(user)} for user in NATS_USERS]


def permissions(user: NatsUser) -> dict[str, Any]:
    """Return a user's `permissions` in nats-server's format."""
    publish: dict[str, list[str]] = {"allow": list(dict.fromkeys(user.publish))}
    if user.deny:
        publish["deny"] = list(user.deny)
    granted: dict[str, Any] = {"publish": publish, "subscribe": {"allow": list(user.subscribe)}}
    if user.answers:
        granted["allow_responses"] = {"max": 1, "expires": PREVIEW_ANSWER}
    return granted


def conf(users: list[dict[str, Any]]) -> str:
    """Return the users as a block of nats-server's configuration, whose syntax includes JSON."""
    return f"authorization: {json.dumps({'users': users}, indent=2)}\n"
