/*
 * The first program of a virtual machine: makes its file system ready and becomes the agent. It is /init of
 * an initramfs that holds nothing but it, the agent and the modules that the kernel needs to see its disk
 * and its control channel. The image is read-only; all that is written lies in one bounded tmpfs.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/vm_sockets.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SOURCE_DIGEST
#define SOURCE_DIGEST "unknown"
#endif

static char line[4096];

static void fail(const char *what) {
    int fd = open("/dev/console", O_WRONLY);
    dprintf(fd < 0 ? 2 : fd, "guest: %s: %s\n", what, strerror(errno));
    sleep(1);
    _exit(1); /* the kernel panics, and the machine ends */
}

/* With fw.debug on its command line a machine says on the kernel's log how far it came. */
static void note(const char *what) {
    if (!strstr(line, "fw.debug")) return;
    int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
    dprintf(fd, "guest: %s\n", what);
    close(fd);
}

static const char *option(const char *name, const char *otherwise) {
    static char values[8][64];
    static int next;
    char *at = strstr(line, name);
    if (!at) return otherwise;
    char *value = values[next++ & 7];
    snprintf(value, 64, "%.*s", (int)strcspn(at + strlen(name), " \n"), at + strlen(name));
    return value;
}

static void put(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0) fail(path);
    close(fd);
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void load_modules(void) {
    struct dirent **names;
    int n = scandir("/modules", &names, NULL, by_name);
    for (int i = 0; i < n; i++) {
        char path[300];
        if (names[i]->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "/modules/%s", names[i]->d_name);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST)) fail(path);
        close(fd);
        note(path);
    }
}

static void wait_for(const char *path) {
    note(path);
    for (int i = 0; i < 20000 && access(path, F_OK); i++) usleep(1000);
}

/* The control channel: the one port of the one virtio-serial device, whatever its number. */
static int open_channel(void) {
    note("channel");
    for (int i = 0; i < 20000; i++) {
        DIR *dev = opendir("/dev");
        for (struct dirent *e; dev && (e = readdir(dev));) {
            if (strncmp(e->d_name, "vport", 5)) continue;
            int fd = openat(dirfd(dev), e->d_name, O_RDWR);
            if (fd >= 0) return fd;
        }
        closedir(dev);
        usleep(1000);
    }
    errno = ETIMEDOUT;
    return -1;
}

/* The control channel of a monitor without a serial device: the engine connects to this port (vsock(7)). */
static int listen_channel(unsigned port) {
    struct sockaddr_vm address = {.svm_family = AF_VSOCK, .svm_port = port, .svm_cid = VMADDR_CID_ANY};
    int fd = socket(AF_VSOCK, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 4)) return -1;
    note("listens");
    return fd;
}

static void place(const char *name, const char *path, mode_t mode, uid_t owner) {
    char from[128], to[128];
    snprintf(from, sizeof from, "/scratch/%s", name);
    snprintf(to, sizeof to, "/new%s", path);
    mkdir(from, 0700);
    if (chown(from, owner, owner) || chmod(from, mode)) fail(from);
    mkdir(to, 0755);
    if (mount(from, to, NULL, MS_BIND, NULL)) fail(to);
}

int main(int argc, char **argv) {
    if (argc == 2 && !strcmp(argv[1], "--version")) {
        puts(SOURCE_DIGEST);
        return 0;
    }
    mkdir("/proc", 0755);
    mkdir("/dev", 0755);
    mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, NULL);
    if (mount("proc", "/proc", "proc", 0, NULL)) fail("proc");
    int fd = open("/proc/cmdline", O_RDONLY);
    if (fd < 0 || read(fd, line, sizeof line - 1) <= 0) fail("cmdline");
    close(fd);
    load_modules();
    wait_for("/dev/vda");
    mkdir("/lower", 0755);
    mkdir("/scratch", 0755);
    mkdir("/new", 0755);
    if (mount("/dev/vda", "/lower", "squashfs", MS_RDONLY | MS_NOSUID | MS_NODEV, NULL)) fail("image");
    char options[256];
    snprintf(options, sizeof options, "size=%s,nr_inodes=%s,mode=755", option("fw.disk=", "256m"),
             option("fw.inodes=", "65536"));
    if (mount("scratch", "/scratch", "tmpfs", MS_NOSUID | MS_NODEV, options)) fail("scratch");
    mkdir("/scratch/upper", 0755);
    mkdir("/scratch/work", 0755);
    if (mount("root", "/new", "overlay", MS_NOSUID | MS_NODEV,
              "lowerdir=/lower,upperdir=/scratch/upper,workdir=/scratch/work"))
        fail("overlay");
    uid_t owner = (uid_t)atoi(option("fw.uid=", "1000"));
    place("tmp", "/tmp", 01777, owner);
    place("vartmp", "/var/tmp", 01777, owner);
    place("run", "/run", 0755, owner);
    place("home", "/home/sandbox", 0755, owner);
    mkdir("/new/proc", 0755);
    mkdir("/new/dev", 0755);
    mkdir("/new/.forgewright", 0700);
    mkdir("/new/.forgewright/cg", 0700);
    if (mount("proc", "/new/proc", "proc", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL)) fail("proc");
    if (mount("devtmpfs", "/new/dev", "devtmpfs", MS_NOSUID, NULL)) fail("dev");
    mkdir("/new/dev/pts", 0755);
    mkdir("/new/dev/shm", 01777);
    mount("devpts", "/new/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620");
    snprintf(options, sizeof options, "size=%s,mode=1777", option("fw.shm=", "16m"));
    if (mount("shm", "/new/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options)) fail("shm");
    /* Joining a group shall not wait for a grace period (cgroup-v2.rst, favordynmods; kernels before 6.0 do not know it). */
    if (mount("cgroup2", "/new/.forgewright/cg", "cgroup2", 0, "favordynmods") &&
        mount("cgroup2", "/new/.forgewright/cg", "cgroup2", 0, NULL))
        fail("cgroup2");
    put("/new/.forgewright/cg/cgroup.subtree_control", "+memory +pids");
    mkdir("/new/.forgewright/cg/payload", 0700);
    put("/new/.forgewright/cg/payload/memory.max", option("fw.memory=", "max"));
    put("/new/.forgewright/cg/payload/pids.max", option("fw.pids=", "256"));
    if (sethostname("sandbox", 7)) fail("hostname");
    int agent = open("/agent", O_RDONLY);
    if (agent < 0) fail("agent");
    unsigned port = (unsigned)atoi(option("fw.vsock=", "0"));
    int channel = port ? listen_channel(port) : open_channel();
    int procs = open("/new/.forgewright/cg/payload/cgroup.procs", O_WRONLY);
    if (channel < 0 || procs < 0) fail("channel");
    if (chdir("/new") || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/")) fail("root");
    note("becomes the agent");
    put("/proc/sys/vm/drop_caches", "3");
    dup2(agent, 20);
    dup2(procs, 30);
    dup2(channel, 31);
    int nothing = open("/dev/null", O_RDWR);
    dup2(port ? nothing : 31, 0);
    dup2(port ? nothing : 31, 1);
    dup2(30, 3);
    dup2(31, 21);
    for (int i = 4; i < 64; i++)
        if (i != 20 && !(i == 21 && port)) close(i);
    fcntl(20, F_SETFD, FD_CLOEXEC);
    char *arguments[] = {"/.forgewright/agent", "--cgroups", "1", "--group", "/.forgewright/cg/payload",
                         port ? "--accept" : NULL, "21", NULL};
    char *environment[] = {NULL};
    fexecve(20, arguments, environment);
    fail("agent");
}
