"""The Nightmail that a command talks to: its data folder, and its API's URL and token.

The order: the settings (`NIGHTMAIL_URL`, `NIGHTMAIL_TOKEN`, `NIGHTMAIL_DATA_DIR`), then the `nightmail up` of the data folder
in which the user stands, then the login of `nightmail login`.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from nightmail_cli.local.private_files import write_private
from nightmail_cli.output import fail

if TYPE_CHECKING:  # the settings take long to import, and `--help` needs none
    from nightmail_cli.client_settings import ClientSettings
    from nightmail_common.service.settings import ServiceSettings

#: `nightmail up` keeps the list of its running processes here, in the data folder.
STATE_FILE = "up.json"
#: `nightmail up` and `nightmail restore` hold its lock, in the data folder.
LOCK_FILE = "up.lock"
TOKEN_FILE = "admin-token"  # noqa: S105 (a file's name)
DEFAULT_DATA_DIR = "data"

SettingsT = TypeVar("SettingsT", bound="ServiceSettings")


@dataclass(frozen=True)
class Api:
    """Where an API answers, and the token for it."""

    url: str
    token: str


def login_file() -> Path:
    """Return where `nightmail login` keeps an API for this user, by the XDG Base Directory Specification."""
    folder = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(folder) / "nightmail" / "login.json"


def read_login() -> Api | None:
    """Return the API of the login; None if there is none, or if its file is damaged."""
    try:
        kept = json.loads(login_file().read_text(encoding="utf-8"))
        return Api(url=str(kept["url"]), token=str(kept["token"]))
    except (OSError, ValueError, LookupError, TypeError):
        return None


def write_login(api: Api) -> None:
    """Keep an API in a file that only this user reads."""
    login_file().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(login_file(), json.dumps(asdict(api)))


def located(settings: type[SettingsT], *, with_broker: bool = False, **given: Any) -> SettingsT:
    """Return a command's settings; without `NIGHTMAIL_DATA_DIR`, with the data folder in which the user stands.

    Args:
        with_broker: also read the URL and the user of the embedded nats-server from the data folder.
    """
    from nightmail_common.service.settings import load, load_without_broker

    read = load if with_broker else load_without_broker
    loaded = read(settings, **given)
    if "data_dir" in loaded.model_fields_set or (found := _data_folder(Path.cwd())) is None:
        return loaded
    return read(settings, data_dir=found, **given)


def data_folder() -> Path:
    """Return the data folder of a command."""
    from nightmail_common.service.settings import ServiceSettings

    return located(ServiceSettings).data_dir


def running_processes(data_dir: Path) -> list[dict[str, Any]]:
    """Return the processes of the `nightmail up` that runs on a data folder, as its state file has them; none if none runs."""
    try:
        state = json.loads((data_dir / STATE_FILE).read_text(encoding="utf-8"))
        return list(state["processes"])
    except (OSError, ValueError, LookupError, TypeError):
        return []


def api() -> Api:
    """Return the API of a command; a missing token ends the command with the places where one can be."""
    from nightmail_cli.client_settings import ClientSettings

    settings = located(ClientSettings)
    url, kept = _address(settings)
    given = settings.token or settings.admin_token
    token = given.get_secret_value() if given is not None else kept
    if token is None:
        path = (settings.data_dir / TOKEN_FILE).absolute()
        fail(
            f"no token for {url}: {path} cannot be read. Run the command in the folder of `nightmail up`, as its user; "
            f"or run nightmail login {url}; or set NIGHTMAIL_TOKEN"
        )
    return Api(url, token)


def api_url() -> str:
    """Return the URL of the API of a command."""
    from nightmail_cli.client_settings import ClientSettings

    return _address(located(ClientSettings))[0]


def names_an_api() -> bool:
    """Return whether a URL or a login names the API of a command, instead of this machine's data folder."""
    from nightmail_cli.client_settings import ClientSettings

    settings = located(ClientSettings)
    return settings.url is not None or _login_in_use(settings) is not None


def _address(settings: "ClientSettings") -> tuple[str, str | None]:
    """Return the URL of the API, and the token that is kept for it."""
    if settings.url is not None:
        url, login = settings.url.rstrip("/"), read_login()
        return url, login.token if login is not None and login.url == url else _token_file(settings)
    if (login := _login_in_use(settings)) is not None:
        return login.url, login.token
    return _running_url(settings) or f"http://{settings.host}:{settings.port}", _token_file(settings)


def _login_in_use(settings: "ClientSettings") -> Api | None:
    """Return the login, unless the settings or a running `nightmail up` name the API."""
    named = {"host", "port", "admin_token", "data_dir"} & settings.model_fields_set
    return None if named or _running_url(settings) is not None else read_login()


def _data_folder(start: Path) -> Path | None:
    """Return the nearest data folder of a running `nightmail up` in or above a folder; None if there is none.

    A state file of another user counts only if root owns it: it decides where the token is sent.
    """
    for folder in (start, *start.parents):
        for candidate in (folder, folder / DEFAULT_DATA_DIR):
            try:
                owner = (candidate / STATE_FILE).stat().st_uid
            except OSError:
                continue
            if owner in {os.getuid(), 0}:
                return candidate
    return None


def _running_url(settings: "ClientSettings") -> str | None:
    """Return the URL of the API of the `nightmail up` that runs on the data folder; None if none runs."""
    ready = next((one["ready_url"] for one in running_processes(settings.data_dir) if one["name"] == "api"), None)
    if ready is None:
        return None
    parts = urlsplit(ready)
    return f"{parts.scheme}://{parts.netloc}"


def _token_file(settings: "ClientSettings") -> str | None:
    try:
        return (settings.data_dir / TOKEN_FILE).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
