"""Mail: send a run's again; and the two signed links that mails carry, which need no token."""

import html
from typing import Annotated
from uuid import UUID, uuid4, uuid5

import nats.errors
from fastapi import APIRouter, Header, Path
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, ConfigDict

from nightmail_api.http.dependencies import Api, Parts
from nightmail_api.http.problems import NotFound, NotReady, NotValid
from nightmail_api.http.routes.common import Editor, RunId, json_response, open_problems, problems
from nightmail_api.http.routing import Route
from nightmail_api.read_model.queries import Queries
from nightmail_common.contract.envelope import run_message_id
from nightmail_common.contract.events import MailRequested, RecipientUnsubscribed, RunOutcome
from nightmail_common.contract.job import Job
from nightmail_common.contract.signing import PATHS, RESULT, UNSUBSCRIBE, LinkNotValid, pseudonym, read

router = APIRouter(route_class=Route, tags=["mail"])

Signed = Annotated[str, Path(description="What the link in the mail ends in: it is its own permission.")]

#: The page loads nothing and sends its one form back here.
_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"


class Resend(BaseModel):
    """Who gets the mail again; all of the job's recipients unless some are named."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"recipients": ["reports@example.com"]}})

    recipients: list[str] | None = None


class ResendRequested(BaseModel):
    """The request's id. What becomes of it is in the run's timeline and `mails`."""

    request_id: UUID


@router.post(
    "/runs/{run_id}/resend", status_code=202, response_model=ResendRequested, responses=problems(404, has_body=True)
)
async def resend(
    principal: Editor,
    api: Api,
    run_id: RunId,
    wanted: Resend | None = None,
    idempotency_key: Annotated[str | None, Header(max_length=255, description="Makes a retry safe.")] = None,
) -> Response:
    """Mail the run's kept result, or its failure, again: to all recipients of the job as it was, or to some."""
    outcome, sequence = await _outcome(api, run_id)
    known = outcome.job.consumer_emails
    recipients = known if wanted is None or wanted.recipients is None else tuple(wanted.recipients)
    if strangers := [one for one in recipients if one not in known]:
        raise NotValid(
            "1 field is not valid", errors=[("recipients", f"not a recipient of this run: {strangers[0]!r}")]
        )
    request_id = uuid4() if idempotency_key is None else uuid5(run_id, f"resend:{idempotency_key}")
    event = MailRequested(
        job_name=outcome.job_name,
        run_id=run_id,
        request_id=request_id,
        outcome_sequence=sequence,
        recipients=recipients,
        actor=principal.name,
    )
    try:
        await api.log.publish(event, message_id=run_message_id(run_id, "resend", str(request_id)))
    except nats.errors.Error as error:
        raise NotReady("the log does not answer; the request may be stored or not") from error
    return json_response({"request_id": request_id}, 202)


@router.get(
    PATHS[RESULT] + "{token}",
    response_class=Response,
    responses={200: {"description": "The CSV", "content": {"text/csv": {}}}, **open_problems(404)},
)
async def shared_result(api: Api, token: Signed) -> Response:
    """Return the CSV that a mail's signed link leads to."""
    run_id = _payload(api, RESULT, token)["run"]
    csv = await api.results.csv(run_id)
    headers = {"Content-Disposition": f'attachment; filename="{run_id}.csv"'}
    return Response(csv, headers=headers, media_type="text/csv")


@router.get(PATHS[UNSUBSCRIBE] + "{token}", response_class=HTMLResponse, responses=open_problems(404))
async def ask_to_leave(api: Api, token: Signed) -> HTMLResponse:
    """Ask whether a recipient wants to leave a job: a link that is merely followed, by a scanner too, does nothing."""
    job, address = await _recipient(api, token)
    if address is None:
        return _page("You get no mail of this job.")
    question = f"<p>Do you want no more mail of the job “{html.escape(job.job_name)}”?</p>"
    return _page(question + '<form method="post"><button>Unsubscribe</button></form>', escape=False)


@router.post(PATHS[UNSUBSCRIBE] + "{token}", response_class=HTMLResponse, responses=open_problems(404))
async def leave(api: Api, token: Signed) -> HTMLResponse:
    """Unsubscribe a recipient from a job (RFC 8058: one click, whatever the body)."""
    job, address = await _recipient(api, token)
    if address is not None:
        event = RecipientUnsubscribed(job_name=job.job_name, job_id=job.job_id, actor="recipient", address=address)
        try:
            await api.log.publish(event, message_id=run_message_id(job.job_id, "left", token.partition(".")[0]))
        except nats.errors.Error as error:
            raise NotReady("the log does not answer; try again") from error
    return _page(f"You get no more mail of the job “{job.job_name}”.")


async def _outcome(api: Parts, run_id: UUID) -> tuple[RunOutcome, int]:
    try:
        sequence = await api.read(Queries.outcome_sequence, str(run_id))
    except KeyError:
        raise NotFound(f"there is no run {run_id}") from None
    outcome = None if sequence is None else await api.log.outcome(sequence)
    if sequence is None or outcome is None:
        raise NotFound(f"the run {run_id} has nothing to send: it has not ended, or is kept no longer")
    return outcome, sequence


def _payload(api: Parts, purpose: str, token: str) -> dict[str, str]:
    try:
        return read(api.secret_key, purpose, token)
    except LinkNotValid as error:
        raise NotFound(str(error)) from None


async def _recipient(api: Parts, token: str) -> tuple[Job, str | None]:
    """Return the job that a link is about, and whom; None if the job has no such recipient now."""
    link = _payload(api, UNSUBSCRIBE, token)
    job = await api.read(Queries.job_of_id, UUID(link["job"]))
    if job is None:
        raise NotFound("the job is no longer there: it sends no mail")
    named = {pseudonym(api.secret_key, job.job_id, address): address for address in job.consumer_emails}
    return job, named.get(link["recipient"])


def _page(text: str, *, escape: bool = True) -> HTMLResponse:
    content = f"<p>{html.escape(text)}</p>" if escape else text
    return HTMLResponse(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Nightmail</title>'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
        "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:32em;margin:4em auto;padding:0 1em}"
        "button{font:inherit;padding:.4em 1.2em}</style></head>"
        f"<body>{content}</body></html>",
        headers={"Content-Security-Policy": _PAGE_POLICY},
    )
