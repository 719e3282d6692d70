"""The system calls that a worker may make. Every other call fails with EPERM, and some end the worker.

Names are those of syscalls(2); a name that an architecture lacks is skipped there.
"""

#: Reads and writes of open files; Landlock decides which files can be opened. It does not cover readlink(2), which is missing.
_FILES = """
    read write readv writev pread64 pwrite64 preadv pwritev lseek close close_range dup dup2 dup3
    open openat stat lstat fstat newfstatat statx access faccessat faccessat2 getcwd getdents64
    ftruncate fallocate fadvise64 fsync fdatasync umask pipe pipe2 poll ppoll select pselect6
"""
#: Arrow and scripts start threads. New processes are not allowed.
_MEMORY_AND_THREADS = """
    brk mmap munmap mprotect mremap madvise msync sched_yield sched_getaffinity set_tid_address
    set_robust_list get_robust_list rseq membarrier arch_prctl exit exit_group
"""
_TIME_AND_SELF = """
    clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time times getrusage getitimer setitimer alarm pause
    getpid gettid getppid getuid geteuid getgid getegid getgroups getpgrp getpgid getsid getcpu uname sysinfo getrandom
    rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend rt_sigtimedwait sigaltstack kill tgkill
    restart_syscall getrlimit
"""
#: On the worker's one socket; it cannot create another.
_SOCKET = "shutdown getsockopt getsockname"

OF_A_WORKER = frozenset(f"{_FILES} {_MEMORY_AND_THREADS} {_TIME_AND_SELF} {_SOCKET}".split())

#: The fork server also forks, waits and prepares workers, to which it passes descriptors (sendmsg).
OF_THE_SERVER_ONLY = frozenset(
    ["fork", "wait4", "waitid", "pidfd_open", "pidfd_send_signal", "socketpair", "seccomp", "capset"]
)

#: Calls that neither Python's standard library nor a library for reports makes, and that holes in the kernel are reached by.
#: One of them ends the process (SIGSYS), so that a script cannot try the next one.
_KILLED = """
    ptrace process_vm_readv process_vm_writev process_madvise pidfd_getfd kcmp
    bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register memfd_secret
    keyctl add_key request_key kexec_load kexec_file_load init_module finit_module delete_module
    mount umount2 pivot_root fsopen fsconfig fsmount fspick move_mount open_tree mount_setattr
    name_to_handle_at open_by_handle_at fanotify_init quotactl swapon swapoff reboot acct iopl ioperm modify_ldt
"""
KILLED = frozenset(_KILLED.split())

#: The flags of a thread as glibc and musl create it: pthread_create(3). Without CLONE_FILES, each thread could open as many
#: files as a worker may; without CLONE_FS or CLONE_SIGHAND there is no use.
THREAD_FLAGS = (0x3D0F00, 0x7D0F00)
#: futex(2): WAIT, WAKE, REQUEUE, CMP_REQUEUE, WAKE_OP, WAIT_BITSET, WAKE_BITSET. The kernel's priority inheritance
#: (FUTEX_LOCK_PI and its like) has had many holes, and no library here uses it.
FUTEX_OPERATIONS = (0, 1, 3, 4, 5, 9, 10)
#: FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME go with each operation.
FUTEX_FLAGS = 0x180
#: send(2): MSG_DONTWAIT, MSG_NOSIGNAL. recv(2): MSG_PEEK, MSG_TRUNC, MSG_DONTWAIT, MSG_WAITALL, MSG_CMSG_CLOEXEC.
#: MSG_OOB is missing: the kernel's out-of-band data of UNIX sockets has had a hole (CVE-2025-38236).
SEND_FLAGS = 0x4040
RECEIVE_FLAGS = 0x40000162
#: The position of the flags among the arguments of each call.
FLAGS_OF_SOCKET_CALLS = (
    ("sendto", 3, SEND_FLAGS),
    ("sendmsg", 2, SEND_FLAGS),
    ("recvfrom", 3, RECEIVE_FLAGS),
    ("recvmsg", 2, RECEIVE_FLAGS),
)
#: fcntl(2): F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_DUPFD_CLOEXEC, F_GET_SEALS. F_SETOWN and
#: F_SETSIG are missing: with them the kernel sends signals on behalf of a script.
FCNTL_COMMANDS = (0, 1, 2, 3, 4, 5, 1030, 1034)
#: ioctl(2): TCGETS (is it a terminal?), FIOCLEX, FIONCLEX, FIONREAD, FIONBIO.
IOCTL_REQUESTS = (0x5401, 0x5451, 0x5450, 0x541B, 0x5421)
#: prctl(2): PR_SET_NAME, PR_GET_NAME: threads name themselves.
PRCTL_OPTIONS = (15, 16)
PR_SET_NO_NEW_PRIVS = 38
