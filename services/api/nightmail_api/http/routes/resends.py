"""Send again what recipients did not get, of all runs since a time."""

from uuid import UUID, uuid5

import nats.errors
from fastapi import APIRouter
from pydantic import BaseModel, Field

from nightmail_api.http.dependencies import State
from nightmail_api.http.problems import NotReady
from nightmail_api.http.responses import problems
from nightmail_api.http.routes.parameters import Moment
from nightmail_api.http.routing import Caller, EditorRoute
from nightmail_api.read_model.mail_queries import UndeliveredMail, undelivered_mails
from nightmail_common.contract.envelope import iso_time, run_message_id
from nightmail_common.contract.events import MailRequested

editor = APIRouter(route_class=EditorRoute, tags=["mail"])
routers = (editor,)


class ResendUndelivered(BaseModel, extra="forbid"):
    """Which mails are sent again: those that the server refused at this time or later."""

    undelivered_since: Moment = Field(examples=["2026-11-23T00:00:00+01:00"])
    job_name: str | None = Field(default=None, max_length=128, examples=["daily sales"])
    cursor: str | None = Field(default=None, max_length=1024, description="The `next_cursor` of the answer before.")


class ResentMail(BaseModel):
    """A mail that is sent again, to the recipients who did not get it."""

    run_id: UUID = Field(examples=["01a20996-fe4d-720b-8c70-9ca43442f14c"])
    request_id: UUID = Field(examples=["7d0c2b1e-93a5-4f61-8a40-2d9f5a9f3c11"])
    recipients: list[str] = Field(examples=[["reports@example.com"]])
    split_value: str | None = Field(examples=[None])


class ResentMails(BaseModel):
    """Up to 200 mails. `next_cursor` asks for the next ones; null at the end."""

    items: list[ResentMail]
    next_cursor: str | None = Field(examples=[None])


@editor.post("/runs/resend", status_code=202, responses=problems(has_body=True))
async def resend_undelivered(caller: Caller, state: State, body: ResendUndelivered) -> ResentMails:
    """Mail again what the server refused, each mail to those of its recipients who did not get it: the oldest 200 mails.

    A repeated request sends nothing twice: a mail is sent again only after the server has refused it again. Mails of deleted
    jobs, and mails that may have arrived, stay as they are.
    """
    since = iso_time(body.undelivered_since)
    found, next_cursor = await state.read(undelivered_mails, since, body.job_name, body.cursor)
    items = []
    for mail in found:
        event = _request(mail, caller.name)
        try:
            identity = run_message_id(mail.run_id, "resend", str(event.request_id))
            await state.log.publish(event, message_id=identity)
        except nats.errors.Error as error:
            raise NotReady("the log does not answer; repeat the request to resend the rest") from error
        items.append(
            ResentMail(
                run_id=mail.run_id,
                request_id=event.request_id,
                recipients=list(mail.recipients),
                split_value=mail.split_value,
            )
        )
    return ResentMails(items=items, next_cursor=next_cursor)


def _request(mail: UndeliveredMail, actor: str) -> MailRequested:
    return MailRequested(
        job_name=mail.job_name,
        run_id=mail.run_id,
        # The mailer sends a request once: the same id for one refusal, however often a user asks.
        request_id=uuid5(mail.run_id, f"undelivered:{mail.sequence}"),
        outcome_sequence=mail.outcome_sequence,
        recipients=mail.recipients,
        split_value=mail.split_value,
        actor=actor,
    )
