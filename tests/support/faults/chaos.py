"""Random faults for the whole system, in an order that a seed decides."""

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import psutil

from e2e.conftest import Nightmail
from support.faults.broker import Broker
from support.faults.source import MOODS, MoodySource
from support.smtp_server import DROP, SmtpServer

SERVICES = ("api", "ticker", "runner-1", "mailer")
#: Shorter and longer than a ticker's lease and a queue's `ack_wait`.
SHORTEST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 6.0
BETWEEN_FAULTS_SECONDS = 2.0


class Chaos:
    """Injects one fault after the other; each ends before the next begins, but its consequences may last."""

    def __init__(self, seed: int, system: Nightmail, broker: Broker, source: MoodySource, smtp: SmtpServer) -> None:
        self._random = random.Random(seed)
        self._system = system
        self._broker = broker
        self._source = source
        self._smtp = smtp
        self.done: Counter[str] = Counter()
        self._faults: dict[str, Callable[[], None]] = {
            **{f"{name} killed": lambda name=name: self._signal(name, signal.SIGKILL) for name in SERVICES},  # type: ignore[misc]
            **{f"{name} paused": lambda name=name: self._pause(name) for name in SERVICES},  # type: ignore[misc]
            "sandbox killed": self._kill_sandbox,
            "nats-server killed": self._kill_broker,
            "nats-server paused": self._pause_broker,
            "connections cut": broker.proxy.cut,
            **{f"source {mood}": lambda mood=mood: self._disturb_source(mood) for mood in MOODS},  # type: ignore[misc]
            "SMTP defers": lambda: self._disturb_smtp("on_rcpt", "451 try again later"),
            "SMTP talks garbage": lambda: self._disturb_smtp("on_rcpt", "garbage"),
            "SMTP hangs": lambda: self._disturb_smtp("on_rcpt", None),
            "SMTP drops after DATA": lambda: self._disturb_smtp("after_data", DROP),
        }
        if broker.disk_can_be_full:
            self._faults["disk full"] = self._fill_disk
        if broker.disk_can_be_slow:
            self._faults["disk slow"] = self._slow_disk

    def inject_for(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            # Every kind of fault comes once before any comes twice, so that a short run includes all.
            fewest = min(self.done[name] for name in self._faults)
            name = self._random.choice([name for name in self._faults if self.done[name] == fewest])
            self._faults[name]()
            self.done[name] += 1
            time.sleep(self._random.uniform(0, min(BETWEEN_FAULTS_SECONDS, max(0.0, until - time.monotonic()))))

    def _pause_seconds(self) -> float:
        return self._random.uniform(SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)

    def _signal(self, name: str, number: signal.Signals) -> None:
        with suppress(psutil.NoSuchProcess, KeyError, OSError):
            self._system.processes()[name].send_signal(number)

    def _pause(self, name: str) -> None:
        with suppress(psutil.NoSuchProcess, KeyError, OSError):
            process = self._system.processes()[name]
            process.suspend()
            time.sleep(self._pause_seconds())
            process.resume()

    def _kill_sandbox(self) -> None:
        with suppress(psutil.NoSuchProcess, KeyError, OSError):
            if children := self._system.processes()["runner-1"].children(recursive=True):
                self._random.choice(children).kill()

    def _kill_broker(self) -> None:
        self._broker.kill()
        time.sleep(self._random.uniform(0, 2))
        self._broker.start()

    def _pause_broker(self) -> None:
        self._broker.signal(signal.SIGSTOP)
        time.sleep(self._pause_seconds())
        self._broker.signal(signal.SIGCONT)

    def _fill_disk(self) -> None:
        self._broker.fill_disk()
        time.sleep(self._pause_seconds() / 2)
        self._broker.free_disk()
        # JetStream disables itself after a failed write, until nats-server restarts.
        self._broker.kill()
        self._broker.start()

    def _slow_disk(self) -> None:
        self._broker.slow_disk()
        time.sleep(self._pause_seconds())
        self._broker.quick_disk()

    def _disturb_source(self, mood: str) -> None:
        self._source.mood = mood
        time.sleep(self._pause_seconds() / 2)
        self._source.mood = None

    def _disturb_smtp(self, step: str, answer: str | None) -> None:
        seconds = self._pause_seconds() / 2

        async def disturbed(_: str) -> str | None:
            if answer is None:
                await asyncio.sleep(seconds)
            return answer

        normal = getattr(self._smtp, step)
        setattr(self._smtp, step, disturbed)
        time.sleep(seconds)
        setattr(self._smtp, step, normal)
