/*
 * File operations inside the sandbox. They run as a command does: forked, with the payload's user id and
 * cgroup, so a hostile link leads nowhere that the payload could not go by itself.
 */
#define _GNU_SOURCE
#include "builtin.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int failed(void) {
    dprintf(2, "%d", errno);
    return 120;
}

static int copy(int from, int to) {
    static char chunk[65536];
    for (;;) {
        ssize_t n = read(from, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return (int)n;
        for (ssize_t done = 0; done < n;) {
            ssize_t w = write(to, chunk + done, (size_t)(n - done));
            if (w < 0 && errno == EINTR) continue;
            if (w < 0) return -1;
            done += w;
        }
    }
}

/* A FIFO or a device would block or never end: regular files only. */
static int read_file(const char *path) {
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st)) return failed();
    if (!S_ISREG(st.st_mode)) {
        errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
        return failed();
    }
    return copy(fd, 1) ? failed() : 0;
}

static int make_parents(char *path) {
    for (char *p = path + 1; *p; p++) {
        if (*p != '/') continue;
        *p = 0;
        int bad = mkdir(path, 0755) && errno != EEXIST;
        *p = '/';
        if (bad) return -1;
    }
    return 0;
}

static int write_file(char *path, mode_t mode) {
    if (make_parents(path)) return failed();
    int fd = open(path, O_WRONLY | O_CREAT | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0600);
    struct stat st;
    if (fd < 0 || fstat(fd, &st)) return failed();
    if (!S_ISREG(st.st_mode)) {
        errno = EINVAL;
        return failed();
    }
    if (ftruncate(fd, 0) || copy(0, fd) || fchmod(fd, mode & 07777) || close(fd)) return failed();
    return 0;
}

static int list_directory(const char *path) {
    DIR *d = opendir(path);
    if (!d) return failed();
    for (struct dirent *e; (errno = 0, e = readdir(d));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
        size_t n = strlen(e->d_name) + 1;
        if (write(1, e->d_name, n) != (ssize_t)n) return failed();
    }
    return errno ? failed() : 0;
}

static int remove_at(int dir, const char *name, int depth) {
    if (!unlinkat(dir, name, 0)) return 0;
    if (errno != EISDIR && errno != EPERM) return -1;
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return -1;
    DIR *d = fdopendir(fd);
    if (!d || depth > 512) {
        errno = ELOOP;
        return -1;
    }
    for (struct dirent *e; (e = readdir(d));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
        if (remove_at(fd, e->d_name, depth + 1)) return -1;
    }
    closedir(d);
    return unlinkat(dir, name, AT_REMOVEDIR);
}

/* ---- trees ---- */

int put(const void *data, size_t n) {
    for (const char *p = data; n;) {
        ssize_t w = write(1, p, n);
        if (w < 0 && errno == EINTR) continue;
        if (w < 0) return -1;
        p += w;
        n -= (size_t)w;
    }
    return 0;
}

int get(void *data, size_t n) {
    for (char *p = data; n;) {
        ssize_t r = read(0, p, n);
        if (r < 0 && errno == EINTR) continue;
        if (r == 0) errno = EPROTO;
        if (r <= 0) return -1;
        p += r;
        n -= (size_t)r;
    }
    return 0;
}

/* A file that shrinks while it is sent is filled up, one that grows is cut: the sizes said before hold. */
static int put_file(int fd, uint64_t size) {
    static char chunk[65536];
    while (size) {
        size_t want = size < sizeof chunk ? (size_t)size : sizeof chunk;
        ssize_t n = read(fd, chunk, want);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) { memset(chunk, 0, want); n = (ssize_t)want; }
        if (put(chunk, (size_t)n)) return -1;
        size -= (uint64_t)n;
    }
    return 0;
}

static int pack(int dir, char *path, size_t length, int depth) {
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
            if (put(&r, sizeof r) || put(path, r.path) || pack(dir, path, start + name, depth + 1)) return -1;
        } else if (S_ISREG(st.st_mode)) {
            int file = openat(dir, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
            if (file < 0) continue;
            r.type = 'f';
            r.data = (uint64_t)st.st_size;
            if (put(&r, sizeof r) || put(path, r.path) || put_file(file, r.data)) return -1;
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

static int pack_tree(const char *source) {
    static char path[4200];
    int dir = open(source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct record end = {'.', 0, 0, 0};
    return dir < 0 || pack(dir, path, 0, 0) || put(&end, sizeof end) ? failed() : 0;
}

static int unpack_file(int dir, const char *path, uint32_t mode, uint64_t size) {
    static char chunk[65536];
    int fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0) return -1;
    while (size) {
        size_t n = size < sizeof chunk ? (size_t)size : sizeof chunk;
        if (get(chunk, n)) return -1;
        for (size_t done = 0; done < n;) {
            ssize_t w = write(fd, chunk + done, n - done);
            if (w < 0 && errno == EINTR) continue;
            if (w < 0) return -1;
            done += (size_t)w;
        }
        size -= n;
    }
    return fchmod(fd, mode & 0777) || close(fd) ? -1 : 0;
}

static int unpack_tree(char *destination, long owner) {
    static char path[4200], target[4200];
    if (make_parents(destination) || (mkdir(destination, 0755) && errno != EEXIST)) return failed();
    int dir = open(destination, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) return failed();
    for (struct record r;;) {
        if (get(&r, sizeof r)) return failed();
        if (r.type == '.') return owner && fchown(dir, (uid_t)owner, (gid_t)owner) ? failed() : 0;
        if (r.path > 4096 || get(path, r.path)) return failed();
        path[r.path] = 0;
        if (r.type == 'd') {
            if (mkdirat(dir, path, 0700) && errno != EEXIST) return failed();
            if (fchmodat(dir, path, r.mode & 0777, 0)) return failed();
        } else if (r.type == 'l' && r.data <= 4096) {
            if (get(target, (size_t)r.data)) return failed();
            target[r.data] = 0;
            unlinkat(dir, path, 0);
            if (symlinkat(target, dir, path)) return failed();
        } else if (r.type == 'f') {
            if (unpack_file(dir, path, r.mode, r.data)) return failed();
        } else if (r.type == 'b' || r.type == 's') {
            if (unpack_part(dir, path, &r)) return failed();
        } else { errno = EPROTO; return failed(); }
        if (owner && fchownat(dir, path, (uid_t)owner, (gid_t)owner, AT_SYMLINK_NOFOLLOW)) return failed();
    }
}

int builtin(int kind, int argc, char **argv) {
    if (argc < 1) return 64;
    switch (kind) {
    case READ: return read_file(argv[0]);
    case WRITE: return argc < 2 ? 64 : write_file(argv[0], (mode_t)strtol(argv[1], NULL, 8));
    case LIST: return list_directory(argv[0]);
    case PACK: return pack_tree(argv[0]);
    case UNPACK: return unpack_tree(argv[0], argc > 1 ? atol(argv[1]) : 0);
    case INVENTORY: return argc < 2 ? 64 : inventory(argv[0], argv[1]);
    case PARTS: return argc < 2 ? 64 : parts(argv[0], argv[1]);
    case REMOVE: return remove_at(AT_FDCWD, argv[0], 0) ? failed() : 0;
    }
    return 64;
}
