"""The API of the Nightmail that a command talks to. An error of the API ends the command with one line on stderr."""

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from nightmail_cli import location
from nightmail_cli.output import fail

if TYPE_CHECKING:  # httpx takes long to import, and `--help` needs no client
    import httpx

    from nightmail_client import Nightmail


#: Longer than the API waits for the runner's answer to a preview.
TIMEOUT_SECONDS = 120.0
#: The time-out of `GET /system`, which takes the API up to 5 s without a broker. A longer time means that the API hangs.
SYSTEM_TIMEOUT_SECONDS = 10.0
UNAUTHORIZED = 401
AnswerT = TypeVar("AnswerT")


class Client:
    """Calls the API; `api` is its Python client."""

    def __init__(self, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        # httpx would import its own command, and with it rich and pygments: 60 ms. Without the module, it does not.
        sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
        from nightmail_client import Nightmail

        found = location.api()
        self.url = found.url
        self.api: Nightmail = Nightmail(found.url, found.token, timeout_seconds=timeout_seconds)

    def call(self, method: str, path: str, **request: Any) -> "httpx.Response":
        """Return the response; an error response ends the command with its problem document's text."""
        return self._or_fail(lambda: self.api.send(method, path, **request))

    def try_call(self, method: str, path: str, **request: Any) -> "httpx.Response":
        """Return the response, including an error response; only a failed connection ends the command."""
        return self._or_fail(lambda: self.api.try_send(method, path, **request))

    def ask(self, call: Callable[["Nightmail"], AnswerT]) -> AnswerT:
        """Return what a call of the Python client returns; an error ends the command."""
        return self._or_fail(lambda: call(self.api))

    def run_id(self, prefix: str) -> str:
        """Return the id of the one run whose id begins so; none or several end the command."""
        return self._or_fail(lambda: self.api.runs.whole_id(prefix))

    def pages(self, path: str, limit: int, **query: str | None) -> Iterator[dict[str, Any]]:
        """Yield at most `limit` items of a paginated list."""
        items = self.api.pages(path, limit, **query)
        while (item := self._or_fail(lambda: next(items, None))) is not None:
            yield item

    def wait(self, run_id: str, on_look: Callable[[str, float], None]) -> dict[str, Any]:
        """Return a run once it has ended; `on_look` gets its status and the seconds waited until then."""
        return dict(
            self._or_fail(
                lambda: self.api.runs.wait(run_id, on_look=lambda run, waited: on_look(run["status"], waited))
            )
        )

    def follow(self, job_name: str | None, run_id: str | None, after: int | None) -> Iterator[dict[str, Any]]:
        """Yield events as they are stored, without end."""
        events = self.api.events.follow(job_name=job_name, run_id=run_id, after=after)
        while True:
            yield dict(self._or_fail(lambda: next(events)))

    @staticmethod
    def _or_fail(call: Callable[[], AnswerT]) -> AnswerT:
        from nightmail_client import CannotReach, NightmailError, NotAllowed

        try:
            return call()
        except CannotReach as error:
            fail(f"{error}. Is `nightmail up` running?")
        except NotAllowed as error:
            fail(f"{error}; nightmail login stores another token" if error.status == UNAUTHORIZED else str(error))
        except NightmailError as error:
            fail(str(error))


def job_path(job_name: str, *more: str) -> str:
    return "/".join(("/jobs", quote(job_name, safe=""), *more))


def problem(answer: "httpx.Response") -> str:
    """Return the text of a problem document (RFC 9457), with the fields that it names."""
    from nightmail_client.errors import error_of

    return str(error_of(answer))
