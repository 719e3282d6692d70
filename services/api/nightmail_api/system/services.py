"""The services as their processes announce themselves in the bucket `SERVICES`."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from nightmail_common.broker.checks import Check
from nightmail_common.broker.streams import SERVICES

#: The services of a complete system.
NAMES = ("api", "ticker", "runner", "mailer")
#: The most concurrent reads from the broker.
CONCURRENT_READS = 20

Entry = dict[str, Any]
Entries = dict[str, list[Entry]]


async def read_entries(js: JetStreamContext) -> Entries:
    """Return the entries of each service, the oldest process first.

    Raises:
        nats.errors.Error: the broker does not answer.
    """
    stream = f"KV_{SERVICES}"
    info = await js.stream_info(stream, subjects_filter=f"$KV.{SERVICES}.>")
    slots = asyncio.Semaphore(CONCURRENT_READS)

    async def read(subject: str) -> Entry | None:
        async with slots:
            try:
                message = await js.get_last_msg(stream, subject)
            except NotFoundError:  # it expired meanwhile
                return None
        entry: Entry | None = json.loads(message.data) if message.data else None  # without data: it was withdrawn
        return entry

    entries: Entries = defaultdict(list)
    for entry in await asyncio.gather(*map(read, info.state.subjects or {})):
        if entry is not None:
            entries[entry["service"]].append(entry)
    return {name: sorted(of_service, key=lambda one: str(one["started_at"])) for name, of_service in entries.items()}


def service_json(name: str, entries: list[Entry], backlog: int | None) -> dict[str, Any]:
    """Return a service as `GET /system` shows it."""
    versions = sorted({entry["version"] for entry in entries})
    return {
        "name": name,
        "ready": any(entry["ready"] for entry in entries),
        "version": versions[0] if len(versions) == 1 else None,
        "backlog": backlog,
        "replicas": [{key: value for key, value in entry.items() if key != "service"} for entry in entries],
    }


def smtp_json(mailers: list[Entry]) -> dict[str, Any] | None:
    """Return the SMTP server as the mailers see it; None if no mailer runs."""
    if not mailers:
        return None
    reasons = [reason for reason in map(_smtp_reason, mailers) if reason is not None]
    settings = mailers[-1]["facts"].get("smtp", {})
    return {
        "server": settings.get("server"),
        "security": settings.get("security"),
        "sender": settings.get("sender"),
        "catcher": settings.get("catcher", False),
        "reachable": not reasons,
        "reason": reasons[0] if reasons else None,
    }


def check_services(entries: Entries) -> Iterator[Check]:
    """Check that each service runs and is ready, in one version. It does not repeat what `check_smtp` reports."""
    for name in NAMES:
        if not entries.get(name):
            yield Check("services", "problem", f"no {name} runs", "start one, or find out why it ended")
    for name, of_service in entries.items():
        for entry in of_service:
            reasons = {part: why for part, why in entry["dependencies"].items() if why != "ok" and part != "smtp"}
            if not entry["ready"] and (reasons or _smtp_reason(entry) is None):
                said = "; ".join(f"{part}: {why}" for part, why in reasons.items())
                fix = "fix the named reason; the log of the process has more"
                yield Check("services", "problem", f"{name} {entry['instance']} is not ready: {said}", fix)
    versions = sorted({entry["version"] for of_service in entries.values() for entry in of_service})
    if len(versions) > 1:
        fix = "finish the upgrade: all processes should run one version"
        yield Check("services", "warning", f"several versions run: {', '.join(versions)}", fix)


def check_smtp(smtp: dict[str, Any] | None) -> Check | None:
    """Check that the mailers reach the SMTP server; None without a mailer."""
    if smtp is None:
        return None
    if not smtp["reachable"]:
        fix = "check NIGHTMAIL_SMTP_* with nightmail mail test; mail waits until the server answers"
        server, reason = f"{smtp['server']}: ", str(smtp["reason"])
        return Check("smtp", "problem", server + reason.removeprefix(server), fix)
    return Check("smtp", "ok", f"{smtp['server']} answers ({smtp['security']})")


def check_run_groups(runners: list[Entry]) -> Check | None:
    """Return the check of what the control group of each run limits; None if no runner reports it."""
    found = [entry["facts"]["run_groups"] for entry in runners if "run_groups" in entry["facts"]]
    if not found:
        return None
    problems = [facts["problem"] for facts in found if facts["problem"] is not None]
    if problems:
        detail = f"none for each run, which has its resource limits only: {problems[0]} (docs/sandbox.md)"
        return Check("control groups", "ok", detail)
    bounds = ", ".join(found[0]["bounds"]) or "nothing, as the machine hands over no controller"
    return Check("control groups", "ok", f"one for each run, which is killed as a whole and bounds {bounds}")


def _smtp_reason(mailer: Entry) -> str | None:
    reason = mailer["dependencies"].get("smtp", "ok")
    return None if reason == "ok" else str(reason)
