"""The triggers that count runs and mails by day: a counter changes in the statement that changes its row, whatever that is.

So counters equal their rows after a run expires, a job is erased, or the tables are rebuilt from the log. A run counts for
the day of its due time in UTC, a mail to one recipient for the day of the last answer.
"""

from typing import get_args

from nightmail_common.contract.mail_outcomes import MailAnswer
from nightmail_common.contract.run import RunStatus

RUN_STATUSES: tuple[str, ...] = get_args(RunStatus)
MAIL_OUTCOMES: tuple[str, ...] = (*get_args(MailAnswer), "waiting", "bounced")
#: The counters' columns.
COUNTERS = (
    *(f"runs_{status}" for status in RUN_STATUSES),
    *(f"mails_{outcome}" for outcome in MAIL_OUTCOMES),
    "rows",
    "bytes",
)

_RUN_DAY, _MAIL_DAY = "substr({row}.scheduled_at, 1, 10)", "substr({row}.time, 1, 10)"
#: What a row of runs, and a row of mails, adds to each counter. `{row}` is NEW or OLD.
_RUN = {
    **{f"runs_{status}": f"CASE WHEN {{row}}.status = '{status}' THEN 1 ELSE 0 END" for status in RUN_STATUSES},
    "rows": "coalesce({row}.rows, 0)",
    "bytes": "coalesce({row}.bytes, 0)",
}
_MAIL = {f"mails_{one}": f"CASE WHEN {{row}}.outcome = '{one}' THEN 1 ELSE 0 END" for one in MAIL_OUTCOMES}
#: A result sets `rows` and `bytes` at once, and nothing clears them.
_RUN_CHANGED = "NEW.status <> OLD.status OR (OLD.rows IS NULL AND NEW.rows IS NOT NULL)"


def triggers(dialect: str) -> list[str]:
    """Return the statements that create the triggers, for `sqlite` or `postgresql`.

    The due time of a run does not change, and the rows of mails are not updated but replaced.
    """
    bodies = {
        ("runs", "INSERT", ""): _add(_RUN_DAY, _RUN),
        ("runs", "UPDATE", _RUN_CHANGED): _change(_RUN_DAY, _RUN),
        ("runs", "DELETE", ""): _take_away(_RUN_DAY, _RUN),
        ("mails", "INSERT", ""): _add(_MAIL_DAY, _MAIL),
        ("mails", "DELETE", ""): _take_away(_MAIL_DAY, _MAIL),
    }
    create = _create_in_sqlite if dialect == "sqlite" else _create_in_postgresql
    return [statement for place, body in bodies.items() for statement in create(*place, body)]


def _create_in_sqlite(table: str, action: str, condition: str, body: str) -> list[str]:
    when = f"WHEN {condition} " if condition else ""
    return [f"CREATE TRIGGER count_{table}_{action} AFTER {action} ON {table} {when}BEGIN {body} END"]


def _create_in_postgresql(table: str, action: str, condition: str, body: str) -> list[str]:
    name = f"count_{table}_{action}".lower()
    when = f"WHEN ({condition}) " if condition else ""
    return [
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {body} RETURN NULL; END$$",
        f"CREATE TRIGGER {name} AFTER {action} ON {table} FOR EACH ROW {when}EXECUTE FUNCTION {name}()",
    ]


def _add(day: str, counted: dict[str, str]) -> str:
    values = ", ".join((day, "{row}.job_name", *counted.values())).format(row="NEW")
    changes = ", ".join(f"{column} = days.{column} + excluded.{column}" for column in counted)
    columns = ", ".join(counted)
    return (
        f"INSERT INTO days (day, job_name, {columns}) VALUES ({values}) "  # noqa: S608 (every name is one of ours)
        f"ON CONFLICT (day, job_name) DO UPDATE SET {changes};"
    )


def _change(day: str, counted: dict[str, str]) -> str:
    changes = ", ".join(
        f"{column} = {column} + {value.format(row='NEW')} - {value.format(row='OLD')}"
        for column, value in counted.items()
    )
    return f"UPDATE days SET {changes} WHERE {_of_day(day)};"  # noqa: S608


def _take_away(day: str, counted: dict[str, str]) -> str:
    changes = ", ".join(f"{column} = {column} - {value.format(row='OLD')}" for column, value in counted.items())
    is_empty = " AND ".join(f"{column} = 0" for column in COUNTERS)
    return (
        f"UPDATE days SET {changes} WHERE {_of_day(day)}; "  # noqa: S608
        f"DELETE FROM days WHERE {_of_day(day)} AND {is_empty};"
    )


def _of_day(day: str) -> str:
    return f"day = {day.format(row='OLD')} AND job_name = OLD.job_name"
