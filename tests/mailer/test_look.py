"""How a real browser draws the mails: on a phone and on a desktop, in light and in dark, compared with reviewed reference pictures.

`tests/data/README.md` says how to renew them.
"""

import base64
import hashlib
import io
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple
from uuid import UUID

import pytest
from axe_playwright_python.sync_playwright import Axe
from matplotlib.figure import Figure
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from nightmail_common.contract.blob import Blob, ResultFigure
from nightmail_common.contract.events import RunError
from nightmail_common.contract.job import Job
from nightmail_common.contract.result_parts import Changes
from nightmail_mailer.compose.attachment import Attachment
from nightmail_mailer.compose.mail_job import MailJob
from nightmail_mailer.compose.render import MailRenderer, RenderFor
from support.deadlines import scaled
from support.looks import REFERENCES, SAME_PICTURE, difference, draw_in_one_font, picture_of
from support.mailer_process import DUE, failure_of, result_of
from support.mails import LINKS, parsed, text_of

MakeJob = Callable[..., Job]
Scheme = Literal["light", "dark"]
RENDERER = MailRenderer("nightmail@example.com", LINKS)
RUN_ID = UUID("0199c3a5-7a10-7c3e-8a52-3c1f0e5b9d21")
SCREENS: list[tuple[int, Scheme]] = [(400, "light"), (400, "dark"), (1000, "light"), (1000, "dark")]
HEIGHT = 1000
RULES = {
    "runOnly": {"type": "rule", "values": ["color-contrast", "image-alt", "link-name", "html-has-lang"]},
    "resultTypes": ["violations"],
}
TABLE = b"region,product,amount,share\n" + b"".join(
    b"Region %d,Product %d,%d.50,%.3f\n" % (number, number % 7, number * 997, number / 50) for number in range(8)
)

pytestmark = pytest.mark.timeout(scaled(120))


class Mail(NamedTuple):
    """The HTML of a mail, its images in it."""

    html: str

    def without(self, part: str, put: str = "") -> "Mail":
        assert part in self.html
        return Mail(self.html.replace(part, put))


def html_of(render_for: RenderFor) -> Mail:
    mail = parsed(render_for)
    html = text_of(mail, "html")
    for part in mail.walk():
        if part.get_content_maintype() == "image":
            data = base64.b64encode(part.get_payload(decode=True)).decode()  # type: ignore[arg-type]
            html = html.replace(f"cid:{part['Content-ID'].strip('<>')}", f"data:image/png;base64,{data}")
    return Mail(html)


@cache
def chart() -> bytes:
    """Return a chart as runs draw it: 1280 pixels wide, on white."""
    figure = Figure(figsize=(6.4, 3.2), dpi=200)
    figure.add_subplot().bar(["north", "south", "west"], [17, 5, 12])
    output = io.BytesIO()
    figure.savefig(output, format="png")
    return output.getvalue()


def result(
    job: Job, table: bytes = TABLE, images: tuple[bytes, ...] = (), value: str | None = None, **fields: Any
) -> Mail:
    event = result_of(job, table, table.count(b"\n") - 1, run_id=RUN_ID, **fields)
    return html_of(
        RENDERER.result(
            MailJob(job, RUN_ID, "result", (), split_value=value), event, table, [Attachment(table)], images
        )
    )


@pytest.fixture
def mails(make_job: MakeJob) -> dict[str, Mail]:
    data = chart()
    blob = Blob(size=len(data), sha256=hashlib.sha256(data).hexdigest(), data=data)
    figure = ResultFigure(name="figure-1.png", alt="Sales by region.", width=1280, height=640, blob=blob)
    message = "# Numbers\n\n**{{ rows }} rows**, see [the plan](https://example.com).\n\n> quoted"
    since = Changes(
        run_id=RUN_ID,
        since=DUE,
        added=1,
        removed=3,
        changed=2,
        unchanged=5,
        marks=("new", "changed", "", "changed", *[""] * 4),
    )
    return {
        "charts": result(make_job(message=message), figures=(figure,), images=(data,)),
        "changes": result(make_job(compare_by="region", description="Sales by region."), changes=since),
        "split": result(
            make_job(split_by="region", recipients_by={"north": ["a@example.com"]}), value="north", late=True
        ),
    }


# Playwright's blocking API runs an event loop until it is stopped, in which the asynchronous tests of other files fail.
# One page for all tests, because each context starts a process.
@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        pytest.skip("no Chromium on this machine: the look of the mails is not tested")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox"], timeout=scaled(60) * 1000
        )
        page = browser.new_context(offline=True).new_page()
        page.set_default_timeout(scaled(30) * 1000)
        yield page


def show(page: Page, mail: Mail, width: int, scheme: Scheme) -> None:
    """Show a mail as a recipient's program does, in the font of the tests. The page loads nothing."""
    page.set_viewport_size({"width": width, "height": HEIGHT})
    page.emulate_media(color_scheme=scheme)
    page.set_content(mail.html)
    page.evaluate("Promise.all([...document.images].map(one => one.decode()))")
    draw_in_one_font(page)


def drawn(page: Page, mail: Mail, width: int, scheme: Scheme) -> Image.Image:
    """Return a mail as the browser draws it, at an eighth of its size."""
    show(page, mail, width, scheme)
    return picture_of(page)


def reference(name: str, width: int, scheme: Scheme) -> Image.Image:
    return Image.open(REFERENCES / f"{name}-{width}-{scheme}.png").convert("RGB")


@pytest.mark.parametrize("name", ["charts", "changes", "split"])
def test_a_mail_looks_like_its_reference(page: Page, mails: dict[str, Mail], name: str, tmp_path: Path) -> None:
    pictures = {screen: drawn(page, mails[name], *screen) for screen in SCREENS}
    for (width, scheme), picture in pictures.items():
        picture.save(tmp_path / f"{name}-{width}-{scheme}.png", optimize=True)
    others = {screen: difference(picture, reference(name, *screen)) for screen, picture in pictures.items()}
    assert max(others.values()) <= SAME_PICTURE, (
        f"review the mails, then run: cp {tmp_path}/*.png {REFERENCES} ({others})"
    )


@pytest.mark.parametrize(
    ("name", "part", "put", "screen"),
    [
        ("charts", "<img ", "<i ", (400, "light")),
        ("charts", "prefers-color-scheme: dark", "prefers-color-scheme: none", (1000, "dark")),
        ("changes", '<p class="changes"', '<p hidden class="changes"', (400, "light")),
        ("changes", "6px 16px 6px 0", "0", (400, "light")),
        ("split", "padding: 28px 32px", "padding: 0", (1000, "light")),
        ("split", "@media (max-width: 520px)", "@media print", (400, "dark")),
    ],
)
def test_what_a_mail_loses_is_seen_in_its_picture(
    page: Page, mails: dict[str, Mail], name: str, part: str, put: str, screen: tuple[int, Scheme]
) -> None:
    less = drawn(page, mails[name].without(part, put), *screen)
    assert difference(less, reference(name, *screen)) > 2 * SAME_PICTURE


def test_every_mail_can_be_read_on_every_screen(page: Page, mails: dict[str, Mail], make_job: MakeJob) -> None:
    job = make_job(description="Sales by region.", processing_script="a = 1\nb = data['amont']\nreturn b")
    failed = failure_of(job, error=RunError(stage="script", type="KeyError", message="'amont'", line=2))
    mail_job = MailJob(job, failed.run_id, "failure", ())
    wide = b",".join(b"column %d" % number for number in range(12)) + b"\n" + b",".join([b"1234567.5"] * 12) + b"\n"
    mails |= {
        "failure": html_of(RENDERER.failure(mail_job, failed, 3, failed.scheduled_at)),
        "recovery": html_of(RENDERER.recovery(mail_job, result_of(job), 3, failed.scheduled_at)),
        "wide": result(make_job(), wide),
    }
    wrong = []
    for name, mail in mails.items():
        for width, scheme in SCREENS[::3]:
            show(page, mail, width, scheme)
            found = Axe().run(page, options=RULES).response["violations"]
            wrong += [f"{name}, {width}, {scheme}: {one['help']}: {one['nodes'][0]['html'][:200]}" for one in found]
            if page.evaluate("document.documentElement.scrollWidth") > width:
                wrong.append(f"{name}, {width}, {scheme}: it scrolls sideways")
    assert wrong == []
