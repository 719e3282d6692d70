"""The databases that sources of type `sql` can name: `location: SALES` is the setting `NIGHTMAIL_CONNECTION_SALES`."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from nightmail_common.contract.sql_source import CONNECTION_PREFIX, connection_name
from nightmail_common.service.settings import PREFIX, settings_with_prefix
from nightmail_runner.sources.errors import CannotFetch


class Connections:
    """The URLs of databases by name. A URL is a secret: no job's owner sees it.

    Args:
        urls: `<NAME>` of the setting to the URL.
    """

    def __init__(self, urls: Mapping[str, str]) -> None:
        self._urls = dict(urls)

    def url(self, location: str) -> str:
        """Return the URL of the connection that a source names.

        Raises:
            CannotFetch: the runner has no such connection; the message names the setting.
        """
        name = connection_name(location)
        try:
            return self._urls[name]
        except KeyError:
            raise CannotFetch(
                f"the source names the connection {name!r}, which the runner does not have ({PREFIX}{CONNECTION_PREFIX}{name})"
            ) from None


def source_connections(file: Path = Path(".env")) -> Connections:
    """Return the connections of the environment, or else of `.env`."""
    found = settings_with_prefix(f"{PREFIX}{CONNECTION_PREFIX}", file)
    return Connections({name.upper(): url for name, url in found.items()})


def secret_parts(url: str) -> list[str]:
    """Return what must not be shown of a database's URL: all of it, its user and password, the values of its query."""
    parts = [url]
    try:
        split = urlsplit(url)
        user, colon, password = split.netloc.rpartition("@")[0].partition(":")
    except ValueError:  # not a URL: the whole text is masked
        return parts
    if colon:
        parts += [f"{user}:{password}", password, unquote(password)]
    parts += [value for name, value in parse_qsl(split.query) if "pass" in name.lower() or "key" in name.lower()]
    return [part for part in parts if part]
