"""The secrets that sources of jobs can name: `{{ secrets.CRM }}` is the setting `NIGHTMAIL_SECRET_CRM`.

A secret is sent to the hosts of its setting `NIGHTMAIL_SECRET_CRM_HOSTS` and to no other host: who may edit a job may not
thereby read every secret.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import structlog

from nightmail_common.contract.source_templates import SECRET, secret_names
from nightmail_common.service.settings import settings_with_prefix
from nightmail_runner.settings import HOSTS_SUFFIX, SECRET_PREFIX
from nightmail_runner.sources.errors import CannotFetch
from nightmail_runner.sources.masking import Masker

#: Settings of Nightmail that have the prefix: SECRET_KEY signs links and is never sent to a source.
RESERVED_NAMES = frozenset({"KEY"})

logger = structlog.get_logger()


@dataclass(frozen=True)
class Secret:
    """A value, and the hosts (as `host_of` returns them) that may receive it."""

    value: str
    hosts: frozenset[str] = frozenset()


class SecretStore:
    """Fills the secrets of a request in, for a host that may receive them."""

    def __init__(self, secrets: Mapping[str, Secret]) -> None:
        self._secrets = dict(secrets)
        self._mask_all = Masker(secret.value for secret in secrets.values())

    def values(self, names: Iterable[str], host: str) -> dict[str, str]:
        """Return the values of secrets that are about to be sent to a host, and log their use by name.

        Raises:
            CannotFetch: a secret does not exist, or the host may not receive it; the message names the setting.
        """
        names = dict.fromkeys(names)
        for name in names:
            setting = f"{SECRET_PREFIX}{name}"
            if name not in self._secrets:
                raise CannotFetch(f"the source names the secret {name!r}, which the runner does not have ({setting})")
            hosts = self._secrets[name].hosts
            if host not in hosts:
                allowed = f"which names {', '.join(sorted(hosts))}" if hosts else "which is not set"
                raise CannotFetch(
                    f"the secret {name!r} may not be sent to {host}: "
                    f"the hosts that may receive it are in the setting {setting}{HOSTS_SUFFIX}, {allowed}"
                )
        for name in names:
            logger.info("secret_used", secret=name, host=host)
        return {name: self._secrets[name].value for name in names}

    def fill(self, text: str, host: str, encode: Callable[[str], str] = str) -> str:
        """Return a text with its `{{ secrets.NAME }}` replaced, to be sent to a host; `encode` is applied to each.

        Raises:
            CannotFetch: as `values`.
        """
        values = self.values(secret_names(text), host)
        return SECRET.sub(lambda match: encode(values[match[1]]), text)

    def values_of(self, texts: Iterable[str]) -> list[str]:
        """Return the values of the secrets that texts name, to mask them."""
        names = {name for text in texts for name in secret_names(text)}
        return [secret.value for name, secret in self._secrets.items() if name in names]

    def mask(self, text: str) -> str:
        """Return a text with every secret of the runner masked."""
        return self._mask_all.mask(text)


def source_secrets(file: Path = Path(".env")) -> dict[str, Secret]:
    """Return the secrets by name, from the environment or else from `.env`."""
    found = settings_with_prefix(SECRET_PREFIX, file)
    return {
        name: Secret(value, _hosts(found.get(f"{name}{HOSTS_SUFFIX}", "")))
        for name, value in found.items()
        if name not in RESERVED_NAMES and not name.endswith(HOSTS_SUFFIX)
    }


def host_of(url: str) -> str:
    """Return the host of a URL in lower case, a domain in Unicode, by the parser that the request itself uses.

    Raises:
        CannotFetch: the URL is not valid.
    """
    try:
        return httpx.URL(url).host
    except httpx.InvalidURL as error:
        raise CannotFetch(f"the URL of the source is not valid: {error}") from None


def _hosts(setting: str) -> frozenset[str]:
    return frozenset(_canonical(host.strip()) for host in setting.split(",") if host.strip())


def _canonical(host: str) -> str:
    """Return a host of a setting as `host_of` returns it: `xn--` becomes Unicode."""
    try:
        return host_of(f"https://[{host}]" if ":" in host else f"https://{host}")
    except CannotFetch:
        return host.lower()
