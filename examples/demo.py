"""The demonstration: the whole system on this machine, two jobs on real data, and the mails that arrive.

`make demo` keeps the system running until Ctrl-C; with `ARGS=--once` it ends by itself. The exit code is 0 only if every
recipient got a mail whose CSV equals the result of a calculation without pandas.
"""

import argparse
import csv
import email
import email.policy
import functools
import http.server
import io
import json
import mailbox
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import defaultdict
from email.message import EmailMessage
from pathlib import Path
from statistics import fmean
from typing import Any

import httpx

from nightmail_cli.commands.job_file import read_job

EXAMPLES = Path(__file__).parent
DATA_DIR = Path("data/demo")
DEADLINE_SECONDS = 60
SHOWN_LINES = 6

Table = list[list[str]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the mails have arrived")
    once = parser.parse_args().once
    shutil.rmtree(DATA_DIR, ignore_errors=True)
    (DATA_DIR / "files").mkdir(parents=True)
    shutil.copy(EXAMPLES / "data" / "penguins.json", DATA_DIR / "files")
    source = _serve(EXAMPLES / "data")
    url = f"http://127.0.0.1:{_port(8080)}"
    system = _start(url)
    try:
        api = _api(system, url)
        weather = read_job(EXAMPLES / "jobs" / "seattle-weather.yaml")
        weather["data_source"] |= {"source_type": "api", "location": f"{source}/seattle-weather.csv"}
        jobs = {"weather": weather, "penguins": read_job(EXAMPLES / "jobs" / "penguins.yaml")}
        expected = {"weather": _expected_weather(), "penguins": _expected_penguins()}
        outcomes = [_run(api, job, expected[name]) for name, job in jobs.items()]
        right = all(outcomes)
        print("\nEvery mail came with the right CSV." if right else "\nerror: a mail is missing, or its CSV is wrong.")
        if not once:
            print(f"Nightmail runs at {url}/docs until Ctrl-C. In another shell, try:")
            print(f"    NIGHTMAIL_URL={url} NIGHTMAIL_DATA_DIR={DATA_DIR} .venv/bin/nightmail jobs list")
            system.wait()
        return 0 if right else 1
    except KeyboardInterrupt:
        return 0
    finally:
        system.send_signal(signal.SIGTERM)
        system.wait(timeout=DEADLINE_SECONDS)


def _serve(folder: Path) -> str:
    """Serve a folder over HTTP on a free port and return its URL."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def _port(preferred: int) -> int:
    """Return the preferred port if it is free, otherwise another free port."""
    for port in (preferred, 0):
        try:
            with socket.create_server(("127.0.0.1", port)) as listening:
                free: int = listening.getsockname()[1]
                return free
        except OSError:
            continue
    raise SystemExit("error: there is no free port")


def _start(url: str) -> "subprocess.Popen[bytes]":
    print(f"starting Nightmail in {DATA_DIR} ...", flush=True)
    command = [str(Path(sys.executable).parent / "nightmail"), "up", "--data-dir", str(DATA_DIR), "--mail-catcher"]
    command += ["--port", url.rpartition(":")[2], "--nats-port", str(_port(4222))]
    # The data source is on this machine; jobs may fetch from a loopback address only if FETCH_ALLOW names it.
    environment = os.environ | {"NIGHTMAIL_FETCH_ALLOW": "127.0.0.1", "NIGHTMAIL_LOG_LEVEL": "warning"}
    return subprocess.Popen(command, env=environment, start_new_session=True)


def _api(system: "subprocess.Popen[bytes]", url: str) -> httpx.Client:
    """Return a client of the API once it is ready."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        if system.poll() is not None:
            raise SystemExit(f"error: nightmail up ended with exit code {system.returncode}")
        try:
            if httpx.get(f"{url}/health/ready").status_code == 200:
                token = (DATA_DIR / "admin-token").read_text().strip()
                return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"})
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise SystemExit(f"error: the API was not ready within {DEADLINE_SECONDS} s")


def _run(api: httpx.Client, job: dict[str, Any], expected: Table) -> bool:
    """Create a job, run it, print its mails; return whether each recipient got the expected table."""
    created = api.post("/jobs/create", json=job)
    if created.status_code != 201:
        print(f"error: the job was refused: {created.text}")
        return False
    print(f"\ncreated {job['job_name']!r} ({job['schedule_time']}), next run {created.json()['next_run']}")
    run_id = api.post(f"/jobs/{job['job_name']}/run").json()["run_id"]
    mails = _mails_of(api, run_id, len(job["consumer_emails"]))
    result = api.get(f"/runs/{run_id}/result").content
    for mail in mails:
        _show(mail)
    recipients = {recipient for mail in mails for recipient in str(mail["X-Envelope-To"]).split(", ")}
    attachments = [_csv_of(mail) for mail in mails]
    return (
        recipients == set(job["consumer_emails"])
        and all(attachment == result for attachment in attachments)
        and list(csv.reader(io.StringIO(result.decode()))) == expected
    )


def _mails_of(api: httpx.Client, run_id: str, recipients: int) -> list[EmailMessage]:
    """Return the run's mails once it is delivered; those so far if it ended otherwise, or not in time."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    run: dict[str, Any] = {}
    while time.monotonic() < deadline:
        run = api.get(f"/runs/{run_id}").json()
        if run.get("status") in {"delivered", "failed", "undelivered"}:
            break
        time.sleep(0.05)
    print(f"run {run_id} is {run.get('status')}" + (f": {run['error']}" if run.get("error") else ""))
    caught = (mail.as_bytes() for mail in mailbox.Maildir(DATA_DIR / "mailbox", create=False))
    mails = [email.message_from_bytes(raw, policy=email.policy.default) for raw in caught]
    return [mail for mail in mails if isinstance(mail, EmailMessage) and mail["X-Nightmail-Run"] == run_id][:recipients]


def _csv_of(mail: EmailMessage) -> bytes:
    for part in mail.iter_attachments():
        if part.get_content_type() == "text/csv":
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            return payload
    return b""


def _show(mail: EmailMessage) -> None:
    print(f"\n  To:      {mail['X-Envelope-To']}\n  Subject: {mail['Subject']}")
    for line in _csv_of(mail).decode().splitlines()[:SHOWN_LINES]:
        print(f"      {line}")


def _expected_weather() -> Table:
    """Return the expected report on the weather, calculated without pandas."""
    months: dict[str, list[dict[str, str]]] = defaultdict(list)
    with (EXAMPLES / "data" / "seattle-weather.csv").open() as file:
        for day in csv.DictReader(file):
            months[day["date"][:7].replace("/", "-")].append(day)
    header = ["month", "days", "rainy_days", "rain_mm", "warmest", "coldest"]
    return [header] + [
        [
            month,
            str(len(days)),
            str(sum(float(day["precipitation"]) > 0 for day in days)),
            str(round(sum(float(day["precipitation"]) for day in days), 1)),
            str(max(float(day["temp_max"]) for day in days)),
            str(min(float(day["temp_min"]) for day in days)),
        ]
        for month, days in sorted(months.items())
    ]


def _expected_penguins() -> Table:
    """Return the expected report on the penguins, calculated without pandas."""
    masses: dict[tuple[str, str], list[float]] = defaultdict(list)
    for penguin in json.loads((EXAMPLES / "data" / "penguins.json").read_text()):
        if penguin["sex"] is not None and penguin["body_mass_g"] is not None:
            masses[penguin["species"], penguin["sex"]].append(penguin["body_mass_g"])
    return [["species", "sex", "penguins", "mean_mass_g"]] + [
        [species, sex, str(len(group)), str(round(fmean(group), 1))] for (species, sex), group in sorted(masses.items())
    ]


if __name__ == "__main__":
    sys.exit(main())
