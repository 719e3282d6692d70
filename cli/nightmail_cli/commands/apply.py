"""`nightmail jobs apply`: jobs as code. It makes and shows the whole plan, then executes its steps."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from nightmail_cli.client import Client, job_path, problem
from nightmail_cli.commands.changes import Change
from nightmail_cli.commands.job_file import JOB_FILES, JobFileError, read_job
from nightmail_cli.output import echo, fail
from nightmail_common.contract.job_definition import JobDefinition

Action = Literal["create", "update", "delete", "unchanged"]
_COLOURS = {"create": "green", "update": "yellow", "delete": "red", "unchanged": None}
#: More jobs than one installation is designed for (docs/scaling.md).
_EVERY_JOB = 1_000_000


@dataclass
class Step:
    """The action for one job, and its error if it failed."""

    action: Action
    job_name: str
    file: str | None = None
    job: dict[str, Any] | None = None
    etag: str | None = None
    changes: list[Change] = field(default_factory=list)
    error: str | None = None
    warnings: list[dict[str, str]] = field(default_factory=list)

    def show(self) -> None:
        source = f"  ({self.file})" if self.file else ""
        echo(f"{self.action:<9}", fg=_COLOURS[self.action], nl=False)
        echo(f" {self.job_name}{source}")
        for change in self.changes:
            change.show()

    def execute(self, client: Client) -> None:
        """Call the API; `error` is the reason if that fails."""
        if self.action == "unchanged":
            return
        path = "/jobs/create" if self.action == "create" else job_path(self.job_name)
        method = {"create": "POST", "update": "PUT", "delete": "DELETE"}[self.action]
        answer = client.try_call(method, path, json=self.job, headers={"If-Match": self.etag} if self.etag else {})
        if answer.status_code == 412:
            self.error = "the job was changed after the plan was made; apply again"
        elif answer.is_error:
            self.error = problem(answer)
        elif answer.content:
            self.warnings = answer.json()["warnings"]

    def as_json(self) -> dict[str, Any]:
        fields = ("action", "job_name", "file", "changes", "error", "warnings")
        return {name: value for name, value in asdict(self).items() if name in fields}


def make_plan(client: Client, source: Path, *, prune: bool) -> list[Step]:
    """Return the steps that make the service match the files, and change nothing. An invalid file ends the command.

    Args:
        source: a folder of job files, or one file.
        prune: also delete the jobs that have no file.
    """
    paths = sorted(path for pattern in JOB_FILES for path in source.glob(pattern)) if source.is_dir() else [source]
    if not paths:
        fail(f"there are no job files ({', '.join(JOB_FILES)}) in {source}")
    default_timezone = cache(lambda: _default_timezone(client))
    files: dict[str, Path] = {}
    steps = []
    for path in paths:
        job, definition = _read(path)
        if (other := files.setdefault(definition.job_name, path)) != path:
            fail(f"{path} and {other} both define {definition.job_name!r}")
        steps.append(_step(client, path, job, definition, default_timezone))
    if prune:
        existing = (job["job_name"] for job in client.pages("/jobs", _EVERY_JOB))
        steps.extend(Step("delete", name) for name in existing if name not in files)
    return steps


def _read(path: Path) -> tuple[dict[str, Any], JobDefinition]:
    try:
        job = read_job(path)
        return job, JobDefinition.model_validate(job)
    except JobFileError as error:
        fail(str(error))
    except ValidationError as error:
        problems = (
            f"{'.'.join(map(str, one['loc'])) or 'the job'}: {one['msg'].removeprefix('Value error, ')}"
            for one in error.errors()
        )
        fail(f"{path}: {'; '.join(problems)}")


def _step(
    client: Client, path: Path, job: dict[str, Any], definition: JobDefinition, default_timezone: Callable[[], str]
) -> Step:
    name = definition.job_name
    answer = client.try_call("GET", job_path(name))
    if answer.status_code == 404:
        return Step("create", name, path.name, job)
    if answer.is_error:
        fail(problem(answer))
    existing = answer.json()
    wanted = definition.model_dump(mode="json")
    if "timezone" not in job:
        wanted["timezone"] = default_timezone()
    changes = [
        Change(name, existing.get(name), value)
        for name, value in wanted.items()
        if _without_none(existing.get(name)) != _without_none(value)
    ]
    return Step("update" if changes else "unchanged", name, path.name, job, answer.headers.get("ETag"), changes)


def _default_timezone(client: Client) -> str:
    """Return the zone of a job whose file has none: the service's setting."""
    preview = client.call("GET", "/schedules/preview", params={"schedule_time": "@daily"}).json()
    return str(preview["timezone"])


def _without_none(value: Any) -> Any:
    return {name: one for name, one in value.items() if one is not None} if isinstance(value, dict) else value
