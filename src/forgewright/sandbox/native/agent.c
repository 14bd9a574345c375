/*
 * The resident agent: the first process inside a sandbox. It runs commands for the engine, whose end of
 * the control channel is on descriptors 0 and 1, as length-prefixed frames (protocol.py is the other side).
 *
 * Static, without libraries or files of the image, so that any image will do. What it runs has another
 * user id or, where only one is mapped, cannot reach it: it is not dumpable, and nobody inside can signal
 * the first process of a PID namespace. It stays outside the cgroup of what it runs, so that the payload's
 * end by the OOM killer is an answer, not a broken connection. When the channel closes it kills all and
 * ends: an engine that is killed leaves no process behind.
 *
 * Each command has a monitor between itself and the agent, a child subreaper: however a process
 * daemonises, it stays in the tree of its command.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <grp.h>
#include <unistd.h>
#include <time.h>
#include <linux/capability.h>
#include <linux/random.h>

#include "builtin.h"

#ifndef SOURCE_DIGEST
#define SOURCE_DIGEST "unknown"
#endif

enum { EXEC = 1, STDIN = 2, SIGNAL = 3, KILL = 4, PING = 5, RESUME = 6, LISTEN = 7, DATA = 8, SHUT = 9, ROOM = 10 };
enum { HELLO = 65, OUT = 66, ERR = 67, EXITED = 68, PONG = 69, CREDIT = 70, GONE = 71, OPENED = 72, SENT = 73, ENDED = 74 };
enum { FLAG_KILLED = 1, FLAG_DISK = 2, FLAG_MEMORY = 4, FLAG_PROCESSES = 8 };

#define HEADER 9
#define FRAME_MAX (4u << 20)
#define OUT_HIGH (1u << 20)    /* with this much unsent, no more is read from commands */
#define STDIN_WINDOW (1u << 18) /* the engine may send this much before a CREDIT */
#define JOBS_MAX 256
#define STREAMS_MAX 128
#define STREAM_IDS 0x80000000u /* ids of connections that the agent names, apart from those of commands */
#define STATUS_FD 9
#define CGROUP_FD 10
#define FIRST_FREE_FD 20

struct buffer { uint8_t *data; size_t length, capacity; };

struct job {
    uint32_t id;
    pid_t monitor;
    int status_fd, in_fd, out_fd[2];
    struct buffer in;
    int in_eof, exited, reported, gone;
    uint8_t flags;
    int status;
    uint64_t output_max, processes_max, oom_before, pids_before, written[2], rss, cpu;
    struct job *next;
};

/* A connection of a program inside to the relay on its loopback: bytes go to the engine's proxy and back. */
struct stream {
    uint32_t id;
    int fd, in_eof, out_eof, told;
    uint32_t room; /* what the engine will still take */
    struct buffer in;
    struct stream *next;
};

struct status_message { int status; uint64_t rss, cpu; };

static struct job *jobs;
static struct stream *streams;
static int stream_count, listener = -1;
static uint32_t stream_number = STREAM_IDS;
static int job_count;
static struct buffer inbox, outbox;
static int cgroups, fd_max;
static uint64_t memory_max, processes_hard;
static const char *group; /* the payload's cgroup, where the agent itself has to look (in a virtual machine) */
static volatile sig_atomic_t child_ended;

static void die(const char *what) {
    dprintf(2, "agent: %s: %s\n", what, strerror(errno));
    _exit(70);
}

static void reserve(struct buffer *b, size_t more) {
    if (b->length + more <= b->capacity) return;
    size_t capacity = b->capacity ? b->capacity : 65536;
    while (capacity < b->length + more) capacity *= 2;
    b->data = realloc(b->data, capacity);
    if (!b->data) die("memory");
    b->capacity = capacity;
}

static void consume(struct buffer *b, size_t n) {
    memmove(b->data, b->data + n, b->length - n);
    b->length -= n;
}

static uint32_t get32(const uint8_t *p) { uint32_t v; memcpy(&v, p, 4); return v; }
static uint64_t get64(const uint8_t *p) { uint64_t v; memcpy(&v, p, 8); return v; }

/* ---- what is sent ---- */

static uint8_t *frame(uint8_t type, uint32_t id, uint32_t length) {
    reserve(&outbox, HEADER + length);
    uint8_t *p = outbox.data + outbox.length;
    memcpy(p, &length, 4);
    p[4] = type;
    memcpy(p + 5, &id, 4);
    outbox.length += HEADER + length;
    return p + HEADER;
}

static int flush_out(void) {
    size_t sent = 0;
    while (sent < outbox.length) {
        ssize_t n = write(1, outbox.data + sent, outbox.length - sent);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) break;
        if (n <= 0) return -1;
        sent += (size_t)n;
    }
    if (sent) consume(&outbox, sent);
    return 0;
}

/* ---- running a command ---- */

static void drop_privileges(uint32_t uid, uint32_t gid) {
    for (int cap = 0; cap < 64 && !prctl(PR_CAPBSET_DROP, cap, 0, 0, 0); cap++) {}
    if (getgid() != gid || getuid() != uid) {
        if (setgroups(0, NULL) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid)) die("user id");
    }
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
    if (syscall(SYS_capset, &header, none)) die("capabilities");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) die("no_new_privs");
}

/* close_range(2) is younger than some kernels, gVisor's of 2022 among them. */
static void close_from(int first) {
    if (!syscall(SYS_close_range, (unsigned)first, ~0u, 0u)) return;
    for (int fd = first; fd <= fd_max; fd++) close(fd);
}

static void limit(int which, uint64_t value) {
    if (!value) return;
    struct rlimit r = {value, value};
    setrlimit(which, &r);
}

static void payload(const uint8_t *p, const uint8_t *end) {
    uint8_t kind = p[0];
    uint32_t uid = get32(p + 2), gid = get32(p + 6);
    const uint8_t *limits = p + 18;
    uint32_t argc = get32(p + 50), envc = get32(p + 54);
    char **argv = calloc(argc + 1, sizeof *argv), **envp = calloc(envc + 1, sizeof *envp);
    if (!argv || !envp) die("memory");
    const char *s = (const char *)p + 58, *workdir = s;
    s += strlen(s) + 1;
    for (uint32_t i = 0; i < argc; i++, s += strlen(s) + 1) {
        if ((const uint8_t *)s >= end) { errno = EPROTO; die("arguments"); }
        argv[i] = (char *)s;
    }
    for (uint32_t i = 0; i < envc; i++, s += strlen(s) + 1) {
        if ((const uint8_t *)s >= end) { errno = EPROTO; die("environment"); }
        envp[i] = (char *)s;
    }
    setsid();
    for (int i = 0; i < cgroups; i++)
        if (write(CGROUP_FD + i, "0", 1) != 1) die("cgroup");
    limit(RLIMIT_NOFILE, get64(limits));
    limit(RLIMIT_NPROC, get64(limits + 8));
    limit(RLIMIT_AS, get64(limits + 16));
    limit(RLIMIT_FSIZE, get64(limits + 24));
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    close_from(3);
    if (uid || !kind) drop_privileges(uid, gid); /* files are laid out as root before anything else runs */
    umask(022);
    sigset_t empty;
    sigemptyset(&empty);
    sigprocmask(SIG_SETMASK, &empty, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
    if (kind) _exit(builtin(kind, (int)argc, argv));
    if (chdir(workdir)) {
        dprintf(2, "cannot enter %s: %s\n", workdir, strerror(errno));
        _exit(126);
    }
    environ = envp;
    execvp(argv[0], argv);
    int e = errno;
    dprintf(2, "cannot run %s: %s\n", argv[0], strerror(e));
    _exit(e == ENOENT ? 127 : 126);
}

static void monitor(int status_fd, const int fds[3], const uint8_t *p, const uint8_t *end) {
    for (int i = 0; i < 3; i++) dup2(fds[i], i);
    dup2(status_fd, STATUS_FD);
    close_from(CGROUP_FD + cgroups);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    pid_t child = vfork(); /* shares this process's memory until it runs the program: half the price in gVisor */
    if (child == 0) payload(p, end);
    for (int i = 0; i < 3; i++) close(i);
    for (int i = 0; i < cgroups; i++) close(CGROUP_FD + i);
    struct status_message m = {0x7f00, 0, 0};
    if (child < 0) {
        (void)!write(STATUS_FD, &m, sizeof m);
        _exit(1);
    }
    for (;;) {
        struct rusage usage;
        pid_t pid = wait4(-1, &m.status, 0, &usage);
        if (pid < 0 && errno == EINTR) continue;
        if (pid < 0) _exit(0);
        if (pid == child) {
            m.rss = (uint64_t)usage.ru_maxrss << 10;
            m.cpu = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000u +
                    (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
            (void)!write(STATUS_FD, &m, sizeof m);
        }
    }
}

static uint64_t counted(const char *file, const char *key) {
    char path[256], text[512];
    snprintf(path, sizeof path, "%s/%s", group, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    if (got <= 0) return 0;
    text[got] = 0;
    for (char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (!strncmp(line, key, strlen(key)) && line[strlen(key)] == ' ') return strtoull(line + strlen(key), NULL, 10);
    return 0;
}

static void report(struct job *j) {
    if (group && j->status) {
        if (counted("memory.events", "oom_kill") > j->oom_before) j->flags |= FLAG_MEMORY;
        if (counted("pids.events", "max") > j->pids_before) j->flags |= FLAG_PROCESSES;
    }
    struct statfs fs;
    if (!statfs("/tmp", &fs) && fs.f_blocks && (fs.f_bavail == 0 || (fs.f_files && fs.f_ffree == 0))) j->flags |= FLAG_DISK;
    uint8_t *p = frame(EXITED, j->id, 37);
    int32_t status = j->status;
    memcpy(p, &status, 4);
    p[4] = j->flags;
    memcpy(p + 5, &j->written[0], 8);
    memcpy(p + 13, &j->written[1], 8);
    memcpy(p + 21, &j->rss, 8);
    memcpy(p + 29, &j->cpu, 8);
    j->reported = 1;
}

static void refuse(uint32_t id, const char *why) {
    struct job none = {.id = id, .status = 0x7d00, .reported = 1};
    memcpy(frame(ERR, id, (uint32_t)strlen(why)), why, strlen(why));
    report(&none);
}

static void start(uint32_t id, const uint8_t *p, uint32_t length) {
    if (length < 61 || p[length - 1] != 0) return refuse(id, "malformed request");
    if (job_count >= JOBS_MAX) return refuse(id, "too many commands at once");
    int in[2], out[2], err[2], status[2];
    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC) || pipe2(status, O_CLOEXEC))
        return refuse(id, "no more pipes");
    for (int i = 0; i < 2; i++) {
        int fds[] = {in[i], out[i], err[i], status[i]};
        for (int k = 0; k < 4; k++) fd_max = fds[k] > fd_max ? fds[k] : fd_max;
    }
    struct job *j = calloc(1, sizeof *j);
    if (!j) die("memory");
    pid_t pid = fork();
    if (pid == 0) {
        int fds[3] = {in[0], out[1], err[1]};
        monitor(status[1], fds, p, p + length);
    }
    close(in[0]); close(out[1]); close(err[1]); close(status[1]);
    fcntl(in[1], F_SETFL, O_NONBLOCK);
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    fcntl(err[0], F_SETFL, O_NONBLOCK);
    *j = (struct job){.id = id, .monitor = pid, .status_fd = status[0], .in_fd = in[1],
                      .out_fd = {out[0], err[0]}, .status = 0x7f00, .output_max = get64(p + 10),
                      .processes_max = memory_max ? get64(p + 26) : 0, .next = jobs};
    if (group) {
        j->oom_before = counted("memory.events", "oom_kill");
        j->pids_before = counted("pids.events", "max");
    }
    jobs = j;
    job_count++;
    if (pid < 0) j->gone = 1;
}

static struct job *find(uint32_t id) {
    for (struct job *j = jobs; j; j = j->next)
        if (j->id == id) return j;
    return NULL;
}

/* ---- ending a command and all that came of it ---- */

struct process { pid_t pid, parent; uint64_t rss, threads; int mine; };

static int processes(struct process **list) {
    static struct process *all;
    static int capacity;
    int n = 0;
    DIR *proc = opendir("/proc");
    if (!proc) return 0;
    for (struct dirent *e; (e = readdir(proc));) {
        if (e->d_name[0] < '1' || e->d_name[0] > '9') continue;
        char path[64], text[512];
        snprintf(path, sizeof path, "/proc/%.20s/stat", e->d_name);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) continue;
        ssize_t got = read(fd, text, sizeof text - 1);
        close(fd);
        if (got <= 0) continue;
        text[got] = 0;
        char *after = strrchr(text, ')');
        int parent;
        long pages = 0, threads = 1;
        if (!after || sscanf(after + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
                             "%ld %*d %*u %*u %ld", &parent, &threads, &pages) < 1)
            continue;
        if (n == capacity) {
            capacity = capacity ? capacity * 2 : 256;
            all = realloc(all, (size_t)capacity * sizeof *all);
            if (!all) die("memory");
        }
        all[n++] = (struct process){atoi(e->d_name), parent, (uint64_t)pages * 4096u, (uint64_t)threads, 0};
    }
    closedir(proc);
    *list = all;
    return n;
}

static int tree(pid_t root, int signo) {
    struct process *list;
    int n = processes(&list), found = 0, grew = 1;
    while (grew) {
        grew = 0;
        for (int i = 0; i < n; i++) {
            if (list[i].mine) continue;
            int yes = list[i].parent == root;
            for (int k = 0; !yes && k < n; k++) yes = list[k].mine && list[k].pid == list[i].parent;
            if (yes) { list[i].mine = 1; found++; grew = 1; kill(list[i].pid, signo); }
        }
    }
    return found;
}

/* Only a command that ends its own monitor (possible where both have one user id) leaves children to the
   agent. They belong to nothing that is still running: they end. */
static void end_strays(void) {
    struct process *list;
    int n = processes(&list);
    for (int i = 0; i < n; i++) {
        int known = list[i].parent != 1;
        for (struct job *j = jobs; j && !known; j = j->next) known = !j->gone && j->monitor == list[i].pid;
        if (!known) kill(list[i].pid, SIGKILL);
    }
}

static void kill_tree(struct job *j) {
    j->flags |= FLAG_KILLED;
    if (job_count == 1) { /* one system call that no fork can outrun */
        kill(-1, SIGKILL);
        return;
    }
    for (int round = 0, before = -1; round < 50; round++) { /* stop all first: what stands still cannot fork */
        int now = tree(j->monitor, SIGSTOP);
        if (now == before) break;
        before = now;
    }
    for (int round = 0; round < 50 && tree(j->monitor, SIGKILL); round++) usleep(1000);
    kill(j->monitor, SIGKILL);
    end_strays();
}

/* Memory of a process with shared pages counted in part; where that may not be read, all of it. */
static uint64_t proportional(const struct process *process) {
    char path[64], text[2048];
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", process->pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    if (got <= 0) return process->rss;
    text[got] = 0;
    char *line = strstr(text, "\nPss:");
    return line ? strtoull(line + 5, NULL, 10) << 10 : process->rss;
}

/* gVisor's kernel knows what all its programs use, and counts no page twice. */
static uint64_t kernel_usage(void) {
    char text[512];
    int fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    if (got <= 0) return 0;
    text[got] = 0;
    char *total = strstr(text, "MemTotal:"), *available = strstr(text, "MemFree:");
    if (!total || !available) return 0;
    uint64_t all = strtoull(total + 9, NULL, 10) << 10, left = strtoull(available + 8, NULL, 10) << 10;
    return all > left ? all - left : 0;
}

/* Where no cgroup counts: what all use together, and whether it is as many as may be. */
static void watch(void) {
    struct process *list;
    int n = processes(&list);
    uint64_t sum = 0, threads = 0;
    for (int i = 0; i < n; i++) {
        threads += list[i].threads;
        sum += list[i].pid == 1 ? 0 : list[i].rss;
    }
    for (struct job *j = jobs; j; j = j->next)
        if (j->processes_max && threads + 1 >= j->processes_max) j->flags |= FLAG_PROCESSES;
    if (processes_hard && threads > processes_hard) {
        for (struct job *j = jobs; j; j = j->next) j->flags |= FLAG_PROCESSES | FLAG_KILLED;
        kill(-1, SIGKILL);
        return;
    }
    if (sum <= memory_max) return;
    sum = 0;
    if (processes_hard) sum = kernel_usage();
    else
        for (int i = 0; i < n; i++) sum += list[i].pid == 1 ? 0 : proportional(&list[i]);
    if (sum <= memory_max) return;
    for (struct job *j = jobs; j; j = j->next) j->flags |= FLAG_MEMORY | FLAG_KILLED;
    kill(-1, SIGKILL);
}

/* ---- the loop ---- */

static void output(struct job *j, int which, int discard) {
    static uint8_t chunk[65536];
    for (int round = 0; round < 16; round++) {
        if (!discard && outbox.length > OUT_HIGH) return;
        ssize_t n = read(j->out_fd[which], chunk, sizeof chunk);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) {
            close(j->out_fd[which]);
            j->out_fd[which] = -1;
            return;
        }
        if (discard) continue;
        uint64_t room = j->written[which] < j->output_max ? j->output_max - j->written[which] : 0;
        j->written[which] += (uint64_t)n;
        uint32_t keep = (uint64_t)n < room ? (uint32_t)n : (uint32_t)room;
        if (keep) memcpy(frame(which ? ERR : OUT, j->id, keep), chunk, keep);
    }
}

static void input(struct job *j) {
    uint32_t done = 0;
    while (j->in_fd >= 0 && j->in.length) {
        ssize_t n = write(j->in_fd, j->in.data, j->in.length);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) break;
        if (n < 0) { /* nobody reads: what is left goes nowhere */
            close(j->in_fd);
            j->in_fd = -1;
            done += (uint32_t)j->in.length;
            j->in.length = 0;
            break;
        }
        consume(&j->in, (size_t)n);
        done += (uint32_t)n;
    }
    if (done) memcpy(frame(CREDIT, j->id, 4), &done, 4);
    if (j->in_fd >= 0 && j->in_eof && !j->in.length) {
        close(j->in_fd);
        j->in_fd = -1;
    }
}

static void status(struct job *j) {
    struct status_message m;
    ssize_t n = read(j->status_fd, &m, sizeof m);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (n == sizeof m) {
        j->exited = 1;
        j->status = m.status;
        j->rss = m.rss;
        j->cpu = m.cpu;
        return;
    }
    close(j->status_fd);
    j->status_fd = -1;
    j->gone = 1;
    if (!j->exited) j->status = SIGKILL;
}

/* A killed command has ended when its whole tree has; another when its main process has. */
static void settle(struct job *j) {
    if (j->reported || !(j->gone || (j->exited && !(j->flags & FLAG_KILLED)))) return;
    for (int i = 0; i < 2; i++)
        if (j->out_fd[i] >= 0) output(j, i, 0);
    if (outbox.length > OUT_HIGH) return; /* the rest when there is room again */
    report(j);
}

static void discard_ended(void) {
    for (struct job **at = &jobs; *at;) {
        struct job *j = *at;
        if (!(j->gone && j->reported)) { at = &j->next; continue; }
        *at = j->next;
        if (j->flags & FLAG_KILLED) frame(GONE, j->id, 0);
        if (j->in_fd >= 0) close(j->in_fd);
        for (int i = 0; i < 2; i++)
            if (j->out_fd[i] >= 0) close(j->out_fd[i]);
        free(j->in.data);
        free(j);
        job_count--;
    }
}

/* A restored machine has the clock and the random state of its snapshot, as every other clone of it has. */
static void resumed(const uint8_t *p, uint32_t length) {
    if (length != 48) return;
    struct timespec now = {(time_t)get64(p), (long)get64(p + 8)};
    clock_settime(CLOCK_REALTIME, &now);
    struct { int bits, size; uint8_t seed[32]; } entropy = {256, 32, {0}};
    memcpy(entropy.seed, p + 16, 32);
    int fd = open("/dev/urandom", O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    ioctl(fd, RNDADDENTROPY, &entropy);
    ioctl(fd, RNDRESEEDCRNG);
    close(fd);
}

/* ---- the relay ---- */

static void listen_on(uint32_t id, const uint8_t *p, uint32_t length) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int error = 0, one = 1;
    if (length != 2 || listener >= 0) error = EINVAL;
    else {
        memcpy(&address.sin_port, p, 2);
        listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 64)) error = errno;
        fd_max = listener > fd_max ? listener : fd_max;
    }
    uint8_t *answer = frame(PONG, id, 4);
    memcpy(answer, &error, 4);
}

static void accept_stream(void) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    struct stream *s = stream_count < STREAMS_MAX ? calloc(1, sizeof *s) : NULL;
    if (!s) { close(fd); return; }
    fd_max = fd > fd_max ? fd : fd_max;
    *s = (struct stream){.id = ++stream_number | STREAM_IDS, .fd = fd, .room = STDIN_WINDOW, .next = streams};
    streams = s;
    stream_count++;
    frame(OPENED, s->id, 0);
}

static struct stream *find_stream(uint32_t id) {
    for (struct stream *s = streams; s; s = s->next)
        if (s->id == id) return s;
    return NULL;
}

static void stream_ended(struct stream *s) {
    if (s->fd >= 0) close(s->fd);
    s->fd = -1;
    if (!s->told) frame(ENDED, s->id, 0);
    s->told = 1;
}

static void stream_out(struct stream *s) {
    static uint8_t chunk[32768];
    ssize_t n = read(s->fd, chunk, s->room < sizeof chunk ? s->room : sizeof chunk);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n < 0) { stream_ended(s); return; }
    s->room -= (uint32_t)n;
    if (n == 0) s->out_eof = 1; /* an empty frame: it will send no more */
    memcpy(frame(SENT, s->id, (uint32_t)n), chunk, (size_t)n);
    if (s->out_eof && s->in_eof && !s->in.length) stream_ended(s);
}

static void stream_in(struct stream *s) {
    uint32_t done = 0;
    while (s->in.length) {
        ssize_t n = write(s->fd, s->in.data, s->in.length);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) break;
        if (n < 0) { stream_ended(s); return; }
        consume(&s->in, (size_t)n);
        done += (uint32_t)n;
    }
    if (done) memcpy(frame(CREDIT, s->id, 4), &done, 4);
    if (s->in_eof && !s->in.length) {
        shutdown(s->fd, SHUT_WR);
        if (s->out_eof) stream_ended(s);
    }
}

static void stream_data(struct stream *s, const uint8_t *p, uint32_t length) {
    if (s->fd < 0 || s->in_eof) return;
    if (!length) s->in_eof = 1;
    else if (s->in.length + length > STDIN_WINDOW) { stream_ended(s); return; }
    else {
        reserve(&s->in, length);
        memcpy(s->in.data + s->in.length, p, length);
        s->in.length += length;
    }
    stream_in(s);
}

static void discard_streams(void) {
    for (struct stream **at = &streams; *at;) {
        struct stream *s = *at;
        if (s->fd >= 0) { at = &s->next; continue; }
        *at = s->next;
        free(s->in.data);
        free(s);
        stream_count--;
    }
}

static void received(uint8_t type, uint32_t id, const uint8_t *p, uint32_t length) {
    struct job *j = find(id);
    struct stream *s = id & STREAM_IDS ? find_stream(id) : NULL;
    switch (type) {
    case LISTEN: listen_on(id, p, length); break;
    case DATA: if (s) stream_data(s, p, length); break;
    case SHUT: if (s) stream_ended(s); break;
    case ROOM: if (s && length == 4) s->room += get32(p); break;
    case EXEC: start(id, p, length); break;
    case STDIN:
        if (!j || j->in_fd < 0) break;
        if (!length) j->in_eof = 1;
        if (j->in.length + length > STDIN_WINDOW) break;
        reserve(&j->in, length);
        memcpy(j->in.data + j->in.length, p, length);
        j->in.length += length;
        input(j);
        break;
    case SIGNAL: if (j && length == 1 && !j->gone) tree(j->monitor, p[0]); break;
    case KILL:
        if (j) kill_tree(j);
        else frame(GONE, id, 0);
        break;
    case RESUME:
        resumed(p, length);
        frame(PONG, id, 0);
        break;
    case PING: memcpy(frame(PONG, id, length), p, length); break;
    default: errno = EPROTO; die("unknown frame");
    }
}

static int receive(void) {
    reserve(&inbox, 65536);
    ssize_t n = read(0, inbox.data + inbox.length, inbox.capacity - inbox.length);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return 0;
    if (n <= 0) return -1;
    inbox.length += (size_t)n;
    size_t at = 0;
    while (inbox.length - at >= HEADER) {
        uint32_t length = get32(inbox.data + at);
        if (length > FRAME_MAX) return -1;
        if (inbox.length - at < HEADER + length) { reserve(&inbox, HEADER + length); break; }
        received(inbox.data[at + 4], get32(inbox.data + at + 5), inbox.data + at + HEADER, length);
        at += HEADER + length;
    }
    if (at) consume(&inbox, at);
    return 0;
}

static void on_child(int signo) { (void)signo; child_ended = 1; }

static void loopback_up(void) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    struct ifreq request = {0};
    memcpy(request.ifr_name, "lo", 3);
    if (!ioctl(fd, SIOCGIFFLAGS, &request)) {
        request.ifr_flags |= IFF_UP;
        ioctl(fd, SIOCSIFFLAGS, &request);
    }
    close(fd);
}

static void loop(void) {
    for (;;) {
        struct pollfd fds[3 + JOBS_MAX * 4 + STREAMS_MAX];
        struct job *of[2 + JOBS_MAX * 4];
        struct stream *stream_of[3 + JOBS_MAX * 4 + STREAMS_MAX];
        nfds_t n = 0;
        int full = outbox.length > OUT_HIGH;
        fds[n++] = (struct pollfd){0, POLLIN, 0};
        fds[n++] = (struct pollfd){outbox.length ? 1 : -1, POLLOUT, 0};
        for (struct job *j = jobs; j; j = j->next) {
            int waiting = full && !j->reported;
            int want[4] = {j->status_fd, j->in.length ? j->in_fd : -1, waiting ? -1 : j->out_fd[0],
                           waiting ? -1 : j->out_fd[1]};
            for (int i = 0; i < 4; i++) {
                of[n] = j;
                fds[n++] = (struct pollfd){want[i], i == 1 ? POLLOUT : POLLIN, 0};
            }
        }
        nfds_t job_end = n;
        fds[n++] = (struct pollfd){full ? -1 : listener, POLLIN, 0};
        for (struct stream *s = streams; s; s = s->next) {
            int events = (full || s->out_eof || !s->room ? 0 : POLLIN) | (s->in.length ? POLLOUT : 0);
            stream_of[n] = s;
            fds[n++] = (struct pollfd){events ? s->fd : -1, (short)events, 0};
        }
        if (poll(fds, n, memory_max && jobs ? 25 : -1) < 0 && errno != EINTR) die("poll");
        if (child_ended) {
            int strays = 0;
            child_ended = 0;
            for (pid_t pid; (pid = waitpid(-1, NULL, WNOHANG)) > 0;) {
                int clean = 0;
                for (struct job *j = jobs; j && !clean; j = j->next) clean = j->monitor == pid && j->exited;
                strays |= !clean;
            }
            if (strays) end_strays();
        }
        if (memory_max && jobs) watch();
        for (nfds_t i = 2; i < job_end; i++) {
            if (!fds[i].revents || fds[i].fd < 0) continue;
            int what = (int)(i - 2) % 4;
            if (what == 0) status(of[i]);
            else if (what == 1) input(of[i]);
            else if (of[i]->out_fd[what - 2] >= 0) output(of[i], what - 2, of[i]->reported);
        }
        for (struct job *j = jobs; j; j = j->next) settle(j);
        discard_ended();
        if (fds[job_end].revents) accept_stream();
        for (nfds_t i = job_end + 1; i < n; i++) {
            if (fds[i].revents & POLLOUT) stream_in(stream_of[i]);
            struct stream *s = stream_of[i];
            int readable = fds[i].revents & (POLLIN | POLLHUP | POLLERR);
            if (s->fd >= 0 && readable && s->room && !s->out_eof) stream_out(s);
            else if (s->fd >= 0 && fds[i].revents & (POLLHUP | POLLERR)) stream_ended(s);
        }
        discard_streams();
        if (fds[0].revents && receive()) return;
        if (outbox.length && flush_out()) return;
    }
}

int main(int argc, char **argv) {
    if (argc == 2 && !strcmp(argv[1], "--version")) {
        puts(SOURCE_DIGEST);
        return 0;
    }
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--cgroups")) cgroups = atoi(argv[i + 1]);
        else if (!strcmp(argv[i], "--processes")) processes_hard = strtoull(argv[i + 1], NULL, 10);
        else if (!strcmp(argv[i], "--group")) group = argv[i + 1];
        else if (!strcmp(argv[i], "--memory")) memory_max = strtoull(argv[i + 1], NULL, 10);
    }
    if (cgroups < 0 || cgroups > 8) return 64;
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    for (int i = cgroups - 1; i >= 0; i--) /* inherited as 3, 4, … */
        if (dup2(3 + i, CGROUP_FD + i) < 0) die("cgroup descriptor");
    for (int fd = 3; fd < FIRST_FREE_FD; fd++)
        if ((fd < CGROUP_FD || fd >= CGROUP_FD + cgroups) && dup2(0, fd) < 0) die("descriptors");
    for (int fd = 3; fd < FIRST_FREE_FD; fd++) fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK);
    fcntl(1, F_SETFL, fcntl(1, F_GETFL) | O_NONBLOCK);
    signal(SIGPIPE, SIG_IGN);
    struct sigaction action = {.sa_handler = on_child, .sa_flags = SA_NOCLDSTOP};
    sigaction(SIGCHLD, &action, NULL);
    loopback_up();
    fd_max = FIRST_FREE_FD;
    uint32_t pid = (uint32_t)getpid();
    memcpy(frame(HELLO, 1, 4), &pid, 4);
    loop();
    kill(-1, SIGKILL);
    return 0;
}
