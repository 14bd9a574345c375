/* Starting a command: its monitor, its privileges, its limits; and saying how it ended. */
#include "agent.h"
#include "builtin.h"

struct job *jobs;
int job_count, cgroups, fd_max, direct, victims, group;

static int pids_events = -1;
static struct job *unused; /* of commands that have been: memory that is taken and given back costs the kernel's part in it */
int memory_events = -1; /* the kernel says when something is counted in it */

/* What no program started from here may ever gain, once for all of them. */
void give_up_privileges(void) {
    for (int cap = 0; cap < 64 && !prctl(PR_CAPBSET_DROP, cap, 0, 0, 0); cap++) {}
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) die("no_new_privs");
}

/* By the bare calls: the library's would ask other threads, of which there are none, to follow. */
static void drop_privileges(uint32_t uid, uint32_t gid) {
    if (getgid() != gid || getuid() != uid) {
        if (syscall(SYS_setgroups, 0, NULL) || syscall(SYS_setresgid, gid, gid, gid) || syscall(SYS_setresuid, uid, uid, uid))
            die("user id");
    }
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
    if (syscall(SYS_capset, &header, none)) die("capabilities");
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

/* execvp(3) with the environment of the command, whose memory may be the agent's own (vfork). */
static void execvpe_in(char **argv, char **envp) {
    if (strchr(argv[0], '/')) {
        execve(argv[0], argv, envp);
        return;
    }
    const char *path = "/usr/bin:/bin";
    for (char **e = envp; *e; e++)
        if (!strncmp(*e, "PATH=", 5)) path = *e + 5;
    int denied = 0;
    size_t length = strlen(argv[0]);
    for (;;) {
        size_t n = strcspn(path, ":");
        char full[4096];
        if (n + 1 + length < sizeof full) {
            memcpy(full, path, n);
            full[n] = '/';
            memcpy(full + n + (n > 0), argv[0], length + 1); /* an empty part is the working directory */
            if (access(full, F_OK) == 0) execve(full, argv, envp); /* an execve that fails is not cheap */
            if (errno == EACCES) denied = 1;
            else if (errno != ENOENT && errno != ENOTDIR) return;
        }
        if (!path[n]) break;
        path += n + 1;
    }
    errno = denied ? EACCES : ENOENT;
}

void join(void) {
    for (int i = 0; i < cgroups; i++)
        if (write(CGROUP_FD + i, "0", 1) != 1) die("cgroup");
}

void payload(const uint8_t *p, const uint8_t *end, int joined) {
    uint8_t kind = p[0];
    uint32_t uid = get32(p + 2), gid = get32(p + 6);
    const uint8_t *limits = p + 18;
    uint32_t argc = get32(p + 50), envc = get32(p + 54);
    static char *few[256], **words = few; /* grows to the largest command's; a vforked child's memory is the agent's */
    static size_t capacity = sizeof few / sizeof *few;
    if ((size_t)argc + envc + 2 > capacity) {
        capacity = (size_t)argc + envc + 2;
        words = realloc(words == few ? NULL : words, capacity * sizeof *words);
        if (!words) die("memory");
    }
    char **argv = words, **envp = words + argc + 1;
    argv[argc] = envp[envc] = NULL;
    const char *s = (const char *)p + EXEC_HEAD, *workdir = s;
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
    if (p[1] & EXEC_TTY) ioctl(0, TIOCSCTTY, 0);
    if (!joined) join();
    if (victims) {
        int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
        if (fd < 0 || write(fd, "1000", 4) != 4) die("oom_score_adj");
        close(fd);
    }
    limit(RLIMIT_NOFILE, get64(limits));
    limit(RLIMIT_NPROC, get64(limits + 8));
    limit(RLIMIT_AS, get64(limits + 16));
    limit(RLIMIT_FSIZE, get64(limits + 24));
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    if (kind || !direct) close_from(3); /* else all are closed by execve (FD_CLOEXEC) */
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
    execvpe_in(argv, envp);
    int e = errno;
    dprintf(2, "cannot run %s: %s\n", argv[0], strerror(e));
    _exit(e == ENOENT ? 127 : 126);
}

/* `p`: what is to be run; NULL: that will be said later. */
void monitor(int status_fd, const int fds[3], int request_fd, const uint8_t *p, const uint8_t *end) {
    for (int i = 0; i < 3; i++) dup2(fds[i], i);
    dup2(status_fd, STATUS_FD);
    if (!p) dup2(request_fd, REQUEST_FD);
    close_from(CGROUP_FD + cgroups);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    /* vfork shares this process's memory until it runs the program: nothing to copy, nothing to give back. But whoever waits
       for that counts as load of the machine: for long, in a virtual machine only, where that is nobody else's. */
    pid_t child = p || group ? vfork() : fork();
    if (child == 0 && !p) await_request();
    if (child == 0) payload(p, end, 0);
    if (!p) close(REQUEST_FD);
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

void open_group(const char *folder) {
    char path[256];
    snprintf(path, sizeof path, "%s/memory.events", folder);
    memory_events = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof path, "%s/pids.events", folder);
    pids_events = open(path, O_RDONLY | O_CLOEXEC);
    open_pressure(folder);
    group = 1;
}

static uint64_t counted(int fd, const char *key) {
    char text[512];
    ssize_t got = pread(fd, text, sizeof text - 1, 0);
    if (got <= 0) return 0;
    text[got] = 0;
    for (char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (!strncmp(line, key, strlen(key)) && line[strlen(key)] == ' ') return strtoull(line + strlen(key), NULL, 10);
    return 0;
}

void report(struct job *j) {
    if (group && j->status) {
        if (counted(memory_events, "oom_kill") > j->oom_before) j->flags |= FLAG_MEMORY;
        if (counted(pids_events, "max") > j->pids_before) j->flags |= FLAG_PROCESSES;
    }
    struct statfs fs;
    if (j->status && !statfs("/tmp", &fs) && fs.f_blocks && (fs.f_bavail == 0 || (fs.f_files && fs.f_ffree == 0))) j->flags |= FLAG_DISK;
    may_prepare();
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

/* A terminal of the sandbox's own devpts, that belongs to the command's user. Its size: rows, columns. */
static int open_terminal(uint32_t uid, uint32_t gid, const uint8_t *size, int *slave) {
    setfsgid(gid);
    setfsuid(uid);
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC), unlock = 0;
    unsigned number;
    char path[32];
    *slave = -1;
    if (master >= 0 && !ioctl(master, TIOCSPTLCK, &unlock) && !ioctl(master, TIOCGPTN, &number)) {
        snprintf(path, sizeof path, "/dev/pts/%u", number);
        *slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    }
    int e = errno;
    setfsuid(getuid());
    setfsgid(getgid());
    if (*slave >= 0) {
        struct winsize window = {0};
        memcpy(&window, size, 4);
        ioctl(master, TIOCSWINSZ, &window);
        return master;
    }
    if (master >= 0) close(master);
    errno = e;
    return -1;
}

/* Ctrl-C and its like, where the terminal's own line discipline (gVisor's of 2022) makes no signals of them. */
int typed_signal(struct job *j, uint8_t c) {
    static const struct { int key, signo; } keys[] = {{VINTR, SIGINT}, {VQUIT, SIGQUIT}, {VSUSP, SIGTSTP}};
    struct termios t;
    if (c >= ' ' || j->in_fd < 0 || tcgetattr(j->in_fd, &t) || !(t.c_lflag & ISIG)) return 0;
    for (int i = 0; i < 3; i++)
        if (c && t.c_cc[keys[i].key] == c) {
            if (!j->gone) signal_job(j, keys[i].signo);
            return 1;
        }
    return 0;
}

void resize(struct job *j, const uint8_t *p, uint32_t length) {
    struct winsize window = {0};
    if (length != 4 || !j->tty || j->in_fd < 0) return;
    memcpy(&window, p, 4);
    ioctl(j->in_fd, TIOCSWINSZ, &window); /* the kernel tells the programs … */
    if (processes_hard && !j->gone) signal_job(j, SIGWINCH); /* … but gVisor's of 2022 does not */
}

/* The kernel counted something of the payload's memory: most often that it is at its limit. */
void limit_met(void) {
    counted(memory_events, "max"); /* read, so that the next time is told anew */
    pressed = 1;
}

void keep(struct job job, const uint8_t *p) {
    struct job *j = unused ? unused : malloc(sizeof *j);
    if (!j) die("memory");
    if (unused) unused = unused->next;
    *j = job;
    j->status = 0x7f00;
    j->output_max = get64(p + 10);
    j->processes_max = memory_max ? get64(p + 26) : 0;
    if (group) {
        j->oom_before = counted(memory_events, "oom_kill");
        j->pids_before = counted(pids_events, "max");
    }
    j->next = jobs;
    if (j->monitor < 0) j->gone = 1;
    jobs = j;
    job_count++;
}

void discard(struct job *j) {
    free(j->in.data);
    j->next = unused;
    unused = j;
    job_count--;
}

void start(uint32_t id, const uint8_t *p, uint32_t length) {
    if (length < EXEC_HEAD + 3 || p[length - 1] != 0) return refuse(id, "malformed request");
    if (job_count >= JOBS_MAX) return refuse(id, "too many commands at once");
    int in[2], out[2], err[2], status[2], tty = !p[0] && p[1] & EXEC_TTY;
    status[0] = status[1] = -1;
    if (!tty && start_spare(id, p, length)) return;
    if (!direct && pipe2(status, O_CLOEXEC)) return refuse(id, "no more pipes");
    if (tty) { /* one descriptor each way; what is called standard error goes the same way */
        int slave, master = open_terminal(get32(p + 2), get32(p + 6), p + 58, &slave);
        if (master < 0) {
            close(status[0]); close(status[1]);
            return refuse(id, "no terminal can be had here");
        }
        in[0] = slave; in[1] = fcntl(master, F_DUPFD_CLOEXEC, 0);
        out[0] = master; out[1] = fcntl(slave, F_DUPFD_CLOEXEC, 0);
        err[0] = -1; err[1] = fcntl(slave, F_DUPFD_CLOEXEC, 0);
    } else if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
        return refuse(id, "no more pipes");
    for (int i = 0; i < 2; i++) {
        int fds[] = {in[i], out[i], err[i], status[i]};
        for (int k = 0; k < 4; k++) fd_max = fds[k] > fd_max ? fds[k] : fd_max;
    }
    int fds[3] = {in[0], out[1], err[1]};
    pid_t pid = !direct || p[0] ? fork() : vfork();
    if (pid == 0 && direct) {
        for (int i = 0; i < 3; i++) dup2(fds[i], i);
        payload(p, p + length, 0);
    }
    if (pid == 0) monitor(status[1], fds, -1, p, p + length);
    close(in[0]); close(out[1]); close(err[1]);
    if (!direct) close(status[1]);
    fcntl(in[1], F_SETFL, O_NONBLOCK);
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    if (err[0] >= 0) fcntl(err[0], F_SETFL, O_NONBLOCK);
    keep((struct job){.id = id, .monitor = pid, .status_fd = status[0], .in_fd = in[1],
                      .out_fd = {out[0], err[0]}, .tty = tty}, p);
}

struct job *find(uint32_t id) {
    for (struct job *j = jobs; j; j = j->next)
        if (j->id == id) return j;
    return NULL;
}
