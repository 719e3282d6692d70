"""A schedule in words."""

from functools import lru_cache


@lru_cache(maxsize=1024)
def in_words(cron: str) -> str:
    """Return five cron fields as an English sentence: `At 09:00, Monday through Friday`."""
    # Half a megabyte that a service which nobody asks for a preview does not need.
    from cron_descriptor import ExpressionDescriptor, Options  # type: ignore[import-untyped]

    options = Options()
    options.use_24hour_time_format = True
    options.day_of_week_start_index_zero = True
    return str(ExpressionDescriptor(cron, options).get_full_description())
