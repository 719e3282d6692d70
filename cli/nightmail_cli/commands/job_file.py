"""Job files: YAML or JSON with the fields of the API; `!file report.py` includes the text of a file beside it."""

import json
from pathlib import Path
from typing import Any

import yaml

JOB_FILES = ("*.yaml", "*.yml", "*.json")


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
    except (ValueError, yaml.YAMLError) as error:
        raise JobFileError(f"{path}: {error}") from error
    if not isinstance(job, dict):
        raise JobFileError(f"{path}: a job is a mapping of fields, this is {type(job).__name__}")
    return job


def _loader(folder: Path) -> type[yaml.SafeLoader]:
    """Return a safe loader with the tag `!file`, relative to the job file's folder."""

    class Loader(yaml.SafeLoader):
        pass

    def include(loader: yaml.SafeLoader, node: yaml.Node) -> str:
        assert isinstance(node, yaml.ScalarNode)
        return (folder / str(loader.construct_scalar(node))).read_text(encoding="utf-8")

    Loader.add_constructor("!file", include)
    return Loader
