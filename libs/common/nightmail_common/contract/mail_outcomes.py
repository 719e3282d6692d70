"""What the SMTP server answers for one recipient, as the events of mails have it."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

MailAnswer = Literal["accepted", "refused", "uncertain"]


class RecipientOutcome(BaseModel, frozen=True):
    """The SMTP server's answer for one recipient. `uncertain`: the connection was lost after DATA (RFC 1047)."""

    address: str
    outcome: MailAnswer
    answer: str


class WaitingRecipient(BaseModel, frozen=True):
    """A recipient whose mail the server did not accept yet: its last answer, and when the mailer tries again."""

    address: str
    answer: str
    attempts: int
    since: datetime
    next_attempt: datetime
