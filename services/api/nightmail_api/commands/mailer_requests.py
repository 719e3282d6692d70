"""Requests to the mailers, which have the templates and the SMTP server's credentials."""

import asyncio
import json
from typing import Any

import nats.errors
from nats.aio.client import Client

from nightmail_api.http.problems import NotReady


async def ask_mailer(
    client: Client, subject: str, request: dict[str, Any], seconds: float, what: str
) -> dict[str, Any]:
    """Return the answer of one of the mailers to a NATS request.

    Args:
        seconds: to wait, longer than a mailer takes.
        what: for the errors: what it is to do, as in "render the mail".

    Raises:
        NotReady: no mailer answers in time, it could not do it, or the broker does not answer.
    """
    if not client.is_connected:
        raise NotReady("the broker does not answer")
    try:
        reply = await client.request(subject, json.dumps(request).encode(), timeout=seconds)
    except nats.errors.NoRespondersError:
        raise NotReady(f"no mailer is available to {what}", retry_after_seconds=5) from None
    except nats.errors.MaxPayloadError:
        raise NotReady(f"the mailer cannot {what}: the request is too large") from None
    except nats.errors.TimeoutError:
        raise NotReady(f"no mailer answered in time to {what}", retry_after_seconds=30) from None
    answer: dict[str, Any] = await asyncio.to_thread(json.loads, reply.data)
    if "error" in answer:
        raise NotReady(f"the mailer cannot {what}: {answer['error']}", retry_after_seconds=5)
    return answer
