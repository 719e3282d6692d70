"""IANA time zones, and the check of a name that a user writes."""

import difflib
import re
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from nightmail_common.contract.limits import MAX_TIMEZONE_CHARS

#: Names in the tz database that are not places: `Factory` means "not configured" and `localtime` differs between machines.
_PSEUDO_ZONES = frozenset({"Factory", "localtime", "posixrules"})
#: `right/...` counts leap seconds, `posix/...` repeats the other names.
_PSEUDO_FOLDERS = ("posix/", "right/")
#: Zones whose sign is that of POSIX: Etc/GMT+1 is an hour behind UTC. A user who writes GMT+1 means an hour ahead.
_POSIX_SIGN = re.compile(r"(etc/)?gmt[+-]\d+")
#: An offset in place of a zone: GMT+1, UTC-05:00, +0530, UTC1.
_OFFSET = re.compile(
    r"(?P<etc>etc/)?(?:utc|gmt|z|(?=[+\-\u2212])) ?(?P<sign>[+\-\u2212]?) ?(?P<hours>\d{1,2})(?:[:.]?(?P<minutes>\d\d))?h?",
    re.IGNORECASE,
)
#: The hours ahead of UTC that have a zone in the folder Etc.
_ETC_HOURS = range(-12, 15)


class TimezoneError(ValueError):
    """The name is not an IANA time zone; the message has the nearest name if there is one."""

    def __init__(self, message: str, nearest: str | None = None) -> None:
        super().__init__(message)
        self.nearest = nearest


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """Return an IANA time zone by its name.

    Raises:
        TimezoneError: this machine has no such zone.
    """
    _check_length(name)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise TimezoneError(f"{name!r} is not an IANA time zone such as 'Europe/Paris'") from error


def check_timezone(name: str) -> str:
    """Return the name of a zone that a user may choose, without the spaces around it.

    Raises:
        TimezoneError: there is no such zone, or it is no zone of a place (`Factory`, `localtime`, `right/...`).
    """
    name = name.strip()
    _check_length(name)
    pseudo = name in _PSEUDO_ZONES or name.startswith(_PSEUDO_FOLDERS)
    try:
        if not pseudo:
            zone(name)
            return name
    except TimezoneError:
        pass
    if (offset := _OFFSET.fullmatch(name)) and name.casefold() not in _names():
        raise TimezoneError(f"{name!r} is not an IANA time zone; {_way_from_offset(offset)}")
    nearest = None if pseudo else _nearest(name)
    question = f"; did you mean {nearest}?" if nearest else " such as 'Europe/Paris'"
    raise TimezoneError(f"{name!r} is not an IANA time zone{question}", nearest)


def _check_length(name: str) -> None:
    # zoneinfo imports a package for each part of a name, one inside the other: a long one ends in a RecursionError.
    if len(name) > MAX_TIMEZONE_CHARS:
        raise TimezoneError(
            f"an IANA time zone has at most {MAX_TIMEZONE_CHARS} characters in its name, not {len(name)}"
        )


def _way_from_offset(offset: re.Match[str]) -> str:
    """Return what to write in place of an offset from UTC."""
    way = "write a place such as Europe/Paris, whose clocks it follows"
    hours = int(offset["hours"]) * (1 if offset["sign"] in {"", "+"} else -1)
    if offset["etc"] or int(offset["minutes"] or 0) or hours not in _ETC_HOURS:
        return way
    return f"{way}; UTC{hours:+d} without DST is {f'Etc/GMT{-hours:+d}' if hours else 'UTC'}"


def _names() -> dict[str, str]:
    return {zone.casefold(): zone for zone in available_timezones() - _PSEUDO_ZONES}


def _nearest(name: str) -> str | None:
    names = _names()
    wanted = name.replace(" ", "_").casefold()
    # `paris` is the last part of one name; `europe/pris` resembles another.
    parts = [
        zone for folded, zone in sorted(names.items()) if folded.rpartition("/")[2] == wanted and _is_clear(folded)
    ]
    similar = difflib.get_close_matches(wanted, filter(_is_clear, names), n=1, cutoff=0.8)
    return names.get(wanted) or (parts[0] if parts else None) or (names[similar[0]] if similar else None)


def _is_clear(folded_name: str) -> bool:
    return _POSIX_SIGN.fullmatch(folded_name) is None
