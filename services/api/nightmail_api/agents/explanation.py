"""Why a run ended as it did, in sentences: for an agent that is asked why a report is missing or a number has changed."""

from typing import Any

from nightmail_common.contract.text import describe_typed

#: The end of a script's output that an explanation has.
_LOG_TAIL_CHARS = 2_000


def explain(run: dict[str, Any], log: str, before: dict[str, Any] | None) -> str:
    """Return what is known about a run's outcome.

    Args:
        run: the run with its timeline.
        log: what its script printed.
        before: the last delivered run of the same job before it; None if there is none.
    """
    sentences = [f"The run {run['run_id']} of {run['job_name']!r} (version {run['job_version']}) is {run['status']}."]
    if run["error"] is not None:
        error = run["error"]
        sentences.append(f"It failed at the stage {error['stage']}: {describe_typed(error['type'], error['message'])}")
        if error["traceback"]:
            sentences.append(error["traceback"].rstrip())
    if run["skipped"] is not None:
        sentences.append(f"It was skipped ({run['skipped']['reason']}): {run['skipped']['detail']}")
    sentences += [f"Note of the stage {note['stage']}: {note['text']}" for note in run["notes"]]
    sentences += [
        f"The mail ({mail['kind']}) to {mail['address']} is {mail['outcome']}: {mail['answer']}"
        for mail in run["mails"]
    ]
    sentences += _compare(run, before)
    if log:
        sentences.append(f"The end of what the script printed:\n{log[-_LOG_TAIL_CHARS:]}")
    return "\n".join(sentences)


def _compare(run: dict[str, Any], before: dict[str, Any] | None) -> list[str]:
    if before is None:
        return ["No run of this job was delivered before it."]
    sentences = [f"The last delivered run before it is {before['run_id']}, with {before['rows']} rows."]
    if run["rows"] is not None and before["rows"] is not None and run["rows"] != before["rows"]:
        sentences.append(f"It has {run['rows']} rows, {run['rows'] - before['rows']:+} compared with that run.")
    for digest, more, what in (("input_sha256", "more_inputs_sha256", "data"), ("script_sha256", None, "script")):
        if run[digest] and before[digest]:
            is_same = run[digest] == before[digest] and (more is None or run[more] == before[more])
            changed = "is the same as" if is_same else "differs from that of"
            sentences.append(f"Its {what} {changed} the delivered run.")
    return sentences
