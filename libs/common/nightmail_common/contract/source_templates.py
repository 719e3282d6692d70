"""The templates of a data source: `{{ secrets.NAME }}`, `{{ scheduled_at | date('%Y-%m-%d') }}`, `{{ last_success_at | date(...) }}`.

Two expressions and no template engine: a job's owner can neither loop nor call anything.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime

SECRET = re.compile(r"\{\{\s*secrets\.([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_TIME = re.compile(r"""\{\{\s*(scheduled_at|last_success_at)\s*\|\s*date\(\s*(?:'([^'{}]*)'|"([^"{}]*)")\s*\)\s*\}\}""")
_EXPRESSION = re.compile(r"\{\{.*?(\}\}|\Z)", re.DOTALL)
#: The directives of strftime(3) that mean the same on every machine, and `%s`, seconds since 1970.
_DIRECTIVES = frozenset("YmdHMSyjGVuwIpfzsFT%")
_SHOWN_CHARS = 80


def secret_names(text: str) -> list[str]:
    """Return the names of the secrets that a text refers to as `{{ secrets.NAME }}`."""
    return SECRET.findall(text)


def time_names(text: str) -> set[str]:
    """Return which of `scheduled_at` and `last_success_at` a text refers to."""
    return {match[1] for match in _TIME.finditer(text)}


def check_templates(text: str, *, secrets: bool = False, times: bool = False) -> None:
    """Check that every `{{ ... }}` in a text is understood and may stand there.

    Raises:
        ValueError: names the first that is not, or that is of a kind which is not allowed.
    """
    for match in _EXPRESSION.finditer(text):
        expression = match[0]
        if secrets and SECRET.fullmatch(expression):
            continue
        if times and (found := _TIME.fullmatch(expression)):
            _check_format(found[2] if found[2] is not None else found[3])
            continue
        forms = ["{{ secrets.NAME }}"] * secrets
        forms += ["{{ scheduled_at | date('%Y-%m-%d') }}", "{{ last_success_at | date('%Y-%m-%d') }}"] * times
        shown = expression if len(expression) <= _SHOWN_CHARS and expression.endswith("}}") else "{{"
        can = f"only {', '.join(forms)} can stand in braces" if forms else "nothing in braces may stand here"
        raise ValueError(f"{shown!r} is not understood here; {can}")


def without_times(text: str) -> str:
    """Return a text in which a digit stands for each time."""
    return _TIME.sub("0", text)


def may_become(text: str, filled: str) -> bool:
    """Return whether a text can result from another one by filling in times."""
    plain = _TIME.sub("\0", text).split("\0")
    return re.fullmatch(".*".join(map(re.escape, plain)), filled, re.DOTALL) is not None


def fill_times(text: str, times: Mapping[str, datetime], encode: Callable[[str], str] = str) -> str:
    """Return a text with its times filled in; `encode` is applied to each.

    Raises:
        KeyError: a time that the text refers to is not given.
    """
    return _TIME.sub(
        lambda match: encode(_format(times[match[1]], match[2] if match[2] is not None else match[3])), text
    )


def _check_format(text: str) -> None:
    for match in re.finditer(r"%(.?)", text):
        if match[1] not in _DIRECTIVES or not match[1]:
            known = " ".join(f"%{directive}" for directive in sorted(_DIRECTIVES))
            raise ValueError(f"date({text!r}): {match[0]!r} is not one of {known}")


def _format(time: datetime, text: str) -> str:
    # strftime's own %s reads the time in the zone of the machine.
    seconds = re.sub(r"%(.)", lambda match: str(int(time.timestamp())) if match[1] == "s" else match[0], text)
    return time.strftime(seconds)
