/* Processes that wait for the next command. */
#include "agent.h"

/* A command's processes as far as they can be made before it is known: a monitor, its pipes, and the child that will run
   the program, in the payload's cgroup. That is most of what starting it costs where the processor is emulated. */
#define SPARE_MAX 60000 /* of a request, so that a pipe takes it at once */
pid_t spare_monitor;
static struct { int request, status, in, out[2], ready; } spare;
static int no_spare;
static uint32_t resting; /* the PING that is answered when all is ready for the next command */

/* What a command will change of this process's memory is made its own before: three pages from there on. */
static void own_pages(uintptr_t start) {
    syscall(SYS_madvise, start & ~4095ul, 3 * 4096ul, 23 /* MADV_POPULATE_WRITE, since Linux 5.14 */);
}

/* The child of a spare monitor: waits for the command that it is to run. */
void await_request(void) {
    static uint8_t request[SPARE_MAX];
    static const struct status_message ready = {SPARE_READY, 0, 0};
    uint32_t length = 0, got = 0;
    join();
    own_pages((uintptr_t)request);
    own_pages((uintptr_t)&length - 8192); /* the stack grows down */
    own_pages((uintptr_t)&jobs);
    own_pages((uintptr_t)&spare);
    if (write(STATUS_FD, &ready, sizeof ready) != sizeof ready) _exit(0);
    ssize_t n = read(REQUEST_FD, &length, sizeof length);
    if (n != sizeof length || length > SPARE_MAX) _exit(0); /* nobody wants it */
    while (got < length && (n = read(REQUEST_FD, request + got, length - got)) > 0) got += (uint32_t)n;
    if (got == length) payload(request, request + length, 1);
    _exit(0);
}

void drop_spare(void) {
    int fds[] = {spare.request, spare.status, spare.in, spare.out[0], spare.out[1]};
    if (!spare_monitor) return;
    for (int i = 0; i < 5; i++) close(fds[i]);
    spare_monitor = 0;
}

/* Of `pid`, which has ended: it can be the spare monitor, if somebody killed it, or what it had to run. */
void spare_ended(pid_t pid) {
    if (pid != spare_monitor) return;
    drop_spare();
    no_spare = 1; /* until a command has ended: what kills each of them would keep us busy */
}

void may_prepare(void) { no_spare = 0; }

void prepare(void) {
    int request[2], in[2], out[2], err[2], status[2];
    if (spare_monitor || no_spare) return;
    if (pipe2(request, O_CLOEXEC) || pipe2(status, O_CLOEXEC) || pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
        die("pipes");
    fd_max = err[1] > fd_max ? err[1] : fd_max;
    int fds[3] = {in[0], out[1], err[1]};
    spare_monitor = fork();
    if (spare_monitor == 0) monitor(status[1], fds, request[0], NULL, NULL);
    close(request[0]); close(status[1]); close(in[0]); close(out[1]); close(err[1]);
    fcntl(request[1], F_SETFL, O_NONBLOCK);
    fcntl(status[0], F_SETFL, O_NONBLOCK);
    fcntl(in[1], F_SETFL, O_NONBLOCK);
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    fcntl(err[0], F_SETFL, O_NONBLOCK);
    spare.ready = 0;
    spare.request = request[1]; spare.status = status[0]; spare.in = in[1]; spare.out[0] = out[0]; spare.out[1] = err[0];
    if (spare_monitor < 0) {
        spare_monitor = 1;
        drop_spare();
    }
}

void rest(uint32_t id) { resting = id; }

/* The descriptor that tells when the spare processes are ready, if somebody waits for that. */
int awaited_spare(void) { return resting && spare_monitor && !spare.ready ? spare.status : -1; }

void spare_told(void) {
    struct status_message m;
    if (spare_monitor && !spare.ready && read(spare.status, &m, sizeof m) != -1) spare.ready = 1;
}

/* A machine that is stopped now would go on with no work left over from before. What still runs is not waited for. */
void answer_at_rest(void) {
    int running = 0, leaving = 0;
    if (!resting) return;
    for (struct job *j = jobs; j; j = j->next) *(j->reported ? &leaving : &running) = 1;
    if (!running && (leaving || (spare_monitor && !spare.ready))) return;
    frame(PONG, resting, 0);
    resting = 0;
}

/* Whether the spare processes took the command. */
int start_spare(uint32_t id, const uint8_t *p, uint32_t length) {
    if (!spare_monitor || length > SPARE_MAX) return 0;
    spare_told();
    struct iovec parts[2] = {{&length, sizeof length}, {(void *)p, length}};
    if (writev(spare.request, parts, 2) != (ssize_t)(sizeof length + length)) {
        drop_spare(); /* they have been killed, and that will be heard of */
        return 0;
    }
    keep((struct job){.id = id, .monitor = spare_monitor, .status_fd = spare.status, .in_fd = spare.in,
                      .out_fd = {spare.out[0], spare.out[1]}}, p);
    close(spare.request);
    spare_monitor = 0;
    return 1;
}
