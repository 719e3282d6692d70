"""Draw docs/images/mail.png: the newest mail with a chart of the demonstration, as a mail program shows it (`make pictures`)."""

import html
import re
import subprocess
import tempfile
from pathlib import Path

from nightmail_cli.local.mailbox import caught_mails, file_name

DATA_DIR = Path("data/demo")
PICTURE = Path("docs/images/mail.png")
WIDTH_PIXELS = 760
CHROMIUM = ("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")

#: A mail program shows the headers and the attachment around the HTML part.
HEADERS = """
<style>
  html {{ color-scheme: light }}
  .headers {{ max-width: 824px; margin: 0 auto 20px; font-size: 14px; line-height: 1.6 }}
  .headers b {{ display: block; font-size: 20px; margin-bottom: 4px }}
  .headers span {{ color: #5b6472 }}
  .chip {{ display: inline-block; margin-top: 8px; padding: 3px 12px; border: 1px solid #d4d8df; border-radius: 6px; background: #fff }}
</style>
<div class="headers">
  <b>{subject}</b>
  <span>From</span> {sender} &ensp; <span>To</span> {recipients}
  <div><span class="chip">{clip}{attachment}</span></div>
</div>
"""
CLIP = """<svg width="13" height="13" viewBox="0 0 24 24" style="margin-right: 8px; vertical-align: -1px" fill="none"
  stroke="#5b6472" stroke-width="2.2" stroke-linecap="round">
  <path d="M21 11.5 12.2 20.3a5.5 5.5 0 0 1-7.8-7.8l9-9a3.7 3.7 0 0 1 5.2 5.2l-9 9a1.8 1.8 0 0 1-2.6-2.6l8.3-8.3"/></svg>"""
MEASURE = "<script>document.title = document.body.scrollHeight</script>"


def page() -> str:
    """Return the newest caught mail with a chart as an HTML page with its headers and the name of its attachment."""
    mail = next(mail for mail in caught_mails(DATA_DIR) if "<img " in (mail.html() or ""))
    headers = HEADERS.format(
        subject=html.escape(mail.header("Subject")),
        sender=html.escape(mail.header("From")),
        recipients=html.escape(mail.header("To")),
        clip=CLIP,
        attachment=html.escape(file_name(mail.attachments[0])),
    )
    body = mail.html()
    assert body is not None, "a result mail has an HTML part"
    return re.sub(r"<body[^>]*>", lambda tag: tag[0] + headers, body, count=1)


def main() -> None:
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "mail.html")
        file.write_text(page() + MEASURE)
        window = f"--window-size={WIDTH_PIXELS},100"
        dom = subprocess.run([*CHROMIUM, window, "--dump-dom", file], capture_output=True, text=True, check=True).stdout
        [height] = re.findall(r"<title>(\d+)</title>", dom)
        window = f"--window-size={WIDTH_PIXELS},{height}"
        options = ("--force-device-scale-factor=2", window, f"--screenshot={PICTURE.resolve()}")
        subprocess.run([*CHROMIUM, *options, file], capture_output=True, check=True)
    print(PICTURE)


if __name__ == "__main__":
    main()
