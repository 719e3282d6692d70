"""What is legal in the addresses of a job and probably wrong."""

from collections.abc import Iterable, Mapping

_FIELDS = ("consumer_emails", "cc", "bcc", "failure_emails")


def recipient_warnings(job: Mapping[str, Iterable[str]]) -> list[dict[str, str]]:
    """Return the warnings about a job's recipients, each with its field: a domain without a dot is none of the internet.

    Args:
        job: its fields by name.
    """
    return [
        {
            "field": field,
            "detail": f"the domain of {address!r} has no dot: only a mail server of your own network knows it",
        }
        for field in _FIELDS
        for address in job.get(field) or ()
        if "." not in address.rpartition("@")[2]
    ]
