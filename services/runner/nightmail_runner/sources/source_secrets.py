"""The secrets that request headers of jobs can name: `{{ secrets.CRM }}` is the setting `NIGHTMAIL_SECRET_CRM`."""

import os
from pathlib import Path

from dotenv import dotenv_values

from nightmail_common.service.settings import PREFIX

SECRET_PREFIX = f"{PREFIX}SECRET_"
#: Settings of Nightmail that have the prefix: SECRET_KEY signs links and is never sent to a source.
RESERVED_NAMES = frozenset({"KEY"})


def source_secrets(file: Path = Path(".env")) -> dict[str, str]:
    """Return the secrets by name, from the environment or else from `.env`."""
    settings = dotenv_values(file) | os.environ
    found = {
        name.removeprefix(SECRET_PREFIX): value for name, value in settings.items() if name.startswith(SECRET_PREFIX)
    }
    return {name: value for name, value in found.items() if value and name not in RESERVED_NAMES}
