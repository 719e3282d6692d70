"""The names with the prefix `NIGHTMAIL_` that no setting has: a misspelt one has no effect."""

import difflib
import os
from pathlib import Path

from dotenv import dotenv_values

from nightmail_api.settings import ApiSettings
from nightmail_cli.client_settings import ClientSettings
from nightmail_common.service.settings import PREFIX
from nightmail_mailer.settings import MailerSettings
from nightmail_runner.settings import RunnerSettings
from nightmail_ticker.settings import TickerSettings

#: `SECRET_<NAME>` and `CONNECTION_<NAME>`: the operator chooses the names.
_FREE_PREFIXES = (f"{PREFIX}SECRET_", f"{PREFIX}CONNECTION_")
_KNOWN = {
    f"{PREFIX}{field}".upper()
    for settings in (ApiSettings, ClientSettings, MailerSettings, RunnerSettings, TickerSettings)
    for field in settings.model_fields
}


def unknown_settings(file: Path = Path(".env")) -> list[str]:
    """Return a line for each name of the environment and of `.env` that no setting has, with the nearest name."""
    names = sorted({name.upper() for name in (*os.environ, *dotenv_values(file)) if name.upper().startswith(PREFIX)})
    return [_line(name) for name in names if name not in _KNOWN and not name.startswith(_FREE_PREFIXES)]


def _line(name: str) -> str:
    nearest = difflib.get_close_matches(name[:128], sorted(_KNOWN), n=1, cutoff=0.8)
    return f"{name} is not a setting" + (f"; did you mean {nearest[0]}?" if nearest else "")
