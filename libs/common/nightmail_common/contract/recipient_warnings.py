"""What is legal in the addresses of a job and probably wrong."""

from collections.abc import Mapping
from typing import Any

_RECEIVING = ("consumer_emails", "cc", "bcc")
_FIELDS = (*_RECEIVING, "failure_emails")


def recipient_warnings(job: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the warnings about a job's recipients, each with its field.

    A domain without a dot is none of the internet. Of a job whose recipients have all unsubscribed nobody hears.

    Args:
        job: its fields by name, and who has unsubscribed.
    """
    warnings = [
        {
            "field": field,
            "detail": f"the domain of {address!r} has no dot: only a mail server of your own network knows it",
        }
        for field in _FIELDS
        for address in job.get(field) or ()
        if "." not in address.rpartition("@")[2]
    ]
    by_value = job.get("recipients_by") or {}
    if isinstance(by_value, str):  # a column of the result names them
        return warnings
    lists = [*(job.get(field) or () for field in _RECEIVING), *by_value.values()]
    unsubscribed = {address.casefold() for address in job.get("unsubscribed") or ()}
    if unsubscribed and all(unsubscribed.issuperset(map(str.casefold, addresses)) for addresses in lists):
        warnings.append(
            {
                "field": "consumer_emails",
                "detail": "every recipient has unsubscribed: nobody gets the mails of this job",
            }
        )
    return warnings
