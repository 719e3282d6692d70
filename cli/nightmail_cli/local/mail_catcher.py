"""The mail catcher: a real SMTP server that delivers to nobody and keeps every mail as a file in a Maildir."""

import argparse
import asyncio
import mailbox
import signal
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

#: What a mail may have at most; larger than any attachment that Nightmail sends.
MAX_MAIL_BYTES = 64 * 1024 * 1024


class MaildirHandler:
    """Keeps each mail with what the envelope said in `X-Envelope-From` and `X-Envelope-To`."""

    def __init__(self, folder: Path) -> None:
        self._mailbox = mailbox.Maildir(folder, create=True)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's name)
        content = envelope.content
        raw = content if isinstance(content, bytes) else (content or "").encode()
        return f"250 kept as {self.keep(envelope.mail_from or '', envelope.rcpt_tos, raw)}"

    def keep(self, sender: str, recipients: list[str], raw: bytes) -> str:
        """Keep a mail as it came; return the name of its file."""
        head = f"X-Envelope-From: {sender}\r\nX-Envelope-To: {', '.join(recipients)}\r\n"
        return self._mailbox.add(head.encode() + raw)


async def catch_mail(host: str, port: int, folder: Path) -> None:
    """Serve SMTP on that port until SIGTERM or SIGINT."""
    handler = MaildirHandler(folder)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(
        lambda: SMTP(
            handler,
            data_size_limit=MAX_MAIL_BYTES,
            enable_SMTPUTF8=True,
            ident="Nightmail's mail catcher",
            # Whoever is set up for a real server may still try things out here: any credentials will do.
            authenticator=lambda *_: AuthResult(success=True),
            auth_require_tls=False,
        ),
        host,
        port,
    )
    async with server:
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--mailbox", type=Path, required=True)
    given = parser.parse_args()
    asyncio.run(catch_mail(given.host, given.port, given.mailbox))


if __name__ == "__main__":
    main()
