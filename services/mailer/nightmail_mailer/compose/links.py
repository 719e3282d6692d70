"""The links in mails. They are signed: they work for everybody who has the mail, and cannot be forged."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from ipaddress import ip_address
from urllib.parse import urlsplit
from uuid import UUID

from nightmail_common.contract.signing import PATHS, RESULT, SLICE, UNSUBSCRIBE, pseudonym, sign
from nightmail_common.contract.split import slice_id

#: Mails are read days later, but a link in a mailbox must not give access for ever.
MAX_RESULT_LINK_AGE = timedelta(days=14)
#: Top-level names of private networks (RFC 6761, RFC 6762, RFC 8375, and names in use that ICANN will not delegate).
_PRIVATE_NAMES = frozenset(
    {"localhost", "local", "internal", "test", "invalid", "lan", "home", "corp", "intranet", "arpa"}
)


@dataclass(frozen=True)
class Links:
    """Signs the links. A link to a result expires no later than the result, after `result_retention`."""

    public_url: str
    key: str
    result_retention: timedelta

    @cached_property
    def is_public(self) -> bool:
        """Whether a mail provider's servers can reach the API over https, as RFC 8058 asks of a one-click URL."""
        url = urlsplit(self.public_url)
        return url.scheme == "https" and _is_public_host(url.hostname or "")

    @cached_property
    def is_beyond_this_machine(self) -> bool:
        """Whether a recipient's browser may reach the API: `nightmail up` alone has an address of this machine only."""
        host = urlsplit(self.public_url).hostname or ""
        try:
            return not ip_address(host).is_loopback
        except ValueError:
            return host != "localhost" and not host.endswith(".localhost")

    def unsubscribe(self, job_id: UUID, recipient: str) -> str:
        """Return the URL that unsubscribes a recipient from a job: GET asks for confirmation, POST does it (RFC 8058)."""
        payload = {"job": str(job_id), "recipient": pseudonym(self.key, job_id, recipient)}
        return self.public_url + PATHS[UNSUBSCRIBE] + sign(self.key, UNSUBSCRIBE, payload)

    def result(self, run_id: UUID, split_value: str | None = None) -> tuple[str, datetime]:
        """Return the URL of a run's CSV, or of that of one slice, and when it expires."""
        purpose, payload = RESULT, {"run": str(run_id)}
        if split_value is not None:
            # A purpose of its own: no API can take the link to a slice for one to the whole result.
            purpose, payload = SLICE, payload | {"slice": slice_id(split_value)}
        expires_at = datetime.now(UTC) + min(MAX_RESULT_LINK_AGE, self.result_retention)
        return self.public_url + PATHS[purpose] + sign(self.key, purpose, payload, expires_at), expires_at


def _is_public_host(host: str) -> bool:
    try:
        return ip_address(host).is_global
    except ValueError:
        labels = host.rstrip(".").split(".")
        return len(labels) > 1 and labels[-1] not in _PRIVATE_NAMES
