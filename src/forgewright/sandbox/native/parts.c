/*
 * Trees by content: which files a folder holds, as digests of their blocks, and single blocks of them. What was
 * carried before, and is the same, is not carried again. BLAKE2b as in RFC 7693.
 */
#define _GNU_SOURCE
#pragma GCC optimize("O3")
#include "builtin.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct blake2b { uint64_t h[8], length; uint8_t block[128]; };

static const uint64_t IV[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
static const uint8_t SIGMA[12][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3}};

static inline uint64_t turn(uint64_t x, int n) { return x >> n | x << (64 - n); }

static inline void mix(uint64_t *v, int a, int b, int c, int d, uint64_t x, uint64_t y) {
    v[a] += v[b] + x; v[d] = turn(v[d] ^ v[a], 32); v[c] += v[d]; v[b] = turn(v[b] ^ v[c], 24);
    v[a] += v[b] + y; v[d] = turn(v[d] ^ v[a], 16); v[c] += v[d]; v[b] = turn(v[b] ^ v[c], 63);
}

/* `length` counts the block's own bytes; a machine with another order of bytes would need them turned */
static void compress(struct blake2b *s, const uint8_t *block, int last) {
    uint64_t v[16], m[16];
    memcpy(m, block, sizeof m);
    memcpy(v, s->h, sizeof s->h);
    memcpy(v + 8, IV, sizeof IV);
    v[12] ^= s->length;
    if (last) v[14] = ~v[14];
    for (int i = 0; i < 12; i++) {
        const uint8_t *p = SIGMA[i];
        mix(v, 0, 4, 8, 12, m[p[0]], m[p[1]]); mix(v, 1, 5, 9, 13, m[p[2]], m[p[3]]);
        mix(v, 2, 6, 10, 14, m[p[4]], m[p[5]]); mix(v, 3, 7, 11, 15, m[p[6]], m[p[7]]);
        mix(v, 0, 5, 10, 15, m[p[8]], m[p[9]]); mix(v, 1, 6, 11, 12, m[p[10]], m[p[11]]);
        mix(v, 2, 7, 8, 13, m[p[12]], m[p[13]]); mix(v, 3, 4, 9, 14, m[p[14]], m[p[15]]);
    }
    for (int i = 0; i < 8; i++) s->h[i] ^= v[i] ^ v[i + 8];
}

static void begin(struct blake2b *s) {
    memcpy(s->h, IV, sizeof IV);
    s->h[0] ^= 0x01010000 ^ 32; /* no key, a digest of 32 bytes */
    s->length = 0;
}

/* The last block is compressed at the end, full or not: there is no telling before. */
static void add(struct blake2b *s, const uint8_t *p, size_t n) {
    while (n) {
        size_t at = s->length % 128;
        if (!at && s->length) compress(s, s->block, 0);
        size_t take = 128 - at < n ? 128 - at : n;
        memcpy(s->block + at, p, take);
        s->length += take;
        p += take;
        n -= take;
    }
}

static void end(struct blake2b *s, uint8_t *out) {
    size_t at = s->length % 128;
    if (at || !s->length) memset(s->block + at, 0, 128 - at);
    compress(s, s->block, 1);
    memcpy(out, s->h, 32);
}

/* ---- what is there: for a file its size and the digest of each of its blocks ---- */

static uint64_t block_bytes;

static int list_file(int fd, struct record *r, const char *path, uint64_t size) {
    static uint8_t chunk[65536];
    uint64_t count = (size + block_bytes - 1) / block_bytes;
    r->type = 'f';
    r->data = sizeof size + 32 * count;
    if (put(r, sizeof *r) || put(path, r->path) || put(&size, sizeof size)) return -1;
    for (uint64_t i = 0; i < count; i++) {
        struct blake2b s;
        uint8_t out[32];
        begin(&s);
        for (uint64_t left = i + 1 < count ? block_bytes : size - i * block_bytes; left;) {
            ssize_t n = read(fd, chunk, left < sizeof chunk ? (size_t)left : sizeof chunk);
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) break; /* it shrank: its digest will be nobody's */
            add(&s, chunk, (size_t)n);
            left -= (uint64_t)n;
        }
        end(&s, out);
        if (put(out, sizeof out)) return -1;
    }
    return 0;
}

static int list_tree(int dir, char *path, size_t length, int depth) {
    int fd = openat(dir, length ? path : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d || depth > 256) return -1;
    for (struct dirent *e; (e = readdir(d));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
        size_t name = strlen(e->d_name), start = length ? length + 1 : 0;
        if (start + name >= 4096) { errno = ENAMETOOLONG; return -1; }
        if (length) path[length] = '/';
        memcpy(path + start, e->d_name, name + 1);
        struct stat st;
        if (fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW)) continue;
        struct record r = {0, st.st_mode & 0777, (uint32_t)(start + name), 0};
        if (S_ISDIR(st.st_mode)) {
            r.type = 'd';
            if (put(&r, sizeof r) || put(path, r.path) || list_tree(dir, path, start + name, depth + 1)) return -1;
        } else if (S_ISREG(st.st_mode)) {
            int file = openat(dir, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
            if (file < 0) continue;
            if (list_file(file, &r, path, (uint64_t)st.st_size)) return -1;
            close(file);
        } else if (S_ISLNK(st.st_mode)) {
            char target[4096];
            ssize_t n = readlinkat(dir, path, target, sizeof target);
            if (n < 0) continue;
            r.type = 'l';
            r.data = (uint64_t)n;
            if (put(&r, sizeof r) || put(path, r.path) || put(target, (size_t)n)) return -1;
        }
        path[length] = 0;
    }
    closedir(d);
    return 0;
}

int inventory(const char *source, const char *block) {
    static char path[4200];
    struct record last = {'.', 0, 0, 0};
    block_bytes = strtoull(block, NULL, 10);
    if (block_bytes < 4096) { errno = EINVAL; return failed(); }
    int dir = open(source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 && errno != ENOENT) return failed();
    return (dir >= 0 && list_tree(dir, path, 0, 0)) || put(&last, sizeof last) ? failed() : 0;
}

/* ---- blocks by request: records of type "b", whose data is an offset; the answers hold it and the bytes ---- */

int parts(const char *source, const char *block) {
    static char path[4200], chunk[65536];
    int dir = open(source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    block_bytes = strtoull(block, NULL, 10);
    if (dir < 0) return failed();
    for (struct record r;;) {
        if (get(&r, sizeof r)) return failed();
        if (r.type == '.') return put(&r, sizeof r) ? failed() : 0;
        if (r.type != 'b' || r.path > 4096 || get(path, r.path)) { errno = EPROTO; return failed(); }
        path[r.path] = 0;
        uint64_t offset = r.data;
        struct stat st;
        int fd = openat(dir, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st)) return failed();
        uint64_t size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0, left = size > offset ? size - offset : 0;
        if (left > block_bytes) left = block_bytes;
        r.data = sizeof offset + left;
        if (lseek(fd, (off_t)offset, SEEK_SET) < 0) return failed();
        if (put(&r, sizeof r) || put(path, r.path) || put(&offset, sizeof offset)) return failed();
        while (left) {
            size_t want = left < sizeof chunk ? (size_t)left : sizeof chunk;
            ssize_t n = read(fd, chunk, want);
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) { memset(chunk, 0, want); n = (ssize_t)want; }
            if (put(chunk, (size_t)n)) return failed();
            left -= (uint64_t)n;
        }
        close(fd);
    }
}

/* ---- of unpack: a file that keeps what it has, at its final size, and a block of it ---- */

int unpack_part(int dir, const char *path, const struct record *r) {
    static char chunk[65536];
    uint64_t where, left = r->data - sizeof where;
    if (r->data < sizeof where || get(&where, sizeof where)) return -1;
    int fd = openat(dir, path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    struct stat st;
    if (fd < 0 || fstat(fd, &st)) return -1;
    if (!S_ISREG(st.st_mode)) { errno = EINVAL; return -1; }
    if (r->type == 's' && ((where != (uint64_t)st.st_size && ftruncate(fd, (off_t)where)) || fchmod(fd, r->mode & 0777))) return -1;
    if (r->type == 'b' && lseek(fd, (off_t)where, SEEK_SET) < 0) return -1;
    while (left) {
        size_t n = left < sizeof chunk ? (size_t)left : sizeof chunk;
        if (get(chunk, n)) return -1;
        for (size_t done = 0; done < n;) {
            ssize_t w = write(fd, chunk + done, n - done);
            if (w < 0 && errno == EINTR) continue;
            if (w < 0) return -1;
            done += (size_t)w;
        }
        left -= n;
    }
    return close(fd);
}
