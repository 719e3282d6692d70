"""`nightmail jobs pull`: write the jobs of the service as files that `jobs apply` accepts unchanged."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from nightmail_cli.client import Client, job_path
from nightmail_cli.commands.job_file import JOB_FILES, JobFileError, file_name, job_to_yaml, read_job
from nightmail_cli.output import fail

#: More jobs than one installation is designed for (docs/scaling.md).
_EVERY_JOB = 1_000_000


@dataclass(frozen=True)
class Pulled:
    """One job and its file."""

    job_name: str
    file: Path
    action: Literal["create", "update", "unchanged"]


def pull(client: Client, names: list[str], folder: Path) -> list[Pulled]:
    """Write jobs to a folder, each into the file that defines it already, or into a new one.

    A file that defines the same job as the service is not touched: its comments and its `!file` stay.

    Args:
        names: the jobs; all of them if it is empty.
    """
    jobs = [client.call("GET", job_path(name)).json() for name in names] or list(client.pages("/jobs", _EVERY_JOB))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = _files(folder)
        return [_write(job, files, folder) for job in jobs]
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}")


def _files(folder: Path) -> dict[str, Path]:
    """Return the job files of a folder by the names of their jobs; an invalid file ends the command."""
    files = {}
    for path in sorted(path for pattern in JOB_FILES for path in folder.glob(pattern)):
        try:
            files[str(read_job(path).get("job_name"))] = path
        except JobFileError as error:
            fail(str(error))
    return files


def _write(job: dict[str, Any], files: dict[str, Path], folder: Path) -> Pulled:
    name = job["job_name"]
    text = job_to_yaml(job)
    path = files.get(name)
    if path is None:
        path = _new_path(folder, file_name(name))
        path.write_text(text, encoding="utf-8")
        return Pulled(name, path, "create")
    if job_to_yaml(read_job(path)) == text:
        return Pulled(name, path, "unchanged")
    if path.suffix == ".json":
        fail(f"{path} defines {name!r} otherwise than the service, and pull writes YAML: move the file away first")
    path.write_text(text, encoding="utf-8")
    return Pulled(name, path, "update")


def _new_path(folder: Path, name: str) -> Path:
    candidates = (folder / f"{name}{f'-{number}' if number > 1 else ''}.yaml" for number in range(1, 10_000))
    return next(path for path in candidates if not path.exists())
