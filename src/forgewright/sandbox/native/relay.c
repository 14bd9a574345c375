/* The relay on the sandbox's loopback: each connection is a stream of frames to the engine's proxy and back. */
#include "agent.h"

struct stream *streams;
int listener = -1;
static int stream_count;
static uint32_t stream_number = STREAM_IDS;

void listen_on(uint32_t id, const uint8_t *p, uint32_t length) {
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

void accept_stream(void) {
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
