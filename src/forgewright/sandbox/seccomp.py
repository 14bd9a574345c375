"""System calls that a container's programs may make: all others fail with EPERM. Each group says why."""

from __future__ import annotations

from typing import Any

ALLOWED: tuple[tuple[str, str], ...] = (
    (
        "files: what permissions and the mount table already bound",
        "access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2"
        " fadvise64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr"
        " flistxattr flock fremovexattr fsetxattr fstat fstatfs fsync ftruncate futimesat getcwd getdents"
        " getdents64 getxattr inotify_add_watch inotify_init inotify_init1 inotify_rm_watch lchown lgetxattr"
        " link linkat listxattr llistxattr lremovexattr lseek lsetxattr lstat mkdir mkdirat newfstatat"
        " open openat openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink"
        " readlinkat readv removexattr rename renameat renameat2 rmdir sendfile setxattr splice stat statfs"
        " statx symlink symlinkat sync sync_file_range syncfs tee truncate umask unlink unlinkat utime"
        " utimensat utimes vmsplice write writev",
    ),
    (
        "memory of its own: bounded by the memory limit",
        "brk madvise membarrier memfd_create mincore mlock mlock2 mlockall mmap mprotect mremap msync munlock"
        " munlockall munmap pkey_alloc pkey_free pkey_mprotect map_shadow_stack mseal",
    ),
    (
        "processes and threads: bounded by the process limit and its own PID namespace",
        "arch_prctl execve execveat exit exit_group fork futex futex_waitv get_robust_list getcpu"
        " getitimer getpgid getpgrp getpid getppid getpriority getrlimit getrusage getsid gettid kill"
        " pidfd_open pidfd_send_signal prctl prlimit64 rseq sched_get_priority_max sched_get_priority_min"
        " sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval"
        " sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield set_robust_list"
        " set_tid_address setitimer setpgid setpriority setrlimit setsid tgkill times tkill vfork"
        " wait4 waitid uname sysinfo getrandom restart_syscall futex_wake futex_wait futex_requeue",
    ),
    (
        "identity: without capabilities these change nothing that it does not have",
        "capget capset getegid geteuid getgid getgroups getresgid getresuid getuid setfsgid setfsuid setgid"
        " setgroups setregid setresgid setresuid setreuid setuid",
    ),
    (
        "signals and time",
        "alarm clock_getres clock_gettime clock_nanosleep gettimeofday nanosleep pause rt_sigaction"
        " rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait"
        " rt_tgsigqueueinfo sigaltstack signalfd signalfd4 time timer_create timer_delete timer_getoverrun"
        " timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime",
    ),
    (
        "waiting and pipes",
        "epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 pipe pipe2"
        " poll ppoll pselect6 select",
    ),
    (
        "System V and POSIX messages: in an IPC namespace of its own",
        "mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink msgctl msgget msgrcv msgsnd"
        " semctl semget semop semtimedop shmat shmctl shmdt shmget",
    ),
    (
        "sockets once they exist: which kinds may exist is said below",
        "accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg"
        " sendmmsg sendmsg sendto setsockopt shutdown",
    ),
    (
        "asynchronous input and output of the old kind (io_uring is left out: it goes around this filter)",
        "io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit",
    ),
    (
        "sandboxing further, of itself",
        "landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp",
    ),
)

_NAMESPACES = 0x7E020000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET."""

_TIOCSTI = 0x5412
_FAMILIES = (1, 2, 10)
"""UNIX, INET, INET6. Others reach into the kernel, or the hypervisor (VSOCK), where no namespace bounds."""

_EPERM, _ENOSYS = 1, 38


def _argument(index: int, value: int, op: str, value_two: int = 0) -> dict[str, Any]:
    return {"index": index, "value": value, "valueTwo": value_two, "op": op}


def profile(arch: str = "x86_64") -> dict[str, Any]:
    """The profile as `linux.seccomp` of an OCI runtime configuration (runtime-spec 1.0, config-linux)."""
    names = sorted({name for _, group in ALLOWED for name in group.split()})
    rules: list[dict[str, Any]] = [{"names": names, "action": "SCMP_ACT_ALLOW"}]
    # New namespaces open kernel code to programs without privileges. clone3 passes its flags by pointer,
    # which a filter cannot see; ENOSYS makes every C library fall back to clone.
    rules.append(
        {
            "names": ["clone"],
            "action": "SCMP_ACT_ALLOW",
            "args": [_argument(0, _NAMESPACES, "SCMP_CMP_MASKED_EQ")],
        }
    )
    rules.append({"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": _ENOSYS})
    for family in _FAMILIES:
        rules.append(
            {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [_argument(0, family, "SCMP_CMP_EQ")]}
        )
    rules.append(
        {"names": ["socketpair"], "action": "SCMP_ACT_ALLOW", "args": [_argument(0, 1, "SCMP_CMP_EQ")]}
    )
    # TIOCSTI types into the terminal of who started the sandbox. The kernel looks at the low 32 bits of the
    # request only, so "not equal" would be too weak: allow what differs from it in any one of them.
    for bit in range(32):
        mask = 1 << bit
        args = [_argument(1, mask, "SCMP_CMP_MASKED_EQ", ~_TIOCSTI & mask)]
        rules.append({"names": ["ioctl"], "action": "SCMP_ACT_ALLOW", "args": args})
    # mknod: pipes, sockets and plain files, never devices.
    for kind in (0o010000, 0o140000, 0o100000):
        for name, index in (("mknod", 1), ("mknodat", 2)):
            args = [_argument(index, 0o170000, "SCMP_CMP_MASKED_EQ", kind)]
            rules.append({"names": [name], "action": "SCMP_ACT_ALLOW", "args": args})
    # personality: only to ask, and for Linux with or without address randomisation (debuggers, builds).
    for persona in (0x0, 0x8, 0x20000, 0x20008, 0x40000, 0xFFFFFFFF):
        args = [_argument(0, persona, "SCMP_CMP_EQ")]
        rules.append({"names": ["personality"], "action": "SCMP_ACT_ALLOW", "args": args})
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": _EPERM,
        "architectures": ["SCMP_ARCH_X86_64" if arch == "x86_64" else "SCMP_ARCH_AARCH64"],
        "syscalls": rules,
    }
