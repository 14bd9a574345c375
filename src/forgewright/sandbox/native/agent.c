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
#include "agent.h"

#ifndef SOURCE_DIGEST
#define SOURCE_DIGEST "unknown"
#endif

#define LOST_MS 10000 /* without a channel, before all is ended */

static struct buffer inbox;
static volatile sig_atomic_t child_ended;

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
        if (j->tty && write(j->in_fd, "\4", 1) < 0 && errno == EAGAIN) return; /* a terminal's end of input */
        close(j->in_fd);
        j->in_fd = -1;
    }
}

static void status(struct job *j) {
    struct status_message m;
    ssize_t n = read(j->status_fd, &m, sizeof m);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (n == sizeof m && m.status == SPARE_READY) return; /* it was, before there was a command */
    if (n == sizeof m) {
        j->exited = 1;
        j->status = m.status;
        j->rss = m.rss;
        j->cpu = m.cpu;
        if (j->status && j->processes_max) watch(); /* whether it failed for lack of processes: they are still there */
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
        discard(j);
    }
}

/* A restored machine has the clock and the random state of its snapshot, as every other clone of it has. */
static void resumed(const uint8_t *p, uint32_t length) {
    if (length != 48) return;
    struct timespec now = {(time_t)get64(p), (long)get64(p + 8)};
    clock_settime(CLOCK_REALTIME, &now);
    struct { int bits, size; uint8_t seed[32]; } entropy = {256, 32, {0}};
    memcpy(entropy.seed, p + 16, 32);
    static int fd = -1; /* open from the first time on, which is before the snapshot is taken */
    if (fd < 0) fd = open("/dev/urandom", O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    ioctl(fd, RNDADDENTROPY, &entropy);
    ioctl(fd, RNDRESEEDCRNG);
}

static void received(uint8_t type, uint32_t id, const uint8_t *p, uint32_t length) {
    struct job *j = find(id);
    struct stream *s = id & STREAM_IDS ? find_stream(id) : NULL;
    uint32_t done = 0;
    switch (type) {
    case LISTEN: listen_on(id, p, length); break;
    case OPEN: open_stream(id, p, length); break;
    case RESIZE: if (j) resize(j, p, length); break;
    case DATA: if (s) stream_data(s, p, length); break;
    case SHUT: if (s) stream_ended(s); break;
    case ROOM: if (s && length == 4) s->room += get32(p); break;
    case EXEC: start(id, p, length); break;
    case STDIN:
        if (!j || j->in_fd < 0) break;
        if (!length) j->in_eof = 1;
        if (j->in.length + length > STDIN_WINDOW) break;
        reserve(&j->in, length);
        for (uint32_t i = 0; i < length; i++)
            if (j->tty && processes_hard && typed_signal(j, p[i])) done++;
            else j->in.data[j->in.length++] = p[i];
        if (done) memcpy(frame(CREDIT, j->id, 4), &done, 4);
        input(j);
        break;
    case SIGNAL: if (j && length == 1 && !j->gone) signal_job(j, p[0]);
        break;
    case KILL:
        if (j) kill_tree(j);
        else {
            if (direct && jobs) end_strays(); /* it has ended, what it left behind is nobody's child but ours */
            else if (direct) kill_all();
            frame(GONE, id, 0);
        }
        break;
    case RESUME:
        resumed(p, length);
        frame(PONG, id, 0);
        break;
    case PING:
        if (length == 4 && !memcmp(p, "rest", 4)) rest(id);
        else memcpy(frame(PONG, id, length), p, length);
        break;
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

static sigset_t unblocked; /* SIGCHLD is let in while waiting only: never between a look and a wait, or into a vfork */

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

/* Takes leave of a child that has ended; where commands are children, theirs have ended so. */
pid_t waitpid_job(int *how) {
    struct rusage usage;
    pid_t pid = wait4(-1, how, WNOHANG, &usage);
    for (struct job *j = pid > 0 && direct ? jobs : NULL; j; j = j->next) {
        if (j->monitor != pid || j->exited) continue;
        j->exited = j->gone = 1;
        j->status = *how;
        j->rss = (uint64_t)usage.ru_maxrss << 10;
        j->cpu = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000u +
                 (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    }
    return pid;
}

/* Looking at all processes costs a command more than starting it where system calls are dear. */
static void watch_now_and_then(void) {
    static struct timespec last;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if ((now.tv_sec - last.tv_sec) * 1000 + (now.tv_nsec - last.tv_nsec) / 1000000 < WATCH_MS) return;
    last = now;
    watch();
}

static void loop(void) {
    for (;;) {
        struct pollfd fds[4 + LISTENERS_MAX + JOBS_MAX * 4 + STREAMS_MAX];
        struct job *of[2 + JOBS_MAX * 4];
        struct stream *stream_of[2 + LISTENERS_MAX + JOBS_MAX * 4 + STREAMS_MAX];
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
        int listening = listener_count; /* a frame can add one before the next round */
        for (int i = 0; i < listening; i++) fds[n++] = (struct pollfd){full ? -1 : listeners[i].fd, POLLIN, 0};
        for (struct stream *s = streams; s; s = s->next) {
            int events = (full || s->out_eof || !s->room ? 0 : POLLIN) | (s->in.length ? POLLOUT : 0);
            if (s->connecting) events = POLLOUT;
            stream_of[n] = s;
            fds[n++] = (struct pollfd){events ? s->fd : -1, (short)events, 0};
        }
        struct pollfd *counted = &fds[n++], *awaited = &fds[n++];
        *counted = (struct pollfd){group && jobs ? memory_events : -1, POLLPRI, 0};
        *awaited = (struct pollfd){awaited_spare(), POLLIN, 0};
        struct timespec soon = {0, (pressed ? 10 : 1) * WATCH_MS * 1000000L};
        if (ppoll(fds, n, (memory_max || pressed) && jobs ? &soon : NULL, &unblocked) < 0 && errno != EINTR) die("poll");
        n -= 2;
        if (awaited->fd >= 0 && awaited->revents) spare_told();
        if (counted->fd >= 0 && counted->revents) limit_met();
        if (pressed && jobs) look_at_pressure();
        if (child_ended) {
            int how, strays = 0;
            child_ended = 0;
            for (pid_t pid; (pid = waitpid_job(&how)) > 0;) {
                spare_ended(pid);
                strays |= !direct && how != 0; /* a monitor that ends well has no children left */
            }
            if (strays) end_strays();
        }
        if (memory_max && jobs) watch_now_and_then();
        for (nfds_t i = 2; i < job_end; i++) {
            if (!fds[i].revents || fds[i].fd < 0) continue;
            int what = (int)(i - 2) % 4;
            if (what == 0) status(of[i]);
            else if (what == 1) input(of[i]);
            else if (of[i]->out_fd[what - 2] >= 0) output(of[i], what - 2, of[i]->reported);
        }
        for (struct job *j = jobs; j; j = j->next) settle(j);
        discard_ended();
        for (int i = 0; i < listening; i++)
            if (fds[job_end + (nfds_t)i].revents) accept_stream(&listeners[i]);
        for (nfds_t i = job_end + (nfds_t)listening; i < n; i++) {
            struct stream *s = stream_of[i];
            if (s->connecting) {
                if (fds[i].revents) stream_connected(s);
                continue;
            }
            if (fds[i].revents & POLLOUT) stream_in(s);
            int readable = fds[i].revents & (POLLIN | POLLHUP | POLLERR);
            if (s->fd >= 0 && readable && s->room && !s->out_eof) stream_out(s);
            else if (s->fd >= 0 && fds[i].revents & (POLLHUP | POLLERR)) stream_ended(s);
        }
        discard_streams();
        if (fds[0].revents && receive()) return;
        if (outbox.length && flush_out()) return;
        if (cgroups && !jobs && !outbox.length) prepare();
        answer_at_rest();
    }
}

/* A machine that was saved has lost its channel, and is soon met anew. Connections end with it; what commands left running
   goes on, as it does where the channel is a serial device. Where nobody comes, nothing goes on: the engine was killed. */
static void next_channel(int waiting) {
    struct pollfd coming = {waiting, POLLIN, 0};
    for (struct stream *s = streams; s; s = s->next) stream_ended(s);
    discard_streams();
    while (listener_count) close(listeners[--listener_count].fd);
    inbox.length = outbox.length = 0;
    if (poll(&coming, 1, LOST_MS) == 0) {
        end_all(0);
        drop_spare();
        for (struct job *j = jobs; j; j = j->next) j->flags = j->reported = j->gone = 1;
        discard_ended();
        outbox.length = 0;
    }
    int fd = -1;
    while ((fd = accept4(waiting, NULL, NULL, SOCK_CLOEXEC)) < 0)
        if (errno != EINTR && errno != ECONNABORTED) die("accept");
    dup2(fd, 0);
    dup2(fd, 1);
    close(fd);
}

static void greet(void) {
    fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK);
    fcntl(1, F_SETFL, fcntl(1, F_GETFL) | O_NONBLOCK);
    uint32_t pid = (uint32_t)getpid();
    memcpy(frame(HELLO, 1, 4), &pid, 4);
}

int main(int argc, char **argv) {
    int waiting = -1;
    const char *payloads = NULL;
    if (argc == 2 && !strcmp(argv[1], "--version")) {
        puts(SOURCE_DIGEST);
        return 0;
    }
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--cgroups")) cgroups = atoi(argv[i + 1]);
        else if (!strcmp(argv[i], "--processes")) processes_hard = strtoull(argv[i + 1], NULL, 10);
        else if (!strcmp(argv[i], "--group")) payloads = argv[i + 1];
        else if (!strcmp(argv[i], "--direct")) direct = atoi(argv[i + 1]);
        else if (!strcmp(argv[i], "--victims")) victims = atoi(argv[i + 1]);
        else if (!strcmp(argv[i], "--accept")) waiting = atoi(argv[i + 1]);
        else if (!strcmp(argv[i], "--memory")) memory_max = strtoull(argv[i + 1], NULL, 10);
    }
    if (cgroups < 0 || cgroups > 8) return 64;
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    for (int i = cgroups - 1; i >= 0; i--) /* inherited as 3, 4, … */
        if (dup2(3 + i, CGROUP_FD + i) < 0) die("cgroup descriptor");
    for (int fd = 3; fd < FIRST_FREE_FD; fd++)
        if ((fd < CGROUP_FD || fd >= CGROUP_FD + cgroups) && dup2(0, fd) < 0) die("descriptors");
    for (int fd = 3; fd < FIRST_FREE_FD; fd++) fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (payloads) open_group(payloads);
    signal(SIGPIPE, SIG_IGN);
    struct sigaction action = {.sa_handler = on_child, .sa_flags = SA_NOCLDSTOP};
    sigaction(SIGCHLD, &action, NULL);
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, &unblocked);
    loopback_up();
    give_up_privileges();
    fd_max = FIRST_FREE_FD;
    if (waiting >= 0) {
        fcntl(waiting, F_SETFD, FD_CLOEXEC);
        fd_max = waiting > fd_max ? waiting : fd_max;
        for (;;) {
            next_channel(waiting);
            greet();
            loop();
        }
    }
    greet();
    loop();
    kill(-1, SIGKILL);
    return 0;
}
