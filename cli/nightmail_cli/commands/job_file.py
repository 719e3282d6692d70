"""Job files: YAML or JSON with the fields of the API; `!file report.py` includes the text of a file beside it.

What the API answers is also a job file: the fields that the service decides are left out.
"""

import json
import re
from pathlib import Path
from typing import Any

import yaml

JOB_FILES = ("*.yaml", "*.yml", "*.json")

#: The fields of an answer that no request may have: the service decides them.
ANSWER_FIELDS = frozenset(
    {
        "job_id",
        "version",
        "created_at",
        "updated_at",
        "status",
        "last_run",
        "next_run",
        "schedule_description",
        "unsubscribed",
        "warnings",
    }
)
_MAX_FILE_NAME_CHARS = 80

_KINDS: dict[type, str] = {list: "a list", str: "a text"}


class JobFileError(Exception):
    """The file is not a valid job file; the message names it, and the line if the parser knows it."""


def read_job(path: Path) -> dict[str, Any]:
    """Return the job definition in a file, as a request body of the API.

    Raises:
        JobFileError: the file cannot be read, or is not a mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
        job = json.loads(text) if path.suffix == ".json" else yaml.load(text, Loader=_loader(path.parent))  # noqa: S506
    except OSError as error:
        raise JobFileError(f"{error.filename or path}: {error.strerror}") from error
    except yaml.MarkedYAMLError as error:
        place = "" if error.problem_mark is None else f", line {error.problem_mark.line + 1}"
        context = "" if error.context is None else f"{error.context}: "
        raise JobFileError(f"{path}{place}: not valid YAML: {context}{error.problem}") from error
    except (ValueError, yaml.YAMLError) as error:
        raise JobFileError(f"{path}: {str(error).splitlines()[0]}") from error
    if not isinstance(job, dict):
        found = "the file is empty" if job is None else f"this is {_KINDS.get(type(job), 'a single value')}"
        raise JobFileError(f"{path}: a job is a mapping of fields such as `job_name: sales`; {found}")
    return _request(job) if "job_id" in job else job


def job_to_yaml(answer: dict[str, Any]) -> str:
    """Return an answer of the API as a job file that `apply` accepts unchanged, without the fields at their defaults.

    The time zone is always in it: its default is a setting of the service.
    """
    from pydantic import ValidationError

    from nightmail_common.contract.job_definition import JobDefinition  # takes long to import

    job = _request(answer)
    try:
        short = JobDefinition.model_validate(job).model_dump(mode="json", exclude_defaults=True)
    except ValidationError:  # an earlier version of the service accepted it; the user decides what to change
        short = {name: value for name, value in job.items() if value is not None}
    ordered = {name: short[name] if name in short else job[name] for name in job if name in short or name == "timezone"}
    return yaml.dump(ordered, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def file_name(job_name: str) -> str:
    """Return a file name for a job, without an ending: letters, digits and hyphens."""
    words = re.sub(r"[^\w]+", "-", job_name.casefold()).strip("-_")
    return words[:_MAX_FILE_NAME_CHARS] or "job"


def _request(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in ANSWER_FIELDS}


def _loader(folder: Path) -> type[yaml.SafeLoader]:
    """Return a safe loader with the tag `!file`, relative to the job file's folder."""

    class Loader(yaml.SafeLoader):
        pass

    def include(loader: yaml.SafeLoader, node: yaml.Node) -> str:
        assert isinstance(node, yaml.ScalarNode)
        return (folder / str(loader.construct_scalar(node))).read_text(encoding="utf-8")

    def whole_number(loader: yaml.SafeLoader, node: yaml.Node) -> Any:
        assert isinstance(node, yaml.ScalarNode)
        # YAML 1.1 reads 17:30 as 1050, a number in base 60.
        return node.value if ":" in node.value else loader.construct_yaml_int(node)

    def as_written(_loader: yaml.SafeLoader, node: yaml.Node) -> Any:
        # JSON has no dates: the API takes 2026-12-24 as text.
        return node.value

    Loader.add_constructor("!file", include)
    Loader.add_constructor("tag:yaml.org,2002:int", whole_number)
    Loader.add_constructor("tag:yaml.org,2002:timestamp", as_written)
    return Loader


class _Dumper(yaml.SafeDumper):
    """Writes a text of several lines as a block, as a person does."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _represent_text)
