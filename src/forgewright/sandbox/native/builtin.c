/*
 * File operations inside the sandbox. They run as a command does: forked, with the payload's user id and
 * cgroup, so a hostile link leads nowhere that the payload could not go by itself.
 */
#define _GNU_SOURCE
#include "builtin.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int failed(void) {
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

int builtin(int kind, int argc, char **argv) {
    if (argc < 1) return 64;
    switch (kind) {
    case READ: return read_file(argv[0]);
    case WRITE: return argc < 2 ? 64 : write_file(argv[0], (mode_t)strtol(argv[1], NULL, 8));
    case LIST: return list_directory(argv[0]);
    case REMOVE: return remove_at(AT_FDCWD, argv[0], 0) ? failed() : 0;
    }
    return 64;
}
