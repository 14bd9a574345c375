/*
 * Prepares the mounts of a sandbox in a mount namespace of its own and becomes the container runtime there:
 *
 *     launch PLAN PROGRAM ARGUMENT…
 *
 * The plan is a file of operations, each a name and its arguments, all ended by NUL (plan.py writes it).
 * The mounts exist in that namespace only: when its last process has ended, however it ended, the kernel
 * takes them away. Paths inside the root are resolved with openat2(RESOLVE_IN_ROOT): an image may hold
 * any link. One process, a few dozen system calls: this is on the way of every sandbox that is created.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SOURCE_DIGEST
#define SOURCE_DIGEST "unknown"
#endif
#ifndef MS_NOSUID
#define MS_NOSUID 2
#define MS_NODEV 4
#define MS_REC 16384
#define MS_PRIVATE (1 << 18)
#endif
#define DETACH 2
int mount(const char *, const char *, const char *, unsigned long, const void *);
int umount2(const char *, int);

#define PATH_LENGTH 4352
static int root = -1;

static void fail(const char *format, ...) {
    int e = errno;
    va_list arguments;
    va_start(arguments, format);
    dprintf(2, "launch: ");
    vdprintf(2, format, arguments);
    dprintf(2, ": %s\n", strerror(e));
    _exit(71);
}

static void put(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0) fail("write %s", path);
    close(fd);
}

static int inside(const char *path, uint64_t flags) {
    struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

/* Opens the folder `path` in the root, making what is missing; the caller closes it. */
static int folder(const char *path) {
    int fd = inside(path, O_PATH | O_DIRECTORY);
    if (fd >= 0 || errno != ENOENT) return fd;
    char copy[PATH_LENGTH];
    snprintf(copy, sizeof copy, "%s", path);
    char *slash = strrchr(copy, '/');
    int parent = -1;
    if (slash && slash != copy) {
        *slash = 0;
        parent = folder(copy);
    } else parent = inside("/", O_PATH | O_DIRECTORY);
    if (parent < 0) return -1;
    mkdirat(parent, slash ? slash + 1 : copy, 0755);
    close(parent);
    return inside(path, O_PATH | O_DIRECTORY);
}

/* Opens the folder that holds `path`, in the root; `name` points to the last part. */
static int parent_of(const char *path, char *copy, const char **name) {
    snprintf(copy, PATH_LENGTH, "%s", path);
    char *slash = strrchr(copy, '/');
    *name = slash ? slash + 1 : copy;
    if (slash) *slash = 0;
    return slash && slash != copy ? folder(copy) : inside("/", O_PATH | O_DIRECTORY);
}

static int file_point(const char *path) {
    int fd = inside(path, O_PATH);
    if (fd >= 0) return fd;
    char copy[PATH_LENGTH];
    const char *name;
    int parent = parent_of(path, copy, &name);
    if (parent < 0) return -1;
    fd = openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd >= 0) close(fd);
    close(parent);
    return inside(path, O_PATH);
}

static char *at_fd(int fd) {
    static char text[2][40];
    static int turn;
    turn ^= 1;
    snprintf(text[turn], sizeof text[0], "/proc/self/fd/%d", fd);
    return text[turn];
}

/* A user namespace that maps one user and one group, for an id-mapped mount. */
static int mapping(const char *uid_map, const char *gid_map) {
    static char known[256];
    static int namespace = -1;
    char key[256], path[64], byte;
    snprintf(key, sizeof key, "%s/%s", uid_map, gid_map);
    if (namespace >= 0 && !strcmp(key, known)) return namespace;
    int ready[2];
    if (pipe2(ready, O_CLOEXEC)) fail("pipe");
    pid_t child = fork();
    if (child == 0) {
        int bad = unshare(CLONE_NEWUSER) != 0;
        (void)!write(ready[1], bad ? "x" : "k", 1);
        pause();
        _exit(0);
    }
    if (read(ready[0], &byte, 1) != 1 || byte != 'k') fail("user namespace");
    snprintf(path, sizeof path, "/proc/%d/uid_map", child);
    put(path, uid_map);
    snprintf(path, sizeof path, "/proc/%d/gid_map", child);
    put(path, gid_map);
    snprintf(path, sizeof path, "/proc/%d/ns/user", child);
    namespace = open(path, O_RDONLY | O_CLOEXEC);
    if (namespace < 0) fail("%s", path);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(ready[0]);
    close(ready[1]);
    snprintf(known, sizeof known, "%s", key);
    return namespace;
}

/* bind SOURCE TARGET OPTIONS UID_MAP GID_MAP: options are letters, r read-only, x no programs, R recursive,
   f without the map rather than not at all; an empty map leaves owners as they are. A target that starts with ":" is a path on the host. */
static void bind_mount(char **a) {
    int recursive = strchr(a[2], 'R') != NULL;
    unsigned deep = recursive ? AT_RECURSIVE : 0;
    int tree = (int)syscall(SYS_open_tree, AT_FDCWD, a[0], OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | deep);
    if (tree < 0) fail("mount source %s", a[0]);
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};
    if (strchr(a[2], 'r')) attr.attr_set |= MOUNT_ATTR_RDONLY;
    if (strchr(a[2], 'x')) attr.attr_set |= MOUNT_ATTR_NOEXEC;
    if (*a[3]) {
        attr.attr_set |= MOUNT_ATTR_IDMAP;
        attr.userns_fd = (uint64_t)mapping(a[3], a[4]);
    }
    int bad = (int)syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | deep, &attr, sizeof attr);
    if (bad && *a[3] && strchr(a[2], 'f')) { /* this file system has no id-mapped mounts; readable will do */
        attr.attr_set &= ~(uint64_t)MOUNT_ATTR_IDMAP;
        attr.userns_fd = 0;
        bad = (int)syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | deep, &attr, sizeof attr);
    }
    if (bad)
        fail("mount options of %s%s", a[0], *a[3] ? " (id-mapped)" : "");
    struct stat st;
    if (fstat(tree, &st)) fail("stat %s", a[0]);
    int target = a[1][0] == ':' ? open(a[1] + 1, O_PATH | O_CLOEXEC)
                 : S_ISDIR(st.st_mode) ? folder(a[1]) : file_point(a[1]);
    if (target < 0) fail("mount point %s", a[1]);
    if (syscall(SYS_move_mount, tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH))
        fail("mount %s", a[1]);
    close(tree);
    close(target);
}

static void chown_tree(const char *target, const char *owner) {
    pid_t child = fork();
    if (child == 0) {
        execlp("chown", "chown", "-Rh", owner, target, (char *)NULL);
        fail("chown");
    }
    int status;
    if (waitpid(child, &status, 0) < 0 || status) { errno = EIO; fail("own %s", target); }
}

/* Copies SOURCE to the host path TARGET: where an overlay is not to be had. */
static void copy_tree(const char *source, const char *target, const char *owner) {
    pid_t child = fork();
    if (child == 0) {
        char from[PATH_LENGTH];
        snprintf(from, sizeof from, "%s/.", source);
        execlp("cp", "cp", "-a", "--reflink=auto", "--no-preserve=ownership", from, target, (char *)NULL);
        fail("cp");
    }
    int status;
    if (waitpid(child, &status, 0) < 0 || status) { errno = EIO; fail("copy %s", source); }
    if (*owner) chown_tree(target, owner);
}

/* unpack ARCHIVE TARGET OWNER: an archive that the engine made of such a folder itself */
static void unpack(char **a) {
    pid_t child = fork();
    if (child == 0) {
        execlp("tar", "tar", "--extract", "--file", a[0], "--directory", a[1], "--xattrs", "--xattrs-include=*",
               "--numeric-owner", "--preserve-permissions", "--delay-directory-restore", (char *)NULL);
        fail("tar");
    }
    int status;
    if (waitpid(child, &status, 0) < 0 || status) { errno = EIO; fail("unpack %s", a[0]); }
    if (*a[2]) chown_tree(a[1], a[2]);
}

/* overlay LOWER UPPER WORK TARGET OWNER USERXATTR: LOWER … WORK are host paths without , and : */
static void overlay(char **a) {
    char options[PATH_LENGTH * 3];
    snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s,workdir=%s%s", a[0], a[1], a[2],
             *a[5] ? ",userxattr" : "");
    int target = folder(a[3]);
    if (target < 0) fail("mount point %s", a[3]);
    if (mount("overlay", at_fd(target), "overlay", MS_NOSUID | MS_NODEV, options) == 0) {
        close(target);
        return;
    }
    copy_tree(a[0], a[1], a[4]);
    close(target);
    char *bind[] = {a[1], a[3], "", "", ""};
    bind_mount(bind);
}

/* rootoverlay LOWER UPPER WORK TARGET USERXATTR: all are host paths; what a sandbox has as its root */
static void root_overlay(char **a) {
    char options[PATH_LENGTH * 3];
    snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s,workdir=%s%s", a[0], a[1], a[2],
             *a[4] ? ",userxattr" : "");
    if (mount("overlay", a[3], "overlay", MS_NOSUID | MS_NODEV, options)) fail("overlay of the image at %s", a[3]);
}

static void own(int fd, const char *owner) {
    unsigned uid, gid;
    if (*owner && sscanf(owner, "%u:%u", &uid, &gid) == 2 && fchownat(fd, "", uid, gid, AT_EMPTY_PATH))
        fail("owner %s", owner);
}

static void operation(const char *op, char **a) {
    if (!strcmp(op, "userns")) { /* one user, mapped to 0: rootless */
        char map[64];
        snprintf(map, sizeof map, "0 %u 1", getuid());
        char group[64];
        snprintf(group, sizeof group, "0 %u 1", getgid());
        if (unshare(CLONE_NEWUSER)) fail("user namespace");
        put("/proc/self/setgroups", "deny");
        put("/proc/self/uid_map", map);
        put("/proc/self/gid_map", group);
    } else if (!strcmp(op, "mountns")) {
        if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) fail("mount namespace");
    } else if (!strcmp(op, "umount")) {
        umount2(a[0], DETACH);
    } else if (!strcmp(op, "hosttmpfs")) { /* PATH OPTIONS OWNER */
        if (mount("tmpfs", a[0], "tmpfs", MS_NOSUID | MS_NODEV, a[1])) fail("tmpfs %s", a[0]);
        int fd = open(a[0], O_PATH | O_CLOEXEC);
        own(fd, a[2]);
        close(fd);
    } else if (!strcmp(op, "jail")) { /* PATH OPTIONS: with programs and devices, for a monitor's own jail */
        if (mount("tmpfs", a[0], "tmpfs", MS_NOSUID, a[1])) fail("tmpfs %s", a[0]);
    } else if (!strcmp(op, "hostdir")) { /* PATH MODE OWNER */
        mkdir(a[0], 0700);
        int fd = open(a[0], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fchmod(fd, (mode_t)strtol(a[1], NULL, 8))) fail("folder %s", a[0]);
        own(fd, a[2]);
        close(fd);
    } else if (!strcmp(op, "root")) {
        root = open(a[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0) fail("root %s", a[0]);
    } else if (!strcmp(op, "seal")) { /* the root itself can be written no more; what is mounted in it stays as it is */
        struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
        if (syscall(SYS_mount_setattr, AT_FDCWD, a[0], 0, &attr, sizeof attr)) fail("seal %s", a[0]);
    } else if (!strcmp(op, "dir")) { /* PATH MODE OWNER */
        int fd = folder(a[0]);
        if (fd < 0 || chmod(at_fd(fd), (mode_t)strtol(a[1], NULL, 8))) fail("folder %s", a[0]);
        own(fd, a[2]);
        close(fd);
    } else if (!strcmp(op, "link")) { /* TARGET PATH */
        char copy[PATH_LENGTH];
        const char *name;
        int parent = parent_of(a[1], copy, &name);
        if (parent < 0 || symlinkat(a[0], parent, name)) fail("link %s", a[1]);
        close(parent);
    } else if (!strcmp(op, "file")) { /* PATH CONTENT */
        char copy[PATH_LENGTH];
        const char *name;
        int parent = parent_of(a[0], copy, &name);
        int fd = parent < 0 ? -1 : openat(parent, name, O_CREAT | O_TRUNC | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (fd < 0 || write(fd, a[1], strlen(a[1])) < 0) fail("file %s", a[0]);
        close(fd);
        close(parent);
    } else if (!strcmp(op, "bind")) bind_mount(a);
    else if (!strcmp(op, "overlay")) overlay(a);
    else if (!strcmp(op, "unpack")) unpack(a);
    else if (!strcmp(op, "rootoverlay")) root_overlay(a);
    else if (!strcmp(op, "open")) { /* PATH NUMBER: a descriptor that the program inherits */
        int fd = open(a[0], O_WRONLY);
        if (fd < 0) fail("open %s", a[0]);
        int wanted = atoi(a[1]);
        if (fd != wanted) {
            if (dup2(fd, wanted) < 0) fail("descriptor %s", a[1]);
            close(fd);
        }
    } else if (!strcmp(op, "join")) put(a[0], "0"); /* a cgroup */
    else if (!strcmp(op, "user")) { /* UID:GID; comes last */
        unsigned uid, gid;
        if (sscanf(a[0], "%u:%u", &uid, &gid) != 2 || setgroups(0, NULL) || setresgid(gid, gid, gid) ||
            setresuid(uid, uid, uid) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
            fail("user %s", a[0]);
    }
    else { errno = EINVAL; fail("operation %s", op); }
}

static const struct { const char *name; int arguments; } operations[] = {
    {"userns", 0}, {"mountns", 0}, {"umount", 1}, {"hosttmpfs", 3}, {"jail", 2}, {"hostdir", 3}, {"root", 1}, {"seal", 1}, {"dir", 3},
    {"link", 2}, {"file", 2}, {"bind", 5}, {"overlay", 6}, {"rootoverlay", 5}, {"unpack", 3}, {"open", 2}, {"join", 1}, {"user", 1},
};

/* How many thousands a second the processor's counter of time goes up by, as an emulated guest sees it; 0: it has none. */
static uint64_t clock_khz(void) {
#ifdef __x86_64__
    struct timespec start, now;
    uint64_t ticks, elapsed;
    clock_gettime(CLOCK_MONOTONIC_RAW, &start);
    ticks = __builtin_ia32_rdtsc();
    do {
        clock_gettime(CLOCK_MONOTONIC_RAW, &now);
        elapsed = (uint64_t)((now.tv_sec - start.tv_sec) * 1000000000L + now.tv_nsec - start.tv_nsec);
    } while (elapsed < 20000000);
    return (__builtin_ia32_rdtsc() - ticks) * 1000000 / elapsed;
#else
    return 0;
#endif
}

int main(int argc, char **argv) {
    if (argc == 2 && !strcmp(argv[1], "--version")) {
        puts(SOURCE_DIGEST);
        return 0;
    }
    if (argc == 2 && !strcmp(argv[1], "--clock")) {
        printf("%llu\n", (unsigned long long)clock_khz());
        return 0;
    }
    if (argc < 3) return 64;
    int fd = open(argv[1], O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st)) fail("plan %s", argv[1]);
    char *plan = malloc((size_t)st.st_size + 1);
    if (!plan || read(fd, plan, (size_t)st.st_size) != st.st_size) fail("plan %s", argv[1]);
    close(fd);
    char *end = plan + st.st_size;
    *end = 0;
    setsid();
    umask(0);
    for (char *p = plan; p < end;) {
        char *name = p, *a[8];
        p += strlen(p) + 1;
        int wanted = -1;
        for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
            if (!strcmp(name, operations[i].name)) wanted = operations[i].arguments;
        for (int i = 0; i < wanted; i++) {
            if (p >= end) { errno = EPROTO; fail("plan"); }
            a[i] = p;
            p += strlen(p) + 1;
        }
        operation(name, a);
    }
    umask(022);
    execvp(argv[2], argv + 2);
    fail("%s", argv[2]);
}
