"""The links in mails: signed, so that who has the mail can follow them and nobody can make others."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from nightmail_common.contract.signing import PATHS, RESULT, UNSUBSCRIBE, pseudonym, sign

#: Mails are read late; and what is mailed as a link is found in mailboxes for ever.
LONGEST_RESULT_LINK = timedelta(days=14)


@dataclass(frozen=True)
class Links:
    """Makes the links. `result_retention`: a link does not outlive what it leads to."""

    public_url: str
    key: str
    result_retention: timedelta

    def unsubscribe(self, job_id: UUID, recipient: str) -> str:
        """Return the URL at which a recipient leaves a job: GET asks, POST does it (RFC 8058)."""
        payload = {"job": str(job_id), "recipient": pseudonym(self.key, job_id, recipient)}
        return self.public_url + PATHS[UNSUBSCRIBE] + sign(self.key, UNSUBSCRIBE, payload)

    def result(self, run_id: UUID) -> tuple[str, datetime]:
        """Return the URL of a run's CSV, and until when it is good."""
        expires_at = datetime.now(UTC) + min(LONGEST_RESULT_LINK, self.result_retention)
        token = sign(self.key, RESULT, {"run": str(run_id)}, expires_at)
        return self.public_url + PATHS[RESULT] + token, expires_at
