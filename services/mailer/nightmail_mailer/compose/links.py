"""The links in mails. They are signed: they work for everybody who has the mail, and cannot be forged."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from nightmail_common.contract.signing import PATHS, RESULT, UNSUBSCRIBE, pseudonym, sign

#: Mails are read days later, but a link in a mailbox must not give access for ever.
MAX_RESULT_LINK_AGE = timedelta(days=14)


@dataclass(frozen=True)
class Links:
    """Signs the links. A link to a result expires no later than the result, after `result_retention`."""

    public_url: str
    key: str
    result_retention: timedelta

    def unsubscribe(self, job_id: UUID, recipient: str) -> str:
        """Return the URL that unsubscribes a recipient from a job: GET asks for confirmation, POST does it (RFC 8058)."""
        payload = {"job": str(job_id), "recipient": pseudonym(self.key, job_id, recipient)}
        return self.public_url + PATHS[UNSUBSCRIBE] + sign(self.key, UNSUBSCRIBE, payload)

    def result(self, run_id: UUID) -> tuple[str, datetime]:
        """Return the URL of a run's CSV and when it expires."""
        expires_at = datetime.now(UTC) + min(MAX_RESULT_LINK_AGE, self.result_retention)
        token = sign(self.key, RESULT, {"run": str(run_id)}, expires_at)
        return self.public_url + PATHS[RESULT] + token, expires_at
