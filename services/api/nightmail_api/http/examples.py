"""An example of every request and every answer, for the API's documentation; a test holds them against their schemas."""

from typing import Any

_RUN_ID = "3f1d3c0e-6a52-5d7e-9b8e-0f6c1c7a9d21"

JOB_DEFINITION: dict[str, Any] = {
    "job_name": "daily sales",
    "schedule_time": "0 9 * * 1-5",
    "timezone": "Europe/Paris",
    "data_source": {"source_type": "api", "location": "https://example.com/sales.csv", "file_type": "csv"},
    "processing_script": "return data.groupby('region', as_index=False).amount.sum()",
    "consumer_emails": ["reports@example.com"],
}
_SOURCE = JOB_DEFINITION["data_source"] | {"headers": None, "records_path": None, "delimiter": None, "encoding": None}
_JOB = (
    JOB_DEFINITION
    | {"data_source": _SOURCE}
    | {
        "description": "",
        "timeout_seconds": None,
        "on_missed": "run_once",
        "max_lateness_seconds": 86400,
        "overlap": "allow",
        "retries": 0,
        "subject": None,
        "notify_on_failure": True,
        "csv_formulas": "neutralise",
        "when_empty": "send",
        "job_id": "4f6ac7a4-6f2e-4b4e-9a5e-0f8f3a0b8f0e",
        "version": 1,
        "created_at": "2026-11-23T15:48:00Z",
        "updated_at": "2026-11-23T15:48:00Z",
    }
)
_TIMINGS = {"fetch_ms": 41.2, "parse_ms": 1.9, "script_ms": 3.4, "output_ms": 0.8, "total_ms": 52.6}
_LAST_RUN = {
    "run_id": _RUN_ID,
    "status": "delivered",
    "trigger": "schedule",
    "scheduled_at": "2026-11-23T08:00:00Z",
    "requested_at": "2026-11-23T08:00:00.004Z",
    "started_at": "2026-11-23T08:00:00.009Z",
    "finished_at": "2026-11-23T08:00:00.066Z",
    "rows": 4,
    "error": None,
}
_ANSWERED_JOB = _JOB | {
    "status": "active",
    "last_run": _LAST_RUN,
    "next_run": "2026-11-24T09:00:00+01:00",
    "unsubscribed": [],
}
_RUN = _LAST_RUN | {
    "job_name": "daily sales",
    "job_version": 1,
    "late": False,
    "mails": [
        {
            "kind": "result",
            "address": "reports@example.com",
            "outcome": "accepted",
            "answer": "250 2.0.0 Ok: queued",
            "message_id": "<3f1d3c0e.result@mail.example.com>",
        }
    ],
    "timings": _TIMINGS,
}
_TIMELINE = [
    {"type": "run-requested", "time": "2026-11-23T08:00:00.004Z", "sequence": 41},
    {"type": "run-started", "time": "2026-11-23T08:00:00.009Z", "sequence": 42},
    {"type": "result-ready", "time": "2026-11-23T08:00:00.066Z", "sequence": 43},
    {"type": "mail-sent", "time": "2026-11-23T08:00:00.081Z", "sequence": 44},
]
_VERSION = {
    "version": 2,
    "sequence": 57,
    "time": "2026-11-23T16:02:11Z",
    "actor": "maria",
    "rolled_back_to": None,
    "changes": [{"field": "schedule_time", "before": "0 9 * * 1-5", "after": "30 8 * * 1-5"}],
}
_TOKEN = {
    "name": "dashboard",
    "role": "viewer",
    "created_at": "2026-11-23T15:48:00.000Z",
    "created_by": "admin",
    "expires_at": None,
}
EVENT: dict[str, Any] = {
    "seq": 42,
    "time": "2026-11-23T08:00:00.009Z",
    "type": "run-started",
    "job_name": "daily sales",
    "run_id": _RUN_ID,
    "source": "runner",
    "data": {"job_name": "daily sales", "run_id": _RUN_ID, "runner": "host-1", "attempt": 1},
}

#: By the name of the schema.
BY_SCHEMA: dict[str, Any] = {
    "JobDefinition": JOB_DEFINITION,
    "PreviewDefinition": {field: JOB_DEFINITION[field] for field in ("data_source", "processing_script")},
    "Rollback": {"version": 1},
    "Resend": {"recipients": ["reports@example.com"]},
    "TokenRequest": {"name": "dashboard", "role": "viewer"},
    "JobAnswer": _ANSWERED_JOB,
    "JobPage": {"items": [_ANSWERED_JOB], "next_cursor": None},
    "PreviewAnswer": {
        "columns": ["region", "amount"],
        "rows": 2,
        "first_rows": [["north", "1200"], ["south", "950"]],
        "error": None,
        "log": "",
        "timings": _TIMINGS,
    },
    "RunAccepted": {"run_id": _RUN_ID},
    "RunPage": {"items": [_RUN], "next_cursor": "WyIyMDI2LTExLTIzIl0"},
    "RunWithTimeline": _RUN | {"timeline": _TIMELINE},
    "VersionPage": {"items": [_VERSION], "next_cursor": None},
    "VersionWithJob": _VERSION | {"job": _JOB | {"version": 2, "schedule_time": "30 8 * * 1-5"}},
    "ResendRequested": {"request_id": "7d0c2b1e-93a5-4f61-8a40-2d9f5a9f3c11"},
    "SchedulePreview": {
        "schedule_time": "0 9 * * 1-5",
        "timezone": "Europe/Paris",
        "description": "At 09:00, Monday through Friday",
        "next_runs": ["2026-11-24T09:00:00+01:00", "2026-11-25T09:00:00+01:00"],
        "notes": [],
    },
    "EventList": {"items": [EVENT]},
    "TokenMade": _TOKEN | {"token": "nm_mfrggzdfmztwq2lknnwg23tpob_0aVw…"},
    "TokenList": {"items": [_TOKEN]},
    "Live": {"status": "live"},
    "Ready": {"status": "ready", "dependencies": {"nats": "ok", "projection": "ok"}},
}

#: By the type of a text.
BY_MEDIA_TYPE = {
    "text/csv": "region,amount\nnorth,1200\nsouth,950\n",
    "text/plain": "read 1234 rows\n",
    "text/html": "<!doctype html>…",
}

#: What an answer with a status that is no success says.
PROBLEMS: dict[int, tuple[str, list[dict[str, str]]]] = {
    400: (
        "1 field is not valid",
        [{"field": "data_source.location", "detail": "source_type 'api' needs an http:// or https:// URL"}],
    ),
    401: ("the token is not known", []),
    403: ("this needs the role editor; the token's is viewer", []),
    404: ("there is no job named 'daily sales'", []),
    409: ("there is a job named 'daily sales' already", [{"field": "job_name", "detail": "the name is taken"}]),
    412: ("the job 'daily sales' was changed meanwhile: its ETag is now \"57\"", []),
    413: ("a body has at most 1048576 bytes", []),
    415: ("send JSON, with the header 'Content-Type: application/json'", []),
    429: ("too many wrong tokens", []),
    503: ("catching up: 41200 of 100000 events are applied", []),
}
