"""Mail: send a run's mail again; and the two signed links that mails contain, which need no token."""

import html
from contextlib import suppress
from typing import Annotated, Any
from uuid import UUID, uuid4, uuid5

import nats.errors
from fastapi import APIRouter, Header, Path, Query
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, Field

from nightmail_api.http.dependencies import AppState, State
from nightmail_api.http.problems import NotFound, NotReady, ValidationProblem
from nightmail_api.http.responses import CSV, open_problems, page_response, problems
from nightmail_api.http.routes.parameters import Cursor, Limit, QueryMoment, RunId
from nightmail_api.http.routes.runs import csv_response
from nightmail_api.http.routing import Caller, EditorRoute, Route, ViewerRoute
from nightmail_api.http.schemas import MailOutcomeName, MailPage, ResendRequested
from nightmail_api.read_model.mail_queries import mail_recipients
from nightmail_api.read_model.queries import Queries
from nightmail_common.contract.envelope import iso_time, run_message_id
from nightmail_common.contract.events import MailRequested, RecipientUnsubscribed, ResultReady, RunOutcome, RunSkipped
from nightmail_common.contract.job import Job
from nightmail_common.contract.job_definition import normalise_email
from nightmail_common.contract.limits import MAX_SLICE_VALUE_CHARS
from nightmail_common.contract.signing import PATHS, RESULT, UNSUBSCRIBE, LinkNotValid, pseudonym, read

anyone = APIRouter(route_class=Route, tags=["mail"])
viewer = APIRouter(route_class=ViewerRoute, tags=["mail"])
editor = APIRouter(route_class=EditorRoute, tags=["mail"])
routers = (anyone, viewer, editor)

Signed = Annotated[str, Path(description="The last part of the link in the mail. Its signature is the permission.")]

#: The page loads nothing and posts its one form to this origin.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
_PAGE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/html": {"example": "<!doctype html>…"}}},
    **open_problems(404),
}


@viewer.get("/mails", response_model=MailPage, responses=problems())
async def list_mails(
    state: State,
    recipient: Annotated[
        str | None, Query(max_length=320, description="Only mails to this address, in upper or lower case.")
    ] = None,
    outcome: Annotated[MailOutcomeName | None, Query(description="Only mails with this outcome.")] = None,
    job_name: Annotated[str | None, Query(max_length=128, description="Only mails of this job.")] = None,
    message_id: Annotated[
        str | None, Query(max_length=998, description="Only the mail with this Message-ID; `<` and `>` may be missing.")
    ] = None,
    since: Annotated[QueryMoment | None, Query(description="Only mails with an answer at this time or later.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """List mails, one item for each recipient, newest first: sent, refused, and those that wait for their next attempt."""
    page = await state.read(
        Queries.mails,
        recipient=None if recipient is None else _folded(recipient),
        outcome=outcome,
        job_name=job_name,
        message_id=None if message_id is None else f"<{message_id.strip().strip('<>')}>",
        since=None if since is None else iso_time(since),
        limit=limit,
        cursor=cursor,
    )
    return page_response(page)


def _folded(recipient: str) -> str:
    """Return an address as a search compares it: its ASCII letters in lower case."""
    with suppress(ValueError):  # else no mail has it
        recipient = normalise_email(recipient)
    return recipient.encode().lower().decode()


class Resend(BaseModel, extra="forbid"):
    """The recipients of the mail; the default is all recipients of the run.

    Of a result that is split, `split_value` names the one slice to send; without it, each recipient gets all of theirs.
    """

    recipients: list[str] | None = Field(default=None, min_length=1, examples=[["reports@example.com"]])
    split_value: str | None = Field(default=None, max_length=MAX_SLICE_VALUE_CHARS, examples=[None])


@editor.post("/runs/{run_id}/resend", status_code=202, responses=problems(404, has_body=True))
async def resend(
    caller: Caller,
    state: State,
    run_id: RunId,
    body: Resend | None = None,
    idempotency_key: Annotated[str | None, Header(max_length=255, description="Makes a retry safe.")] = None,
) -> ResendRequested:
    """Mail the run's kept result or failure again, to all recipients of the run's version of the job or to some."""
    outcome, sequence = await _outcome(state, run_id)
    body = body or Resend()
    known = await _recipients_of(state, outcome, body.split_value)
    recipients = known if body.recipients is None else tuple(dict.fromkeys(body.recipients))
    if unknown := set(recipients).difference(known):
        raise ValidationProblem(("recipients", f"not a recipient of this run: {min(unknown)!r}"))
    request_id = uuid4() if idempotency_key is None else uuid5(run_id, f"resend:{idempotency_key}")
    event = MailRequested(
        job_name=outcome.job_name,
        run_id=run_id,
        request_id=request_id,
        outcome_sequence=sequence,
        recipients=recipients,
        split_value=body.split_value,
        actor=caller.name,
    )
    try:
        await state.log.publish(event, message_id=run_message_id(run_id, "resend", str(request_id)))
    except nats.errors.Error as error:
        raise NotReady("the log does not answer; it may have stored the request or not") from error
    return ResendRequested(request_id=request_id)


@anyone.get(
    PATHS[RESULT] + "{token}",
    response_class=Response,
    responses={200: CSV, **open_problems(404)},
)
async def shared_result(state: State, token: Signed) -> Response:
    """Return the CSV of a mail's signed link."""
    return await csv_response(state, read_link(state, RESULT, token)["run"])


@anyone.get(PATHS[UNSUBSCRIBE] + "{token}", response_class=HTMLResponse, responses=_PAGE)
async def confirm_unsubscribe(state: State, token: Signed) -> HTMLResponse:
    """Return a page that asks for confirmation, so that a mail scanner that follows the link does not unsubscribe."""
    job, address = await _recipient(state, token)
    if address is None:
        return _page_response("You get no mail of this job.")
    question = f"<p>Do you want no more mail of the job “{html.escape(job.job_name)}”?</p>"
    return _page_response(question + '<form method="post"><button>Unsubscribe</button></form>', escape=False)


@anyone.post(PATHS[UNSUBSCRIBE] + "{token}", response_class=HTMLResponse, responses=_PAGE)
async def unsubscribe(state: State, token: Signed) -> HTMLResponse:
    """Unsubscribe a recipient from a job (RFC 8058, one click; the body is ignored)."""
    job, address = await _recipient(state, token)
    if address is not None:
        event = RecipientUnsubscribed(job_name=job.job_name, job_id=job.job_id, actor="recipient", address=address)
        try:
            await state.log.publish(event, message_id=run_message_id(job.job_id, "left", token.partition(".")[0]))
        except nats.errors.Error as error:
            raise NotReady("the log does not answer; try again") from error
    return _page_response(f"You get no more mail of the job “{job.job_name}”.")


async def _recipients_of(state: AppState, outcome: RunOutcome, split_value: str | None) -> tuple[str, ...]:
    """Return who got the mail of an outcome, or that of one slice.

    Raises:
        ValidationProblem: there is no such slice.
    """
    if isinstance(outcome, ResultReady) and outcome.split is not None:
        slices = await state.results.slices(str(outcome.run_id))
        wanted = [one for one in slices if split_value in {None, one.value}]
        if slices and not wanted:
            raise ValidationProblem(("split_value", f"the run has no slice {split_value!r}"))
        return tuple(dict.fromkeys(address for one in wanted for address in one.recipients))
    if split_value is not None:
        raise ValidationProblem(("split_value", "the run has no slices: its result is not split"))
    return outcome.job.result_recipients if isinstance(outcome, ResultReady) else outcome.job.failure_recipients


async def _outcome(state: AppState, run_id: UUID) -> tuple[RunOutcome, int]:
    sequence = await state.results.sequence(str(run_id))
    outcome = None if sequence is None else await state.log.outcome(sequence)
    if sequence is None or outcome is None or isinstance(outcome, RunSkipped):
        raise NotFound(
            f"the run {run_id} has no mail to send: it has not ended, was skipped or cancelled, or is no longer kept"
        )
    return outcome, sequence


def read_link(state: AppState, purpose: str, token: str) -> dict[str, str]:
    """Return the payload of a signed link.

    Raises:
        NotFound: the link is damaged, has another purpose, or has expired.
    """
    try:
        return read(state.secret_key, purpose, token)
    except LinkNotValid as error:
        raise NotFound(str(error)) from None


async def _recipient(state: AppState, token: str) -> tuple[Job, str | None]:
    """Return the job and the recipient of a link; None if the job has no such recipient any more."""
    link = read_link(state, UNSUBSCRIBE, token)
    job = await state.read(Queries.job_of_id, UUID(link["job"]))
    if job is None:
        raise NotFound("the job does not exist any more: it sends no mail")
    named = {pseudonym(state.secret_key, job.job_id, address): address for address in job.all_recipients}
    if link["recipient"] not in named and isinstance(job.recipients_by, str):  # the addresses are in the results
        sent_to = await state.read(mail_recipients, job.job_name)
        named = {pseudonym(state.secret_key, job.job_id, address): address for address in sent_to}
    return job, named.get(link["recipient"])


def _page_response(text: str, *, escape: bool = True) -> HTMLResponse:
    content = f"<p>{html.escape(text)}</p>" if escape else text
    return HTMLResponse(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Nightmail</title>'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
        "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:32em;margin:4em auto;padding:0 1em}"
        "button{font:inherit;padding:.4em 1.2em}</style></head>"
        f"<body>{content}</body></html>",
        headers={"Content-Security-Policy": _POLICY},
    )
