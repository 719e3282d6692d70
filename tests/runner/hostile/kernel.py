"""Scripts that try forbidden system calls."""

import seccompy

from nightmail_runner.sandbox.isolation.syscalls import KILLED
from runner.hostile.case import Hostile

_CTYPES = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    answer = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])
    if answer == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer
import platform
X86 = platform.machine() == 'x86_64'
"""


def _exists(name: str) -> bool:
    """Return whether this architecture has a system call."""
    try:
        seccompy.syscall_nr(name)
    except ValueError:
        return False
    return True


KERNEL = {
    "opens_sockets_of_every_family": Hostile(
        """
import socket
for family in range(46):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
        try:
            socket.socket(family, kind)
        except OSError:
            continue
        print('HOLE', family, kind)
attempt(socket.socketpair)
attempt(socket.create_connection, ('127.0.0.1', 4222))
attempt(socket.getaddrinfo, 'example.com', 443)
"""
    ),
    "connects_the_socket_it_has": Hostile(
        """
import socket
own = socket.socket(fileno=3)
attempt(own.connect, '/run/docker.sock')
attempt(own.bind, chr(0) + 'hole')
attempt(own.listen)
own.detach()
"""
    ),
    "runs_programs": Hostile(
        """
import os, subprocess, sys
attempt(subprocess.run, ['/bin/sh', '-c', 'id'])
attempt(os.system, 'exit 7') if os.system('exit 7') == 7 << 8 else None
attempt(os.execv, sys.executable, [sys.executable])
attempt(os.posix_spawn, '/bin/ls', ['ls'], {})
attempt(os.popen, 'id')
"""
    ),
    "forks": Hostile("import os\nattempt(os.fork)\nattempt(os.forkpty)"),
    "forks_without_end": Hostile("import os\nwhile True: os.fork()", ("script",), "not permitted"),
    "forks_twice_to_outlive_its_run": Hostile(
        """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(3600)
""",
        ("script",),
        "not permitted",
    ),
    "starts_processes_with_multiprocessing": Hostile(
        """
import multiprocessing
for method in ('fork', 'spawn', 'forkserver'):
    attempt(lambda: multiprocessing.get_context(method).Process(target=print).start())
attempt(lambda: multiprocessing.Pool(2))
"""
    ),
    "signals_everyone": Hostile(
        """
import os, signal
for pid in (-1, 0, os.getppid(), 1 if os.getpid() != 1 else 2, -os.getppid() or -1, 2, 3, 4, 5):
    for number in (0, signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP):
        if pid != os.getpid():
            attempt(os.kill, pid, number)
attempt(os.killpg, os.getpgrp(), signal.SIGKILL) if os.getpgrp() > 1 else None
"""
    ),
    "signals_by_other_ways": Hostile(
        _CTYPES
        + """
import fcntl, signal
attempt(fcntl.fcntl, 1, 8, -1)  # F_SETOWN
attempt(fcntl.fcntl, 1, 10, signal.SIGKILL)  # F_SETSIG
attempt(os.pidfd_open, os.getpid())
for number in ((200, 129, 297, 424) if X86 else (130, 138, 240, 424)):  # tkill, rt_sigqueueinfo, rt_tgsigqueueinfo, pidfd_*
    attempt(call, number, 2, 9, 9, 0)
"""
    ),
    "makes_system_calls_that_no_report_needs": Hostile(
        _CTYPES
        + """
names = ('chroot unshare setns memfd_create shmget msgget semget mq_open personality syslog'
         ' sethostname setdomainname settimeofday clock_settime adjtimex setuid setgid setresuid setgroups capset'
         ' setpriority sched_setscheduler sched_setaffinity ioprio_set inotify_init1 landlock_create_ruleset'
         ' seccomp pidfd_open clone3').split()
import seccompy
for name in names:
    attempt(call, seccompy.syscall_nr(name), 0, 0, 0, 0, 0)
"""
    ),
    "makes_system_calls_by_their_x32_numbers": Hostile(
        _CTYPES
        + """
if X86:
    for number in (41, 57, 59, 101):  # socket, fork, execve, ptrace
        attempt(call, 0x40000000 | number, 2, 1, 0)  # x32
"""
    ),
    "makes_machine_code_that_calls_the_kernel": Hostile(
        _CTYPES
        + """
import mmap
if X86:
    # mov eax, 41 (socket); mov edi, 2; mov esi, 1; xor edx, edx; syscall; ret
    code = bytes.fromhex('b829000000bf02000000be0100000031d20f05c3')
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(code)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    answer = ctypes.CFUNCTYPE(ctypes.c_long)(address)()
    print('HOLE' if answer >= 0 else 'stopped', answer)
"""
    ),
    "sends_out_of_band_data": Hostile(
        """
socket = __import__('socket')
own = socket.socket(fileno=3)
attempt(own.send, b'x', socket.MSG_OOB)
attempt(own.sendto, b'x', socket.MSG_OOB | socket.MSG_DONTWAIT, '')
attempt(own.recv, 1, socket.MSG_OOB | socket.MSG_DONTWAIT)
own.detach()
"""
    ),
    "sends_descriptors_to_hold_more_files": Hostile(
        """
socket = __import__('socket')
own = socket.socket(fileno=3)
attempt(socket.send_fds, own, [b'x'], [0, 1, 2])
own.detach()
"""
    ),
    "makes_threads_that_do_not_share_their_files": Hostile(
        _CTYPES
        + """
thread = 0x3d0f00
for flags in (thread & ~0x400, thread & ~0x200, thread | 0x8000, thread & ~0x40000, 0x10900 | 0x100, thread | 17):
    attempt(call, 56 if X86 else 220, flags, 0, 0, 0, 0)
"""
    ),
    "still_makes_threads_as_the_library_does": Hostile(
        """
threading = __import__('threading')
done = []
threads = [threading.Thread(target=done.append, args=(number,)) for number in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert sorted(done) == list(range(8))
"""
    ),
    "reads_links_of_any_path": Hostile(
        _CTYPES
        + """
os = __import__('os')
attempt(os.readlink, '/proc/self/exe')
attempt(os.readlink, '/etc/localtime')
buffer = ctypes.create_string_buffer(256)
attempt(call, 267 if X86 else 78, -100, b'/etc/mtab', buffer, 256)
"""
    ),
    "locks_with_priority_inheritance": Hostile(
        _CTYPES
        + """
word = ctypes.c_uint32(0)
for operation in (2, 6, 7, 8, 11, 12, 13):
    for flags in (0, 128, 256, 384):
        attempt(call, 202 if X86 else 98, ctypes.byref(word), operation | flags, 0, 0, 0, 0)
        assert ctypes.get_errno() == 1, (operation, ctypes.get_errno())
"""
    ),
    "enters_namespaces_by_clone": Hostile(
        _CTYPES
        + """
for flags in (0x10000000, 0x20000000, 0x00020000, 0x40000000, 0x10010900, 17):
    attempt(call, 56 if X86 else 220, flags, 0, 0, 0, 0)
"""
    ),
    "raises_its_own_limits": Hostile(
        """
import resource
for what in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE):
    soft, hard = resource.getrlimit(what)
    attempt(resource.setrlimit, what, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    attempt(resource.setrlimit, what, (hard + 1, hard + 1))
attempt(resource.prlimit, 1 if __import__('os').getpid() != 1 else 2, resource.RLIMIT_AS, (0, 0))
"""
    ),
    "changes_the_isolation_layers": Hostile(
        _CTYPES
        + """
for option in (22, 4, 36, 24, 47, 59):  # SECCOMP, DUMPABLE, SUBREAPER, CAPBSET_DROP, CAP_AMBIENT, SYSCALL_USER_DISPATCH
    attempt(lambda: 1 / (libc.prctl(option, 1, 0, 0, 0) == 0))
assert libc.prctl(15, b'renamed', 0, 0, 0) == 0
"""
    ),
    "becomes_another_user": Hostile(
        "import os\nfor change in (os.setuid, os.setgid, os.seteuid):\n    attempt(change, 0 if os.getuid() else 65534)"
    ),
    "calls_the_kernel_as_a_32_bit_program": Hostile(
        _CTYPES
        + """
import mmap
if not X86:
    os.kill(os.getpid(), 31)
# mov eax, 20 (getpid in 32 bits); int 0x80; ret
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(bytes.fromhex('b814000000cd80c3'))
address = ctypes.addressof(ctypes.c_char.from_buffer(page))
print('HOLE', ctypes.CFUNCTYPE(ctypes.c_long)(address)())
""",
        ("killed",),
        "SIGSYS",
    ),
    "stops_itself": Hostile("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)", ("succeeded", "timeout")),
    # The kernel drops signals to the first process of a namespace that come from inside of it and have no handler.
    "is_ended_by_its_own_alarm": Hostile(
        "import signal\nsignal.setitimer(signal.ITIMER_REAL, 0.1)\nsignal.pause()", ("killed", "timeout")
    ),
    "survives_its_own_alarms": Hostile(
        """
import signal
def handler(*arguments): raise RuntimeError('from a handler')
for number in (signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF):
    signal.signal(number, handler)
signal.setitimer(signal.ITIMER_REAL, 0.05, 0.001)
while True: pass
""",
        ("script", "killed", "timeout"),
    ),
    "changes_its_process_by_prctl": Hostile(
        _CTYPES
        + """
for option in (1, 3, 5, 9, 21, 25, 28, 31, 32, 33, 35, 41, 50, 52, 53, 54, 62, 0x59616d61):  # prctl(2)
    attempt(lambda: 1 / (libc.prctl(option, 9, 1, 0, 0) == 0))
"""
    ),
    "compares_and_follows_other_processes": Hostile(
        _CTYPES
        + """
import seccompy
for name in ('pidfd_open', 'process_mrelease', 'migrate_pages', 'move_pages', 'get_mempolicy', 'sched_getattr', 'sched_setattr',
             'getpriority', 'rt_tgsigqueueinfo'):
    attempt(call, seccompy.syscall_nr(name), 2, 2, 2, 2, 2)
"""
    ),
    "signals_its_group": Hostile(
        """
import os, signal
for pid in (0, -1):
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP, signal.SIGUSR1, 0):
        attempt(os.kill, pid, number)
"""
    ),
    "joins_or_leaves_sessions": Hostile(
        "import os\nfor change in (os.setsid, os.setpgrp, lambda: os.setpgid(0, 0), lambda: os.nice(1), lambda: os.chroot('.')):\n"
        "    attempt(change)"
    ),
    "makes_files_in_memory": Hostile(
        """
import os
attempt(os.memfd_create, 'hole')
attempt(os.eventfd, 0)
from multiprocessing import shared_memory
attempt(shared_memory.SharedMemory, None, True, 1000)
"""
    ),
    "waits_for_events_of_the_kernel": Hostile(
        _CTYPES
        + """
import seccompy
for name in ('io_setup', 'inotify_init1', 'signalfd4', 'timerfd_create', 'epoll_create1'):
    attempt(call, seccompy.syscall_nr(name), 0, 0, 0, 0, 0)
"""
    ),
    "passes_descriptors_to_itself": Hostile(
        """
import socket
attempt(socket.socketpair, socket.AF_UNIX, socket.SOCK_DGRAM)
own = socket.socket(fileno=3)
attempt(own.sendto, b'x', '/dev/log')
attempt(own.sendto, b'x', '/run/systemd/journal/socket')
own.detach()
""",
        ("succeeded", "killed"),
    ),
    "maps_all_of_memory": Hostile(
        "import mmap\nfor power in (47, 46, 45, 44, 43, 42, 41, 40):\n    attempt(mmap.mmap, -1, 1 << power)"
    ),
    "duplicates_every_descriptor": Hostile(
        "import os\nfor descriptor in range(64):\n    try:\n        os.dup2(1, descriptor)\n    except OSError:\n        pass",
        ("killed",),
    ),
    "changes_the_output_after_it_is_written": Hostile(
        """
import os, threading
def write():
    while True:
        for descriptor in range(4, 10):
            try:
                os.pwrite(descriptor, b'x', 0)
            except OSError:
                pass
threading.Thread(target=write, daemon=True).start()
""",
        ("succeeded", "output", "killed"),
    ),
    "makes_a_result_of_holes": Hostile(
        """
import os
for descriptor in range(4, 10):
    try:
        os.ftruncate(descriptor, 1 << 40)
        print('HOLE', descriptor)
    except OSError:
        pass
"""
    ),
    "asks_for_time_and_names": Hostile(
        """
import os, time, platform, socket
attempt(time.clock_settime, time.CLOCK_REALTIME, 0)
attempt(os.getlogin)
attempt(os.sched_setaffinity, 0, {0})
attempt(socket.sethostname, 'hole')
"""
    ),
} | {
    f"ends_with_{name}": Hostile(
        f"{_CTYPES}print('HOLE', call(__import__('seccompy').syscall_nr({name!r}), 16, 0, 0, 0, 0))",
        ("killed",),
        "SIGSYS",
    )
    for name in filter(_exists, sorted(KILLED))
}
