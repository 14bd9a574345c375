/* Buffers, and the frames that go to the engine. */
#include "agent.h"

struct buffer outbox;

void die(const char *what) {
    dprintf(2, "agent: %s: %s\n", what, strerror(errno));
    _exit(70);
}

void reserve(struct buffer *b, size_t more) {
    if (b->length + more <= b->capacity) return;
    size_t capacity = b->capacity ? b->capacity : 65536;
    while (capacity < b->length + more) capacity *= 2;
    b->data = realloc(b->data, capacity);
    if (!b->data) die("memory");
    b->capacity = capacity;
}

void consume(struct buffer *b, size_t n) {
    memmove(b->data, b->data + n, b->length - n);
    b->length -= n;
}

uint32_t get32(const uint8_t *p) { uint32_t v; memcpy(&v, p, 4); return v; }
uint64_t get64(const uint8_t *p) { uint64_t v; memcpy(&v, p, 8); return v; }

uint8_t *frame(uint8_t type, uint32_t id, uint32_t length) {
    reserve(&outbox, HEADER + length);
    uint8_t *p = outbox.data + outbox.length;
    memcpy(p, &length, 4);
    p[4] = type;
    memcpy(p + 5, &id, 4);
    outbox.length += HEADER + length;
    return p + HEADER;
}

int flush_out(void) {
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
