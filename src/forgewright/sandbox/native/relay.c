/* Connections as streams of frames: those of programs inside to ports that lead to the engine, and of the engine to servers inside. */
#include "agent.h"

struct stream *streams;
struct listener listeners[LISTENERS_MAX];
int listener_count;
static int stream_count;
static uint32_t stream_number;

void listen_on(uint32_t id, const uint8_t *p, uint32_t length) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int error = 0, one = 1;
    if (length != 2 || listener_count == LISTENERS_MAX) error = EINVAL;
    else {
        memcpy(&address.sin_port, p, 2);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 64)) error = errno;
        if (error && fd >= 0) close(fd);
        if (!error) {
            fd_max = fd > fd_max ? fd : fd_max;
            listeners[listener_count++] = (struct listener){fd, address.sin_port};
        }
    }
    uint8_t *answer = frame(PONG, id, 4);
    memcpy(answer, &error, 4);
}

static struct stream *add(uint32_t id, int fd, uint16_t port) {
    struct stream *s = stream_count < STREAMS_MAX ? calloc(1, sizeof *s) : NULL;
    if (!s) return NULL;
    fd_max = fd > fd_max ? fd : fd_max;
    *s = (struct stream){.id = id, .fd = fd, .room = STDIN_WINDOW, .port = port, .next = streams};
    streams = s;
    stream_count++;
    return s;
}

void accept_stream(const struct listener *l) {
    int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    stream_number = (stream_number + 1) & ~(STREAM_IDS | ENGINES_STREAMS);
    struct stream *s = add(stream_number | STREAM_IDS, fd, l->port);
    if (!s) { close(fd); return; }
    memcpy(frame(OPENED, s->id, 2), &l->port, 2);
}

/* IPv4 first, and where nobody listens there, IPv6. */
static int begin_connecting(int family, uint16_t port) {
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = port, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    int bad = family == AF_INET ? connect(fd, (struct sockaddr *)&four, sizeof four)
                                : connect(fd, (struct sockaddr *)&six, sizeof six);
    if (!bad || errno == EINPROGRESS) return fd;
    int e = errno;
    close(fd);
    errno = e;
    return -1;
}

static void refused(uint32_t id, int error) { memcpy(frame(ENDED, id, 4), &error, 4); }

void open_stream(uint32_t id, const uint8_t *p, uint32_t length) {
    uint16_t port;
    if (length != 2 || (id & ENGINES_STREAMS) == 0 || find_stream(id)) return refused(id, EINVAL);
    memcpy(&port, p, 2);
    int family = AF_INET, fd = begin_connecting(family, port);
    if (fd < 0) fd = begin_connecting(family = AF_INET6, port);
    if (fd < 0) return refused(id, errno);
    struct stream *s = add(id, fd, port);
    if (!s) { close(fd); return refused(id, EMFILE); }
    s->connecting = family;
}

void stream_connected(struct stream *s) {
    int error = 0, family = s->connecting;
    socklen_t size = sizeof error;
    if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size)) error = errno;
    if (error && family == AF_INET) {
        int fd = begin_connecting(AF_INET6, s->port);
        if (fd >= 0) {
            close(s->fd);
            s->fd = fd;
            s->connecting = AF_INET6;
            return;
        }
    }
    s->connecting = 0;
    if (!error) { memcpy(frame(OPENED, s->id, 2), &s->port, 2); return; }
    refused(s->id, error);
    s->told = 1;
    stream_ended(s);
}

struct stream *find_stream(uint32_t id) {
    for (struct stream *s = streams; s; s = s->next)
        if (s->id == id) return s;
    return NULL;
}

void stream_ended(struct stream *s) {
    if (s->fd >= 0) close(s->fd);
    s->fd = -1;
    if (!s->told) frame(ENDED, s->id, 0);
    s->told = 1;
}

void stream_out(struct stream *s) {
    static uint8_t chunk[32768];
    ssize_t n = read(s->fd, chunk, s->room < sizeof chunk ? s->room : sizeof chunk);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n < 0) { stream_ended(s); return; }
    s->room -= (uint32_t)n;
    if (n == 0) s->out_eof = 1; /* an empty frame: it will send no more */
    memcpy(frame(SENT, s->id, (uint32_t)n), chunk, (size_t)n);
    if (s->out_eof && s->in_eof && !s->in.length) stream_ended(s);
}

void stream_in(struct stream *s) {
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

void stream_data(struct stream *s, const uint8_t *p, uint32_t length) {
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

void discard_streams(void) {
    for (struct stream **at = &streams; *at;) {
        struct stream *s = *at;
        if (s->fd >= 0) { at = &s->next; continue; }
        *at = s->next;
        free(s->in.data);
        free(s);
        stream_count--;
    }
}
