"""A person in front of the console: a browser of their own, signed in with a token of a role."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import uuid4

import httpx
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect

from e2e.conftest import Nightmail
from support.deadlines import scaled

Role = Literal["viewer", "editor", "admin"]


@dataclass
class Visit:
    """A page that is signed in. `complaints` are errors of scripts, of the policy, and of the console; `expected` ones may be."""

    page: Page
    context: BrowserContext
    url: str
    name: str
    token: str
    complaints: list[str] = field(default_factory=list)
    origins: set[str] = field(default_factory=set)
    expected: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        self.page.goto(f"{self.url}/console/{path}")
        return self.page

    def expect_complaints(self, pattern: str) -> None:
        """Let the console log lines that match, such as those of answers that a test makes fail."""
        self.expected.append(pattern)

    def unexpected(self) -> list[str]:
        return [line for line in self.complaints if not any(re.search(pattern, line) for pattern in self.expected)]

    def listen(self, page: Page) -> None:
        """Keep what a page complains about, and whom it asks."""
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        page.on("request", self._on_request)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type}: {message.text}")

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith(("data:", "about:")):
            self.origins.add("/".join(request.url.split("/")[:3]))


class Visitor:
    """Opens visits to one system."""

    def __init__(self, system: Nightmail) -> None:
        self._system = system

    @contextmanager
    def visit(
        self,
        browser: Browser,
        path: str = "",
        *,
        role: Role = "editor",
        width: int = 1200,
        theme: Literal["light", "dark"] = "light",
        timezone: str = "Europe/Paris",
    ) -> Iterator[Visit]:
        """Yield a page of the console, signed in by a one-time code."""
        name = f"{role}-{uuid4().hex[:8]}"
        token = self._system.call("POST", "/tokens", json={"name": name, "role": role}).json()["token"]
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, timezone_id=timezone, reduced_motion="reduce"
        )
        context.set_default_timeout(scaled(10) * 1000)
        page = context.new_page()
        visit = Visit(page, context, self._system.url, name, token)
        visit.listen(page)
        page.goto(f"{visit.url}/console/{path}#start={self.code(token)}")
        page.get_by_text(f"{name} ({role})").wait_for()
        yield visit
        context.close()
        assert visit.unexpected() == [], visit.unexpected()
        assert visit.origins == {visit.url}

    def code(self, token: str) -> str:
        """Return a one-time code for the holder of a token."""
        made: dict[str, Any] = httpx.post(
            f"{self._system.url}/session/codes", headers={"Authorization": f"Bearer {token}"}, timeout=scaled(20)
        ).json()
        code: str = made["code"]
        return code


def settled(page: Page) -> Page:
    """Return the page when it has loaded what it shows."""
    page.locator("main h1").wait_for()
    expect(page.locator(".placeholder")).to_have_count(0)
    return page
