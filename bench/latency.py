"""From the request for a run over REST to the mail accepted by the SMTP server, on an otherwise idle system.

`nightmail up` with one runner fetches a file of 100 rows, groups it and mails the result to an SMTP server in this process;
between two runs nothing happens. The baseline, in the same run: this process, with pandas imported, forks for the
same work and sends the CSV over an SMTP connection that is open already.
"""

import argparse
import io
import os
import smtplib
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import pandas as pd
from aiosmtpd.controller import Controller

from shared.jobs import file_source, job_fields, table
from shared.nightmail_up import free_port, nightmail_up

CSV = table(100)
BUDGET_MS = 40.0
#: The system idles this long between two runs.
IDLE_SECONDS = 0.25
WARM_UP_RUNS = 5


class Sink:
    """An SMTP server's handler that notes when a mail was there."""

    def __init__(self) -> None:
        self.accepted_at = 0.0
        self._came = threading.Event()

    async def handle_DATA(self, _server: Any, _session: Any, _envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        self.accepted_at = time.perf_counter()
        self._came.set()
        return "250 OK"

    def seconds_until_mail(self, since: float) -> float:
        if not self._came.wait(30):
            raise SystemExit("error: no mail came within 30 s")
        self._came.clear()
        return self.accepted_at - since


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    runs = parser.parse_args().runs
    sink = Sink()
    server = Controller(sink, hostname="127.0.0.1", port=free_port())
    server.start()
    bare = measure(bare_run(server.port), sink, runs)
    ours = measure_nightmail(server.port, sink, runs)
    server.stop()
    report("bare", bare)
    report("nightmail", ours)
    p50 = median(ours) * 1000
    print(f"p50 {p50 / (median(bare) * 1000):.1f} x bare; {p50:.1f} of at most {BUDGET_MS:g} ms")
    raise SystemExit(p50 > BUDGET_MS)


def measure(start_run: Callable[[], object], sink: Sink, runs: int) -> list[float]:
    """Return the seconds from each start to its mail."""
    taken = []
    for _ in range(runs + WARM_UP_RUNS):
        since = time.perf_counter()
        start_run()
        taken.append(sink.seconds_until_mail(since))
        time.sleep(IDLE_SECONDS)
    return taken[WARM_UP_RUNS:]


def bare_run(smtp_port: int) -> Callable[[], None]:
    smtp = smtplib.SMTP("127.0.0.1", smtp_port)
    assert smtp.sock is not None
    smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or a mail waits 40 ms for the server's ACK

    def run() -> None:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            data = pd.read_csv(io.BytesIO(CSV))
            os.write(writing, data.groupby("region", as_index=False).amount.sum().to_csv(index=False).encode())
            os._exit(0)
        os.close(writing)
        with open(reading, "rb") as result:  # noqa: PTH123 (a descriptor)
            smtp.sendmail("bench@localhost", ["reports@example.com"], b"Subject: result\r\n\r\n" + result.read())
        os.waitpid(child, 0)

    return run


def measure_nightmail(smtp_port: int, sink: Sink, runs: int) -> list[float]:
    job = job_fields("latency", schedule_time="0 0 1 1 *", data_source=file_source("sales.csv"))
    with (
        tempfile.TemporaryDirectory() as folder,
        nightmail_up(Path(folder), SMTP_HOST="127.0.0.1", SMTP_PORT=str(smtp_port)) as system,
    ):
        (system.data / "files" / "sales.csv").write_bytes(CSV)
        system.http.post("/jobs/create", json=job).raise_for_status()
        return measure(lambda: system.http.post("/jobs/latency/run").raise_for_status(), sink, runs)


def report(name: str, taken: list[float]) -> None:
    centiles = quantiles(taken, n=100)
    p50, p95, p99 = (1000 * centiles[at - 1] for at in (50, 95, 99))
    print(f"{name:<10} p50 {p50:6.1f} ms  p95 {p95:6.1f} ms  p99 {p99:6.1f} ms")


if __name__ == "__main__":
    main()
