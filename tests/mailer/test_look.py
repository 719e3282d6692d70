"""How a real browser draws the mails, in light and in dark."""

import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from nightmail_common.contract.events import RunError
from nightmail_common.contract.job import Job
from nightmail_mailer.compose.attachment import Attachment
from nightmail_mailer.compose.mail_job import MailJob
from nightmail_mailer.compose.render import MailRenderer
from support.deadlines import scaled
from support.mailer_process import failure_of, result_of
from support.mails import LINKS, parsed, text_of

RENDERER = MailRenderer("nightmail@example.com", LINKS)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ("--disable-gpu", "--no-first-run", "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND")


def background(picture: Path) -> tuple[int, int, int]:
    """Return the colour of a PNG's first pixel: of 8 bits a sample, as Chromium writes it (RFC 2083)."""
    data = picture.read_bytes()
    at, packed = 8, b""
    while at < len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        if data[at + 4 : at + 8] == b"IDAT":
            packed += data[at + 8 : at + 8 + size]
        at += size + 12
    red, green, blue = zlib.decompress(packed)[1:4]
    return red, green, blue


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: the look of the mails is not tested")
@pytest.mark.parametrize(
    ("scheme", "colour"), [(1, (0xF3, 0xF4, 0xF6)), (0, (0x14, 0x16, 0x1A))], ids=["light", "dark"]
)
def test_the_mails_are_drawn_by_a_browser_in_light_and_dark(
    scheme: int, colour: tuple[int, int, int], tmp_path: Path, make_job: Callable[..., Job]
) -> None:
    table = b"region,product,amount,share\n" + b"".join(
        b"Region %d,Product %d,%d.50,%.3f\n" % (number, number % 7, number * 997, number / 50) for number in range(50)
    )
    message = "# Numbers\n\n**{{ rows }} rows**, see [the plan](https://example.com).\n\n> quoted"
    job = make_job(
        message=message, description="Sales by region.", processing_script="a = 1\nb = data['amont']\nreturn b"
    )
    event = result_of(job, csv=table, rows=50, late=True)
    mail_job = MailJob(job, event.run_id, "result", ())
    error = RunError(stage="script", type="KeyError", message="'amont'", line=2)
    failed = failure_of(job, error=error)
    mails = (
        RENDERER.result(mail_job, event, table, [Attachment(table)]),
        RENDERER.result(mail_job, event, table, []),
        RENDERER.failure(mail_job, failed, 3, failed.scheduled_at),
        RENDERER.recovery(mail_job, event, 3, failed.scheduled_at),
    )
    (tmp_path / "all.html").write_text("".join(text_of(parsed(mail), "html") for mail in mails))
    picture = tmp_path / "mail.png"
    assert CHROMIUM is not None
    subprocess.run(
        [
            CHROMIUM,
            *("--headless", "--no-sandbox", "--hide-scrollbars", *QUIET),
            f"--blink-settings=preferredColorScheme={scheme}",
            f"--user-data-dir={tmp_path / 'profile'}",
            f"--screenshot={picture}",
            "--window-size=900,3000",
            (tmp_path / "all.html").as_uri(),
        ],
        check=True,
        capture_output=True,
        timeout=scaled(60),
    )
    assert background(picture) == colour
    assert picture.stat().st_size > 50_000
