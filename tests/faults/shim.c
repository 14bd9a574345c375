/* Makes one write to a folder fail: LD_PRELOADed into a process whose home is FAULT_DIR.
 *
 * FAULT_MODE  kill    SIGKILL before the FAULT_AT-th writing call (write, pwrite, fsync, truncate, rename, unlink)
 *             torn    half of the FAULT_AT-th write (or nothing of another call), then SIGKILL
 *             full    ENOSPC from the FAULT_AT-th write on, FAULT_FOR times
 *             fsync   EIO at the FAULT_AT-th fsync, FAULT_FOR times
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long calls;

static const char *mode(void) {
    const char *m = getenv("FAULT_MODE");
    return m ? m : "";
}

static int under(const char *path) {
    const char *dir = getenv("FAULT_DIR");
    return dir && path && strncmp(path, dir, strlen(dir)) == 0;
}

static int ours(int fd) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return 0;
    path[n] = 0;
    return under(path) && !strstr(path, "-shm");
}

static int hit(void) {
    long n = atomic_fetch_add(&calls, 1) + 1;
    const char *at = getenv("FAULT_AT"), *len = getenv("FAULT_FOR");
    long first = at ? atol(at) : 0, count = len ? atol(len) : 1;
    return first && n >= first && n < first + count;
}

static void die(void) { kill(getpid(), SIGKILL); pause(); }

#define REAL(name, type) static type real; if (!real) real = (type)dlsym(RTLD_NEXT, name)

/* 0: do it; 1: fail with errno set; never returns for a kill */
static int gate(int is_write, int is_sync) {
    const char *m = mode();
    if (!strcmp(m, "kill")) { if (hit()) die(); }
    else if (!strcmp(m, "torn")) { if (hit()) return 2; }
    else if (!strcmp(m, "full") && is_write) { if (hit()) { errno = ENOSPC; return 1; } }
    else if (!strcmp(m, "fsync") && is_sync) { if (hit()) { errno = EIO; return 1; } }
    return 0;
}

typedef ssize_t (*write_t)(int, const void *, size_t);
ssize_t write(int fd, const void *data, size_t n) {
    REAL("write", write_t);
    if (!ours(fd)) return real(fd, data, n);
    switch (gate(1, 0)) { case 1: return -1; case 2: real(fd, data, n / 2); die(); }
    return real(fd, data, n);
}

typedef ssize_t (*pwrite_t)(int, const void *, size_t, off_t);
ssize_t pwrite64(int fd, const void *data, size_t n, off_t at) {
    REAL("pwrite64", pwrite_t);
    if (!ours(fd)) return real(fd, data, n, at);
    switch (gate(1, 0)) { case 1: return -1; case 2: real(fd, data, n / 2, at); die(); }
    return real(fd, data, n, at);
}
ssize_t pwrite(int fd, const void *data, size_t n, off_t at) { return pwrite64(fd, data, n, at); }

typedef int (*fd_t)(int);
int fsync(int fd) {
    REAL("fsync", fd_t);
    if (!ours(fd)) return real(fd);
    switch (gate(0, 1)) { case 1: return -1; case 2: die(); }
    return real(fd);
}
int fdatasync(int fd) {
    REAL("fdatasync", fd_t);
    if (!ours(fd)) return real(fd);
    switch (gate(0, 1)) { case 1: return -1; case 2: die(); }
    return real(fd);
}

typedef int (*truncate_t)(int, off_t);
int ftruncate64(int fd, off_t n) {
    REAL("ftruncate64", truncate_t);
    if (!ours(fd)) return real(fd, n);
    switch (gate(0, 0)) { case 1: return -1; case 2: die(); }
    return real(fd, n);
}
int ftruncate(int fd, off_t n) { return ftruncate64(fd, n); }

typedef int (*unlink_t)(const char *);
int unlink(const char *path) {
    REAL("unlink", unlink_t);
    if (under(path)) switch (gate(0, 0)) { case 1: return -1; case 2: die(); }
    return real(path);
}

typedef int (*rename_t)(const char *, const char *);
int rename(const char *from, const char *to) {
    REAL("rename", rename_t);
    if (under(to)) switch (gate(0, 0)) { case 1: return -1; case 2: die(); }
    return real(from, to);
}
