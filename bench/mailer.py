"""Mails per second of the mailer and of a bare aiosmtplib loop with the same messages, in one run.

    python bench/mailer.py [COUNT]

Both send to the same sink, an SMTP server that discards every mail. The bare loop has the results in memory, renders
each mail and sends it over one open connection, one after the other; it also sends mails rendered before. The
service is `python -m nightmail_mailer` on a queue that holds all results; its time is that from the first `mail-sent`
to the last, as the broker stamps them. Exit 0 only if the service makes at least 0.6 of the bare loop.
"""

import asyncio
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import aiosmtplib
import nats

from nightmail_common.broker import streams
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.blob import Blob
from nightmail_common.contract.events import MailSent, ResultReady
from nightmail_mailer.compose.attachment import Attachment
from nightmail_mailer.compose.mail_job import MailJob
from nightmail_mailer.compose.render import MailRenderer
from shared.jobs import make_job, result_of
from shared.nats_server import nats_server

ENOUGH = 0.6
CSV = b"region,product,amount\n" + b"".join(b"Region %d,Product %d,%d\n" % (n, n % 7, n * 997) for n in range(100))
RECIPIENT = "reports@example.com"
SINK = """
import asyncio, sys
async def talk(reader, writer):
    writer.write(b"220 sink\\r\\n")
    while line := await reader.readline():
        verb = line[:4].upper()
        if verb == b"DATA":
            writer.write(b"354 go\\r\\n")
            await reader.readuntil(b"\\r\\n.\\r\\n")
        writer.write(b"221 bye\\r\\n" if verb == b"QUIT" else b"250 ok\\r\\n")
        if verb == b"QUIT":
            break
    writer.close()
async def main():
    server = await asyncio.start_server(talk, "127.0.0.1", 0, limit=2**24)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


def result() -> ResultReady:
    csv = Blob(size=len(CSV), sha256=hashlib.sha256(CSV).hexdigest(), data=CSV)
    return result_of(make_job("daily sales", consumer_emails=[RECIPIENT]), uuid4(), datetime.now(UTC), csv, rows=100)


def mail_of(event: ResultReady) -> bytes:
    mail_job = MailJob(event.job, event.run_id, "result", event.job.consumer_emails)
    return MailRenderer("nightmail@localhost", None).result(mail_job, event, CSV, [Attachment(CSV)])(RECIPIENT)


async def bare_loop(port: int, count: int, mail: Callable[[int], bytes]) -> float:
    """Return the mails per second of a loop that sends them one by one."""
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as smtp:
        begun = time.perf_counter()
        for number in range(count):
            await smtp.sendmail("nightmail@localhost", RECIPIENT, mail(number))
        return count / (time.perf_counter() - begun)


async def service(url: str, port: int, folder: Path, events: list[ResultReady]) -> float:
    """Return the mails per second of the mailer on a queue that is full."""
    client = await nats.connect(url, max_reconnect_attempts=-1, reconnect_time_wait=0.05)
    await streams.ensure_streams(client.jetstream(), timedelta(days=1))
    log = EventLog(client, "bench", timedelta(days=1))
    for event in events:
        await log.publish(event)
    environment = {
        "PATH": os.environ["PATH"],
        "NIGHTMAIL_NATS_URL": url,
        "NIGHTMAIL_SMTP_HOST": "127.0.0.1",
        "NIGHTMAIL_SMTP_PORT": str(port),
        "NIGHTMAIL_LOG_LEVEL": "warning",
    }
    mailer = subprocess.Popen([sys.executable, "-m", "nightmail_mailer"], env=environment, cwd=folder)  # noqa: ASYNC220
    times = []
    try:
        async for batch in log.follow([f"runs.*.{MailSent.name}"]):
            times += [stored.time.timestamp() for stored in batch]
            if len(times) >= len(events):
                break
    finally:
        mailer.terminate()
        mailer.wait()
        await client.close()
    return (len(times) - 1) / (times[-1] - times[0])


async def compare(count: int) -> float:
    sink = subprocess.Popen([sys.executable, "-c", SINK], stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220
    assert sink.stdout is not None
    port = int(sink.stdout.readline())
    events = [result() for _ in range(count)]
    try:
        with tempfile.TemporaryDirectory() as name, nats_server(Path(name)) as (url, _):
            before = await bare_loop(port, count, lambda number: mail_of(events[number]))
            through = await service(url, port, Path(name), events)
            after = await bare_loop(port, count, lambda number: mail_of(events[number]))
            made = [mail_of(event) for event in events]
            sending = await bare_loop(port, count, lambda number: made[number])
    finally:
        sink.terminate()
        sink.wait()
    bare = (before + after) / 2
    print(f"bare loop, mails made and sent one by one   {bare:7.0f} mails/s ({before:.0f} before, {after:.0f} after)")
    print(f"bare loop, mails made before                {sending:7.0f} mails/s")
    print(f"through the service                         {through:7.0f} mails/s")
    print(f"service / bare loop                         {through / bare:7.2f} (at least {ENOUGH})")
    return through / bare


if __name__ == "__main__":
    ratio = asyncio.run(compare(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
    raise SystemExit(0 if ratio >= ENOUGH else 1)
