"""A real IMAP server over TLS with one mailbox, whose hooks make it fail. It speaks the commands of a client that reads mail."""

import asyncio
import base64
import re
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from support.deadlines import scaled
from support.ports import free_port

USER, PASSWORD = "reports@example.com", 'päss "wörd" \\'
#: LOGIN is ASCII only.
LOGIN_PASSWORD = "secret"


@dataclass
class StoredMail:
    """A mail with its flags."""

    content: bytes
    flags: set[str] = field(default_factory=set)


class ImapServer:
    """Keeps mails by UID. It runs in a thread of its own.

    `fault` takes each command of a signed-in client; a text is sent as the result in place of `OK`, `drop` ends the
    connection and `hang` answers nothing. `mechanisms` are those of AUTHENTICATE; without `PLAIN` clients use LOGIN.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self.port = free_port()
        self.mails: dict[int, StoredMail] = {}
        self.mechanisms = ["PLAIN", "XOAUTH2"]
        self.token = "a token"
        self.fault: Callable[[str], str | None] = lambda _: None
        self.commands: list[str] = []
        self.sign_ins: list[str] = []
        self._context = context
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> None:
        self._thread.start()
        serving = asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._context)
        asyncio.run_coroutine_threadsafe(serving, self._loop).result(10)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._cancel_all(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(scaled(10))
        self._loop.close()

    def deliver(self, content: str | bytes) -> int:
        """Store a mail; return its UID."""
        text = content if isinstance(content, bytes) else content.replace("\n", "\r\n").encode()
        uid = len(self.mails) + 7
        self.mails[uid] = StoredMail(text)
        return uid

    @property
    def unseen(self) -> list[int]:
        return [uid for uid, mail in self.mails.items() if r"\Seen" not in mail.flags]

    async def _cancel_all(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _Session(self, reader, writer).run()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


class _Session:
    def __init__(self, server: ImapServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._signed_in = False

    async def run(self) -> None:
        self._send(f"* OK [CAPABILITY {self._capabilities}] ready")
        while line := await self._reader.readline():
            tag, _, command = line.decode().rstrip("\r\n").partition(" ")
            fault = None
            if self._signed_in:
                self._server.commands.append(command)
                fault = self._server.fault(command)
            if fault == "drop":
                self._writer.transport.abort()
                return
            if fault == "hang":
                await asyncio.Event().wait()
            self._send(f"{tag} {fault or await self._answer(command)}")
            await self._writer.drain()

    @property
    def _capabilities(self) -> str:
        return " ".join(["IMAP4rev1", *(f"AUTH={name}" for name in self._server.mechanisms)])

    def _send(self, line: str) -> None:
        self._writer.write(f"{line}\r\n".encode())

    async def _answer(self, command: str) -> str:
        name, _, rest = command.partition(" ")
        match name.upper(), rest.split():
            case "CAPABILITY", _:
                self._send(f"* CAPABILITY {self._capabilities}")
            case "LOGIN", [user, password]:
                return self._sign_in("LOGIN", (user.strip('"'), password.strip('"')) == (USER, LOGIN_PASSWORD))
            case "AUTHENTICATE", [mechanism]:
                return await self._authenticate(mechanism)
            case _, _ if not self._signed_in:
                return "BAD not signed in"
            case "SELECT", ['"INBOX"']:
                self._send(f"* {len(self._server.mails)} EXISTS")
                return "OK [READ-WRITE] selected"
            case "SELECT", _:
                return "NO [NONEXISTENT] no such mailbox"
            case "UID", ["SEARCH", "UNSEEN", "UNDELETED"]:
                self._send(" ".join(["* SEARCH", *map(str, self._server.unseen)]))
            case "UID", ["FETCH", uid, what]:
                self._fetch(int(uid), what)
            case "UID", ["STORE", uid, "+FLAGS.SILENT", flag]:
                self._server.mails[int(uid)].flags.add(flag.strip("()"))
            case _:
                return f"BAD unknown command {command}"
        return "OK done"

    async def _authenticate(self, mechanism: str) -> str:
        self._send("+ ")
        answer = base64.b64decode(await self._reader.readline()).decode()
        if mechanism == "PLAIN":
            return self._sign_in(mechanism, answer == f"\0{USER}\0{PASSWORD}")
        if answer == f"user={USER}\1auth=Bearer {self._server.token}\1\1":
            return self._sign_in(mechanism, True)
        self._send("+ " + base64.b64encode(b'{"status":"400"}').decode())
        await self._reader.readline()  # the client's empty answer to the error
        return self._sign_in(mechanism, False)

    def _sign_in(self, mechanism: str, accepted: bool) -> str:
        self._signed_in = accepted
        self._server.sign_ins.append(f"{mechanism} {accepted}")
        return "OK welcome" if accepted else "NO [AUTHENTICATIONFAILED] invalid credentials"

    def _fetch(self, uid: int, what: str) -> None:
        found = re.fullmatch(r"\(BODY\.PEEK\[\]<0\.(\d+)>\)", what)
        if found is None or (mail := self._server.mails.get(uid)) is None:
            return
        part = mail.content[: int(found[1])]
        self._writer.write(f"* 1 FETCH (UID {uid} BODY[]<0> {{{len(part)}}}\r\n".encode() + part + b")\r\n")
