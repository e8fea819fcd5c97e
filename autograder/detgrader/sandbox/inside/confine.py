"""What a worker gives up before it runs a student's code: memory, time, system calls.

System calls fall into four groups. Those that computing needs are allowed. Those that only an
attempt to get out needs (signals to others, their memory, mounts …) end the worker at once, and the
grader calls it a violation. What honest people write fails with an error of its own: programs and
processes are "not implemented", the network is "unreachable". All others, writing files among
them, fail with "operation not permitted".
"""

import ctypes
import functools
import mmap
import os
import resource
import signal
from errno import ENETUNREACH, ENOSYS, EPERM

import pyseccomp as seccomp

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
CLONE_THREAD = 0x00010000
MAP_SHARED_ANONYMOUS = 0x21
MAP_GROWSDOWN = 0x100
MREMAP_PLACED = 0x6  # MREMAP_FIXED, MREMAP_DONTUNMAP
# What a worker may map beyond its limit: libraries that it loads, files that it reads, room that
# threads' heaps reserve (up to 256 MiB, see `environment` in `detgrader.sandbox.host`).
MAPPED_BEYOND = 512 << 20
STACK_BYTES = 8 << 20
# Of the many orders that can be given about a descriptor, those without an owner: a process
# that owns one is sent signals by the kernel, whoever made it the owner.
FCNTL_COMMANDS = (0, 1, 2, 3, 4, 1030)  # F_DUPFD, F_GETFD … F_SETFL, F_DUPFD_CLOEXEC
IOCTL_COMMANDS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # TCGETS … FIOCLEX
WRITING_OPEN_FLAGS = os.O_ACCMODE | os.O_CREAT | os.O_TRUNC | os.O_APPEND | 0o20000000  # O_TMPFILE

ALLOWED = """
    read readv pread64 write writev lseek close close_range fstat stat lstat newfstatat statx
    access faccessat faccessat2 getcwd readlink readlinkat getdents getdents64 statfs fstatfs
    dup dup2 dup3 pipe pipe2 poll ppoll select pselect6 eventfd2 epoll_create1 epoll_ctl
    epoll_wait epoll_pwait fadvise64 sendto recvfrom getsockopt shutdown
    munmap mprotect madvise mincore msync brk get_mempolicy mbind set_mempolicy
    futex futex_waitv set_robust_list get_robust_list rseq membarrier set_tid_address arch_prctl
    rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait sigaltstack
    restart_syscall pause
    clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time times
    getpid getppid gettid getuid geteuid getgid getegid getgroups getresuid getresgid getpgrp
    getpgid getsid uname sysinfo getcpu getrandom getrusage getrlimit
    sched_yield sched_getaffinity sched_getparam sched_getscheduler
    exit exit_group
""".split()

PROCESSES = "execve execveat fork vfork".split()
NETWORK = "socket socketpair connect bind listen accept accept4".split()

VIOLATIONS = """
    ptrace process_vm_readv process_vm_writev process_madvise
    pidfd_open pidfd_getfd pidfd_send_signal rt_sigqueueinfo rt_tgsigqueueinfo tkill
    mount umount2 pivot_root chroot unshare setns move_mount open_tree fsopen fsmount
    bpf perf_event_open userfaultfd keyctl add_key request_key io_uring_setup
    init_module finit_module delete_module kexec_load kexec_file_load reboot
    setuid setgid setreuid setregid setresuid setresgid setgroups capset
""".split()


def set_limits(cpu_s: int, writable_bytes: int, mapped_bytes: int) -> None:
    """Cap CPU seconds, memory, files and core dumps of this process.

    RLIMIT_DATA counts what the process can write, not the gigabytes of library code that torch
    maps. What it does not count, such as pages that were written and then made read-only, is still
    mapped, and so bounded by RLIMIT_AS. Page tables and threads are counted by neither: see
    `detgrader.sandbox.watch`.
    """
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))
    lower(resource.RLIMIT_DATA, writable_bytes)
    lower(resource.RLIMIT_AS, mapped_bytes + MAPPED_BEYOND)
    lower(resource.RLIMIT_STACK, STACK_BYTES)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))


def lower(limit: int, most: int) -> None:
    """Set a limit, for good, unless a lower one holds on this machine."""
    _, hard = resource.getrlimit(limit)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(limit, (most, most))


def counted_memory(limit: int) -> int:
    """Return the bytes of this process's memory, as RLIMIT_DATA or RLIMIT_AS counts them.

    The kernel's own list of it is in /proc, which is not there in a sandbox. So the limit is
    lowered, by halves, to where the kernel refuses one page more.
    """
    page = mmap.PAGESIZE
    soft, hard = resource.getrlimit(limit)
    # Pages: 1 TiB is granted, or as much as anybody may have here.
    refused, granted = 0, 1 << 28 if hard == resource.RLIM_INFINITY else hard // page
    while granted - refused > 1:
        middle = (refused + granted) // 2
        resource.setrlimit(limit, (middle * page, hard))
        try:
            mmap.mmap(-1, page, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
            granted = middle
        except (OSError, MemoryError):
            refused = middle
    resource.setrlimit(limit, (soft, hard))
    return refused * page


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends, and hide its memory."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    libc.prctl(PR_SET_DUMPABLE, 0)


def filter_system_calls() -> None:
    """Load the filter for this process and all threads it will start."""
    rules = common_rules()
    # A process may signal itself (abort does), nobody else.
    own = os.getpid()
    for name in ("kill", "tgkill"):
        allow(rules, name, seccomp.Arg(0, seccomp.EQ, own))
        rules.add_rule(seccomp.KILL_PROCESS, name, seccomp.Arg(0, seccomp.NE, own))
    rules.load()


@functools.cache
def common_rules() -> seccomp.SyscallFilter:
    """Build the part of the filter that is every worker's; they inherit it from the zygote."""
    rules = seccomp.SyscallFilter(defaction=seccomp.ERRNO(EPERM))
    for name in ALLOWED:
        allow(rules, name)
    for names, action in (
        (VIOLATIONS, seccomp.KILL_PROCESS),
        (PROCESSES, seccomp.ERRNO(ENOSYS)),
        (NETWORK, seccomp.ERRNO(ENETUNREACH)),
    ):
        for name in filter(known, names):
            rules.add_rule(action, name)
    # Files may be opened for reading only.
    reading = {"open": 1, "openat": 2}
    for name, position in reading.items():
        allow(rules, name, seccomp.Arg(position, seccomp.MASKED_EQ, WRITING_OPEN_FLAGS, 0))
    # Threads may be started, processes may not. glibc falls back from clone3, whose flags
    # lie in memory where a filter cannot read them.
    allow(rules, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, CLONE_THREAD, CLONE_THREAD))
    rules.add_rule(
        seccomp.ERRNO(ENOSYS), "clone", seccomp.Arg(0, seccomp.MASKED_EQ, CLONE_THREAD, 0)
    )
    rules.add_rule(seccomp.ERRNO(ENOSYS), "clone3")
    # Memory shared without a file, and what grows like a stack, escapes RLIMIT_DATA.
    kinds = MAP_SHARED_ANONYMOUS | MAP_GROWSDOWN
    for flags in (0x01, 0x20, 0x00):
        allow(rules, "mmap", seccomp.Arg(3, seccomp.MASKED_EQ, kinds, flags))
    allow(rules, "mremap", seccomp.Arg(3, seccomp.MASKED_EQ, MREMAP_PLACED, 0))
    for name, commands in (("fcntl", FCNTL_COMMANDS), ("ioctl", IOCTL_COMMANDS)):
        for command in commands:
            allow(rules, name, seccomp.Arg(1, seccomp.EQ, command))
    # Limits may be read, of this process only, and not raised: the new limit must be NULL.
    allow(rules, "prlimit64", seccomp.Arg(0, seccomp.EQ, 0), seccomp.Arg(2, seccomp.EQ, 0))
    # Naming threads and memory regions is all that libraries ask of prctl.
    for option in (15, 16, 0x53564D41):  # PR_SET_NAME, PR_GET_NAME, PR_SET_VMA
        allow(rules, "prctl", seccomp.Arg(0, seccomp.EQ, option))
    return rules


def known(name: str) -> bool:
    """Say whether the system's libseccomp knows a system call by this name."""
    try:
        return seccomp.resolve_syscall(seccomp.system_arch(), name) >= 0
    except (OSError, ValueError):
        return False


def allow(rules: seccomp.SyscallFilter, name: str, *conditions: seccomp.Arg) -> None:
    """Allow a system call; one that this architecture lacks is passed over."""
    if known(name):
        rules.add_rule(seccomp.ALLOW, name, *conditions)
