"""`nightmail jobs edit`: a job in the user's editor, with a preview after each time that the editor is closed."""

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import typer

from nightmail_cli.client import Client, job_path, problem
from nightmail_cli.commands.job_file import JobFileError, file_name, job_to_yaml, read_job
from nightmail_cli.commands.preview_view import print_preview
from nightmail_cli.output import FAILED, echo, fail, format_time

DEFAULT_EDITOR = "vi"


def edit(client: Client, name: str) -> dict[str, Any]:
    """Let the user edit a job until it is saved, and return it. A draft that is not saved stays in its file."""
    answer = client.call("GET", job_path(name))
    before = job_to_yaml(answer.json())
    folder = Path(tempfile.mkdtemp(prefix="nightmail-"))  # mode 0700: a script may hold what nobody else may read
    draft = folder / f"{file_name(name)}.yaml"
    draft.write_text(before, encoding="utf-8")
    trial = _Trial(client)
    while True:
        _open_editor(draft)
        if draft.read_text(encoding="utf-8") == before:
            draft.unlink()
            folder.rmdir()
            echo("nothing was changed")
            unchanged: dict[str, Any] = answer.json()
            return unchanged
        job, works = trial.run(draft)
        choice = _ask(valid=job is not None, works=works)
        if choice == "q":
            echo(f"{name!r} is not changed; the draft is in {draft}")
            raise typer.Exit(FAILED)
        if choice == "s" and job is not None:
            saved = _save(client, name, job, answer.headers.get("ETag"), draft)
            if saved is not None:
                draft.unlink()
                folder.rmdir()
                return saved


def _open_editor(draft: Path) -> None:
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or DEFAULT_EDITOR
    try:
        # A stdout that a pipe or `--json` takes is no terminal for the editor.
        terminal = None if sys.stdout.isatty() else sys.stderr.fileno()
        ended = subprocess.run([*shlex.split(command), str(draft)], stdout=terminal, check=False)
    except OSError as error:
        fail(f"cannot start the editor {command!r}: {error.strerror}; set EDITOR. The draft is in {draft}")
    if ended.returncode:
        fail(f"the editor {command!r} ended with {ended.returncode}; the draft is in {draft}")


class _Trial:
    """Previews of a draft: the data is fetched once, as long as its source stays the same."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._sources: object = None
        self._sample_id: str | None = None

    def run(self, draft: Path) -> tuple[dict[str, Any] | None, bool]:
        """Run the draft without saving it, and print the result.

        Returns:
            the job, None if it is not valid; and whether its data came and its script works.
        """
        try:
            job = read_job(draft)
        except JobFileError as error:
            echo(f"error: {error}", fg="red", err=True)
            return None, False
        preview = self._preview(job)
        if preview is None:
            return None, False
        print_preview(preview)
        return job, preview.get("error") is None

    def _preview(self, job: dict[str, Any]) -> dict[str, Any] | None:
        """Return the preview; print the error and return None if the job is not valid."""
        sources = (job.get("data_source"), job.get("more_sources"))
        sample_id = self._sample_id if sources == self._sources else None
        sample = {} if sample_id is None else {"sample_id": sample_id}
        answer = self._client.try_call("POST", "/jobs/preview", json=job | sample)
        if answer.is_error:
            echo(f"error: {problem(answer)}", fg="red", err=True)
            return None
        preview: dict[str, Any] = answer.json()
        if sample_id is not None and (preview.get("error") or {}).get("type") == "SampleGone":
            self._sample_id = None
            return self._preview(job)
        self._sources, self._sample_id = sources, preview.get("sample_id")
        return preview


def _ask(*, valid: bool, works: bool) -> str:
    """Return s, e or q: save, edit again, quit. Without a terminal there is nobody to ask: save what works."""
    if not sys.stdin.isatty():
        return "s" if works else "q"
    words = {"s": "[s]ave", "e": "[e]dit again", "q": "[q]uit"}
    choices = [choice for choice in words if valid or choice != "s"]
    while True:
        asked = typer.prompt(", ".join(words[choice] for choice in choices), default="s" if works else "e")
        given = str(asked).strip()[:1].lower()
        if given in choices:
            return given


def _save(client: Client, name: str, job: dict[str, Any], etag: str | None, draft: Path) -> dict[str, Any] | None:
    """Return the saved job; print the error and return None if it is refused."""
    answer = client.try_call("PUT", job_path(name), json=job, headers={"If-Match": etag} if etag else {})
    if answer.status_code == 412:
        fail(
            f"somebody changed {name!r} while you were editing it; your draft is in {draft}. nightmail jobs versions"
            " shows the change; edit again and merge your draft, or overwrite the change with nightmail jobs apply -f"
        )
    if answer.is_error:
        echo(f"error: {problem(answer)}", fg="red", err=True)
        return None
    saved: dict[str, Any] = answer.json()
    echo(f"saved {saved['job_name']!r} as version {saved['version']}; it runs next at {format_time(saved['next_run'])}")
    return saved
