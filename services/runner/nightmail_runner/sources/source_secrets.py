"""The secrets that a job's request headers may name: `{{ secrets.CRM }}` is the setting `NIGHTMAIL_SECRET_CRM`."""

import os
from pathlib import Path

from dotenv import dotenv_values

from nightmail_common.service.settings import PREFIX

SECRET_PREFIX = f"{PREFIX}SECRET_"
#: Nightmail's own settings that look like one: the key that signs links is nobody's to send anywhere.
NOT_FOR_JOBS = frozenset({"KEY"})


def source_secrets(file: Path = Path(".env")) -> dict[str, str]:
    """Return the secrets by name, from the environment and, where it has none of a name, from `.env`."""
    settings = dotenv_values(file) | os.environ
    found = {
        name.removeprefix(SECRET_PREFIX): value for name, value in settings.items() if name.startswith(SECRET_PREFIX)
    }
    return {name: value for name, value in found.items() if value and name not in NOT_FOR_JOBS}
