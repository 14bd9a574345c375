/* Ending a command and all that came of it; watching what all use where no cgroup does. */
#include "agent.h"

uint64_t memory_max, processes_hard;

struct process { pid_t pid, parent; uint64_t rss, threads; int mine; };

static int processes(struct process **list) {
    static struct process *all;
    static int capacity;
    int n = 0;
    DIR *proc = opendir("/proc");
    if (!proc) return 0;
    for (struct dirent *e; (e = readdir(proc));) {
        if (e->d_name[0] < '1' || e->d_name[0] > '9') continue;
        char path[64], text[512];
        snprintf(path, sizeof path, "/proc/%.20s/stat", e->d_name);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) continue;
        ssize_t got = read(fd, text, sizeof text - 1);
        close(fd);
        if (got <= 0) continue;
        text[got] = 0;
        char *after = strrchr(text, ')');
        int parent;
        long pages = 0, threads = 1;
        if (!after || sscanf(after + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
                             "%ld %*d %*u %*u %ld", &parent, &threads, &pages) < 1)
            continue;
        if (n == capacity) {
            capacity = capacity ? capacity * 2 : 256;
            all = realloc(all, (size_t)capacity * sizeof *all);
            if (!all) die("memory");
        }
        all[n++] = (struct process){atoi(e->d_name), parent, (uint64_t)pages * 4096u, (uint64_t)threads, 0};
    }
    closedir(proc);
    *list = all;
    return n;
}

int tree(pid_t root, int signo) {
    struct process *list;
    int n = processes(&list), found = 0, grew = 1;
    while (grew) {
        grew = 0;
        for (int i = 0; i < n; i++) {
            if (list[i].mine) continue;
            int yes = list[i].parent == root;
            for (int k = 0; !yes && k < n; k++) yes = list[k].mine && list[k].pid == list[i].parent;
            if (yes) { list[i].mine = 1; found++; grew = 1; kill(list[i].pid, signo); }
        }
    }
    return found;
}

/* The same for a job: with its command itself, where that is no monitor's child. */
void signal_job(struct job *j, int signo) {
    if (direct) kill(j->monitor, signo);
    tree(j->monitor, signo);
}

/* Only a command that ends its own monitor (possible where both have one user id) leaves children to the
   agent. They belong to nothing that is still running: they end. */
void end_strays(void) {
    struct process *list;
    int n = processes(&list);
    for (int i = 0; i < n; i++) {
        int known = list[i].parent != 1 || list[i].pid == spare_monitor;
        for (struct job *j = jobs; j && !known; j = j->next) known = !j->gone && j->monitor == list[i].pid;
        if (!known) kill(list[i].pid, SIGKILL);
    }
}

void kill_tree(struct job *j) {
    j->flags |= FLAG_KILLED;
    if (job_count == 1) {
        kill_all();
        return;
    }
    if (direct) kill(j->monitor, SIGSTOP);
    for (int round = 0, before = -1; round < 50; round++) { /* stop all first: what stands still cannot fork */
        int now = tree(j->monitor, SIGSTOP);
        if (now == before) break;
        before = now;
    }
    for (int round = 0; round < 50 && tree(j->monitor, SIGKILL); round++) usleep(1000);
    kill(j->monitor, SIGKILL);
    end_strays();
}

/* Memory of a process with shared pages counted in part; where that may not be read, all of it. */
static uint64_t proportional(const struct process *process) {
    char path[64], text[2048];
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", process->pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    if (got <= 0) return process->rss;
    text[got] = 0;
    char *line = strstr(text, "\nPss:");
    return line ? strtoull(line + 5, NULL, 10) << 10 : process->rss;
}

/* What was killed counts until it has been waited for: who is told that all is gone shall be able to start the next. */
#define REAPED_MS 200

static void reap_all(void) {
    int how;
    for (int ms = 0; ms < REAPED_MS; ms++) {
        errno = 0;
        for (pid_t pid; (pid = waitpid_job(&how)) > 0;) spare_ended(pid);
        if (errno == ECHILD) return;
        usleep(1000);
    }
}

/* Linux lets no fork slip past kill(-1); gVisor's kernel does, so there it is repeated until the agent is alone. */
void kill_all(void) {
    drop_spare();
    kill(-1, SIGKILL);
    if (!processes_hard) reap_all();
    for (int round = 0; processes_hard && round < 500; round++) {
        struct sysinfo all;
        int how;
        while (waitpid_job(&how) > 0) {}
        if (sysinfo(&all) || all.procs <= 1) return;
        if (round % 8 == 7) usleep(1000);
        kill(-1, SIGKILL);
    }
}

void end_all(uint8_t flag) {
    for (struct job *j = jobs; j; j = j->next) j->flags |= flag | FLAG_KILLED;
    kill_all();
}

/* What counts as too many, as far as numbers of processes go; 1 where all was ended. */
static int too_many(uint64_t threads) {
    for (struct job *j = jobs; j; j = j->next)
        if (j->processes_max && threads + 1 >= j->processes_max) j->flags |= FLAG_PROCESSES;
    if (!processes_hard || threads <= processes_hard) return 0;
    end_all(FLAG_PROCESSES);
    return 1;
}

/* Where no cgroup counts: what all use together, and whether it is as many as may be. gVisor's kernel tells both in one
   call: under a fork bomb a look at each process comes too late, and its kernel goes down with the limit around it. */
void watch(void) {
    if (processes_hard) {
        struct sysinfo all;
        if (sysinfo(&all) || too_many(all.procs)) return;
        if ((all.totalram - all.freeram) * all.mem_unit <= memory_max) return;
    }
    struct process *list;
    int n = processes(&list);
    uint64_t sum = 0, threads = 0;
    for (int i = 0; i < n; i++) {
        threads += list[i].threads;
        sum += list[i].pid == 1 ? 0 : list[i].rss;
    }
    if ((!processes_hard && too_many(threads)) || sum <= memory_max) return;
    if (!processes_hard) {
        sum = 0;
        for (int i = 0; i < n; i++) sum += list[i].pid == 1 ? 0 : proportional(&list[i]);
        if (sum <= memory_max) return;
    }
    end_all(FLAG_MEMORY);
}
