"""`nightmail jobs new`: begin with one of the example jobs, which run offline on data that comes with them."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nightmail_cli.client import Client
from nightmail_cli.commands.job_file import read_job
from nightmail_cli.output import fail

#: The folders `jobs` and `data`, which are part of the package.
EXAMPLES = Path(__file__).parents[1] / "gallery"


@dataclass(frozen=True)
class Example:
    """An example: its name, what its report is, and its job file."""

    name: str
    report: str
    path: Path


@dataclass(frozen=True)
class Begun:
    """What `begin` made: the job's name and file, and the data files that it uploaded."""

    job_name: str
    file: Path
    uploaded: tuple[str, ...]


def examples() -> list[Example]:
    """Return the examples by name."""
    return [Example(path.stem, _report(path), path) for path in sorted((EXAMPLES / "jobs").glob("*.yaml"))]


def document() -> dict[str, Any]:
    """Return the gallery of the console: the examples with their definitions, and the text of each data file."""
    jobs = {example: read_job(example.path) for example in examples()}
    locations = dict.fromkeys(location for job in jobs.values() for location in _locations(job))
    return {
        "examples": [{"name": one.name, "report": one.report, "job": job} for one, job in jobs.items()],
        "files": {location: (EXAMPLES / "data" / location).read_text("utf-8") for location in locations},
    }


def begin(client: Client, name: str, recipient: str | None, output: Path | None) -> Begun:
    """Upload the data that an example reads, then write its job file. Neither replaces what exists.

    If the upload fails, no file is written, and the same command can be given again.

    Args:
        recipient: who gets the report instead of the example's recipients.
        output: the job file; None for the example's name in the current folder.
    """
    example = next((one for one in examples() if one.name == name), None)
    if example is None:
        fail(f"there is no example {name!r}; nightmail jobs new lists them")
    target = output or Path(f"{example.name}.yaml")
    job = read_job(example.path)
    text = _inlined(example.path, job)
    if recipient is not None:
        text = re.sub(r"(?ms)^consumer_emails:.*?(?=^\S|\Z)", f"consumer_emails: [{recipient}]\n", text)
    if target.exists():
        fail(f"{target} exists; name another file with --output")
    uploaded = tuple(_upload(client, job))
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        fail(f"{target}: {error.strerror}")
    return Begun(job["job_name"], target, uploaded)


def _report(path: Path) -> str:
    """Return the first sentence of a job file's first comment."""
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    return first.removeprefix("#").strip().partition(". ")[0]


def _inlined(path: Path, job: dict[str, Any]) -> str:
    """Return the text of a job file with its script in place of `!file`."""
    block = "".join(f"  {line}\n" if line else "\n" for line in job["processing_script"].splitlines())
    text = path.read_text(encoding="utf-8")
    return re.sub(r"processing_script: !file \S+\n", lambda _: f"processing_script: |\n{block}", text)


def _upload(client: Client, job: dict[str, Any]) -> list[str]:
    stored = {one["path"] for one in client.call("GET", "/files").json()["items"]}
    missing = [location for location in _locations(job) if location not in stored]
    for location in missing:
        content = (EXAMPLES / "data" / location).read_bytes()
        headers = {"Content-Type": "application/octet-stream"}
        client.call("PUT", f"/files/{quote(location)}", content=content, headers=headers)
    return missing


def _locations(job: dict[str, Any]) -> list[str]:
    sources = [job["data_source"], *job.get("more_sources", {}).values()]
    return list(dict.fromkeys(source["location"] for source in sources if source["source_type"] == "file"))
