"""The mail catcher: an SMTP server that stores every mail in a Maildir and delivers none."""

import argparse
import asyncio
import mailbox
import signal
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

#: The limit of a mail; above the largest mail that Nightmail sends.
MAX_MAIL_BYTES = 64 * 1024 * 1024


class MaildirHandler:
    """Stores each mail with its envelope in the headers `X-Envelope-From` and `X-Envelope-To`."""

    def __init__(self, folder: Path) -> None:
        self._mailbox = mailbox.Maildir(folder, create=True)

    async def handle_EHLO(  # noqa: N802 (aiosmtpd's name)
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Say that nobody gets these mails: the mailer tells the console. `X` begins a private keyword (RFC 5321, 2.2.2)."""
        session.host_name = hostname
        return [responses[0], "250-X-NIGHTMAIL-CATCHER", *responses[1:]]

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's name)
        content = envelope.content
        raw = content if isinstance(content, bytes) else (content or "").encode()
        return f"250 kept as {self.keep(envelope.mail_from or '', envelope.rcpt_tos, raw)}"

    def keep(self, sender: str, recipients: list[str], raw: bytes) -> str:
        """Store a mail unchanged; return the name of its file."""
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
            # Accept any credentials, so that settings for a real server work here too.
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
