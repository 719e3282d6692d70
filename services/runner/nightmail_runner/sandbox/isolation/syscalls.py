"""The system calls that a worker may make. Every other call fails with EPERM.

Names are those of syscalls(2); a name that an architecture lacks is skipped there.
"""

#: Reads and writes of open files; Landlock decides which files can be opened.
_FILES = """
    read write readv writev pread64 pwrite64 preadv pwritev lseek close close_range dup dup2 dup3
    open openat stat lstat fstat newfstatat statx access faccessat faccessat2 readlink readlinkat getcwd getdents64
    ftruncate fallocate fadvise64 fsync fdatasync umask pipe pipe2 poll ppoll select pselect6
"""
#: Arrow and scripts start threads. New processes are not allowed.
_MEMORY_AND_THREADS = """
    brk mmap munmap mprotect mremap madvise msync futex sched_yield sched_getaffinity set_tid_address
    set_robust_list get_robust_list rseq membarrier arch_prctl exit exit_group
"""
_TIME_AND_SELF = """
    clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time times getrusage getitimer setitimer alarm pause
    getpid gettid getppid getuid geteuid getgid getegid getgroups getpgrp getpgid getsid getcpu uname sysinfo getrandom
    rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend rt_sigtimedwait sigaltstack kill tgkill
    restart_syscall getrlimit
"""
#: On the worker's one socket; it cannot create another.
_SOCKET = "sendto recvfrom sendmsg recvmsg shutdown getsockopt getsockname"

OF_A_WORKER = frozenset(f"{_FILES} {_MEMORY_AND_THREADS} {_TIME_AND_SELF} {_SOCKET}".split())

#: The fork server also forks, waits and prepares workers.
OF_THE_SERVER_ONLY = frozenset(
    ["fork", "wait4", "waitid", "pidfd_open", "pidfd_send_signal", "socketpair", "seccomp", "capset"]
)

#: fcntl(2): F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_DUPFD_CLOEXEC, F_GET_SEALS. F_SETOWN and
#: F_SETSIG are missing: with them the kernel sends signals on behalf of a script.
FCNTL_COMMANDS = (0, 1, 2, 3, 4, 5, 1030, 1034)
#: ioctl(2): TCGETS (is it a terminal?), FIOCLEX, FIONCLEX, FIONREAD, FIONBIO.
IOCTL_REQUESTS = (0x5401, 0x5451, 0x5450, 0x541B, 0x5421)
#: prctl(2): PR_SET_NAME, PR_GET_NAME: threads name themselves.
PRCTL_OPTIONS = (15, 16)
PR_SET_NO_NEW_PRIVS = 38
