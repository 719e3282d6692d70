"""The policy of mails: `email.policy.SMTP` with headers that are parsed once, and boundaries that need no search.

Most of the time of a mail was that of headers which are the same in every mail.
"""

import secrets
from email.headerregistry import BaseHeader, HeaderRegistry
from email.policy import SMTP
from functools import lru_cache
from typing import Any

#: The size of the cache of parsed headers: those of all mails, and those of the most frequent jobs.
_KEPT_HEADERS = 2048


class _KeptHeaders(HeaderRegistry):
    """A registry that makes the class of a header, and a header of the same text, once. Headers are immutable."""

    def __init__(self) -> None:
        super().__init__()
        self._class_of = lru_cache(maxsize=_KEPT_HEADERS)(super().__getitem__)
        self._parse = lru_cache(maxsize=_KEPT_HEADERS)(super().__call__)

    def __getitem__(self, name: str) -> type[BaseHeader]:
        return self._class_of(name)

    def __call__(self, name: str, value: Any) -> BaseHeader:
        # An `Address` cannot be hashed.
        return self._parse(name, str(value)) if isinstance(value, str) else super().__call__(name, value)


MAIL_POLICY = SMTP.clone(header_factory=_KeptHeaders())


def new_boundary() -> str:
    """Return a boundary that nobody can know before, so that no part has it (RFC 2046 section 5.1.1)."""
    return f"=_{secrets.token_hex(16)}"
