"""Start services by fork, so that they share the memory of imported modules (copy on write).

Five Python processes that import pydantic, nats-py and FastStream by themselves take 45 MB each. Here the parent imports
them once, before the first fork. The parent reads no secret: each child reads its own environment from a descriptor.
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

#: What two services or more import, and all that these import. A module of one service would cost the others memory.
SHARED_MODULES = (
    "nightmail_common.broker.file_store",
    "nightmail_common.broker.input_store",
    "nightmail_common.broker.responder",
    "nightmail_common.broker.results",
    "nightmail_common.broker.sample_store",
    "nightmail_common.broker.work_queue",
    "nightmail_common.contract.job_definition",
    "nightmail_common.contract.timetable",
    "nightmail_common.service.script_reader",
    "nightmail_common.service.service",
    "nkeys",
    "uvloop",
)

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


@dataclass(frozen=True)
class Program:
    """A command, or a Python module and its arguments, to run, with a descriptor that holds its environment as JSON."""

    title: str
    environment_descriptor: int
    command: Sequence[str] = ()
    module: str | None = None
    arguments: Sequence[str] = ()


def preload() -> None:
    """Import the shared modules, and freeze them for the garbage collector (gc.freeze)."""
    for module in SHARED_MODULES:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()


def environment_descriptor(environment: dict[str, str]) -> int:
    """Return an inheritable descriptor that holds an environment as JSON."""
    descriptor = os.memfd_create("environment", 0)
    os.write(descriptor, json.dumps(environment).encode())
    return descriptor


def start(program: Program, output: int) -> int:
    """Start a process in its own session with stdout and stderr on a descriptor; return its id.

    It gets SIGTERM when this process ends for any reason (PR_SET_PDEATHSIG, prctl(2)).
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
        _detach_from_parent(parent)
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
        sys.argv = [program.module, *program.arguments]
        runpy.run_module(program.module, run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # a fork does not reach the interpreter's own handler
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _detach_from_parent(parent: int) -> None:
    """Drop the state that a fork inherits: the session, the signal handlers, the event loop."""
    os.setsid()
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # the parent ended before the prctl call
        os._exit(1)
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    asyncio._set_running_loop(None)  # noqa: SLF001 (the loop is the parent's)
    gc.freeze()  # never collect the parent's loop here: its descriptors are closed


def _read(descriptor: int) -> dict[str, str]:
    size = os.fstat(descriptor).st_size
    environment: dict[str, str] = json.loads(os.pread(descriptor, size, 0))
    return environment
