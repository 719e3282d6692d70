"""The templates of a data source: `{{ secrets.NAME }}`."""

import re

SECRET = re.compile(r"\{\{\s*secrets\.([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")


def secret_names(text: str) -> list[str]:
    """Return the names of the secrets that a text refers to as `{{ secrets.NAME }}`."""
    return SECRET.findall(text)
