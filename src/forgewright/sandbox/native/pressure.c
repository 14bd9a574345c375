/*
 * A payload at its limit of memory, in a virtual machine. The kernel ends one that needs more where nothing can be taken
 * from it. As long as there is the text of the programs that run, it takes that, and reads it again when they go on: on
 * an emulated processor for minutes. So the agent ends a payload that is at its limit with nothing else left to take,
 * and reads the same pages again and again.
 */
#include "agent.h"

#define LOOK_MS 250
#define LOOKS 8       /* in a row, before it is ended */
#define PAGES_AGAIN 64 /* read again between two looks */

static int statistics = -1;
static uint64_t most;
int pressed; /* whether the limit has been met since the last look */

static uint64_t value(const char *text, const char *key) {
    size_t n = strlen(key);
    for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (!strncmp(line, key, n) && line[n] == ' ') return strtoull(line + n, NULL, 10);
    return 0;
}

void open_pressure(const char *folder) {
    char path[256], text[32] = "";
    snprintf(path, sizeof path, "%s/memory.max", folder);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && read(fd, text, sizeof text - 1) > 0) most = strtoull(text, NULL, 10); /* "max": 0 */
    if (fd >= 0) close(fd);
    snprintf(path, sizeof path, "%s/memory.stat", folder);
    statistics = open(path, O_RDONLY | O_CLOEXEC);
}

/* Called while commands run, after the kernel said that the limit was met. */
void look_at_pressure(void) {
    static struct timespec last;
    static uint64_t again;
    static int looks;
    static char text[8192];
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if ((now.tv_sec - last.tv_sec) * 1000 + (now.tv_nsec - last.tv_nsec) / 1000000 < LOOK_MS) return;
    last = now;
    ssize_t n = most ? pread(statistics, text, sizeof text - 1, 0) : -1;
    if (n <= 0) {
        pressed = 0;
        return;
    }
    text[n] = 0;
    uint64_t fixed = value(text, "anon") + value(text, "shmem") + value(text, "kernel");
    uint64_t before = again;
    again = value(text, "workingset_refault_file");
    if (fixed + most / 16 > most && again > before + PAGES_AGAIN) looks++;
    else looks = pressed = 0;
    if (looks < LOOKS) return;
    looks = pressed = 0;
    end_all(FLAG_MEMORY);
}
