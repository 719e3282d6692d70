"""Starting processes by fork: a service shares what is imported here with its siblings, until it changes it.

Five Pythons with pydantic, nats-py and FastStream imported take 45 MB each when each imports them for itself. Here they are
imported once, before the first fork. Nothing secret is ever read in the parent: each child reads its own environment from
a descriptor after the fork.
"""

import asyncio
import ctypes
import gc
import importlib
import json
import os
import runpy
import signal
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import setproctitle

#: What most services import. Not what only one needs: its siblings would carry it.
SHARED_MODULES = (
    "faststream.nats",
    "nightmail_common.broker.connection",
    "nightmail_common.service.http_server",
    "nightmail_common.broker.log",
    "nightmail_common.service.logging",
    "nightmail_common.service.settings",
    "nightmail_common.broker.streams",
    "nkeys",
)

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


@dataclass(frozen=True)
class Program:
    """What a process is to run: a command, or a Python module, with the environment that a descriptor holds as JSON."""

    title: str
    environment_descriptor: int
    command: Sequence[str] = ()
    module: str | None = None


def preload() -> None:
    """Import what the services share, once, and keep the garbage collector from touching it."""
    for module in SHARED_MODULES:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()


def environment_descriptor(environment: dict[str, str]) -> int:
    """Return an inheritable descriptor that holds an environment for `Program`."""
    descriptor = os.memfd_create("environment", 0)
    os.write(descriptor, json.dumps(environment).encode())
    return descriptor


def start(program: Program, output: int) -> int:
    """Start a process that writes stdout and stderr to a descriptor, in a session of its own; return its id.

    It ends when this process is gone, however that went (SIGTERM, by prctl(2)).
    """
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _become(program, output, parent)
    return pid


def _become(program: Program, output: int, parent: int) -> NoReturn:
    status = 1
    try:
        _leave_the_parent(parent)
        environment = _read(program.environment_descriptor)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        if program.module is None:
            os.execve(program.command[0], list(program.command), environment)
        setproctitle.setproctitle(program.title)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = [program.module]
        runpy.run_module(program.module, run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # the interpreter's own last resort, which a fork does not reach
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _leave_the_parent(parent: int) -> None:
    """Give up what a fork has of the parent: its session, its signal handlers, its event loop."""
    os.setsid()
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it went before we asked to be told
        os._exit(1)
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    asyncio._set_running_loop(None)  # noqa: SLF001 (the loop is the parent's)
    gc.freeze()  # the parent's loop must not be collected here: its descriptors are gone


def _read(descriptor: int) -> dict[str, str]:
    size = os.fstat(descriptor).st_size
    environment: dict[str, str] = json.loads(os.pread(descriptor, size, 0))
    return environment
