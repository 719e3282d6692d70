"""What a nats-server needs to know of Nightmail's users, and their seeds as files."""

import json
import secrets
from pathlib import Path
from typing import Any

import nkeys

from nightmail_cli.local.nats_users import NATS_USERS, PREVIEW_ANSWER, NatsUser
from nightmail_cli.local.private_files import write_private
from nightmail_common.broker.connection import seed_file


def make_seeds(folder: Path) -> dict[str, str]:
    """Make sure that every user has a seed in a folder (mode 0600, 0700); return each one's public key.

    Raises:
        OSError: the folder cannot be written.
        ValueError: a file there is not a seed.
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
    """Return the seed of a new user (NATS ADR-14: Ed25519, in base32 with a prefix and a checksum)."""
    seed: bytes = nkeys.encode_seed(secrets.token_bytes(32), nkeys.PREFIX_BYTE_USER)
    return seed.decode()


def _public_key(path: Path) -> str:
    try:
        key: bytes = nkeys.from_seed(bytearray(path.read_bytes().strip())).public_key
    except (nkeys.ErrInvalidSeed, nkeys.ErrInvalidPrefixByte):
        raise ValueError(f"{path} is not a seed") from None
    return key.decode()


def authorized(keys: dict[str, str]) -> list[dict[str, Any]]:
    """Return the users as nats-server has them in `authorization.users`, by their public keys."""
    return [{"nkey": keys[user.name], "permissions": permissions(user)} for user in NATS_USERS]


def permissions(user: NatsUser) -> dict[str, Any]:
    """Return what a user may, in nats-server's words."""
    publish: dict[str, list[str]] = {"allow": list(dict.fromkeys(user.publish))}
    if user.deny:
        publish["deny"] = list(user.deny)
    may: dict[str, Any] = {"publish": publish, "subscribe": {"allow": list(user.subscribe)}}
    if user.answers:
        may["allow_responses"] = {"max": 1, "expires": PREVIEW_ANSWER}
    return may


def conf(users: list[dict[str, Any]]) -> str:
    """Return users as nats-server's configuration reads them: JSON is part of its language."""
    return f"authorization: {json.dumps({'users': users}, indent=2)}\n"
