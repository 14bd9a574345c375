/* What the parts of the resident agent share; agent.c says what it is. */
#ifndef AGENT_H
#define AGENT_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <grp.h>
#include <unistd.h>
#include <termios.h>
#include <time.h>
#include <linux/capability.h>
#include <linux/random.h>

enum { EXEC = 1, STDIN = 2, SIGNAL = 3, KILL = 4, PING = 5, RESUME = 6, LISTEN = 7, DATA = 8, SHUT = 9, ROOM = 10,
       OPEN = 11, RESIZE = 12 };
enum { HELLO = 65, OUT = 66, ERR = 67, EXITED = 68, PONG = 69, CREDIT = 70, GONE = 71, OPENED = 72, SENT = 73, ENDED = 74 };
enum { FLAG_KILLED = 1, FLAG_DISK = 2, FLAG_MEMORY = 4, FLAG_PROCESSES = 8 };

#define HEADER 9
#define EXEC_HEAD 62 /* of an EXEC frame, before its words */
#define EXEC_TTY 1
#define FRAME_MAX (4u << 20)
#define OUT_HIGH (1u << 20)    /* with this much unsent, no more is read from commands */
#define STDIN_WINDOW (1u << 18) /* the engine may send this much before a CREDIT */
#define JOBS_MAX 256
#define WATCH_MS 25 /* gVisor: one system call; else a look at each process */
#define STREAMS_MAX 128
#define LISTENERS_MAX 17
#define STREAM_IDS 0x80000000u /* ids of connections that the agent names, apart from those of commands */
#define ENGINES_STREAMS 0x40000000u /* those that the engine opened and named */
#define REQUEST_FD 8
#define STATUS_FD 9
#define CGROUP_FD 10
#define FIRST_FREE_FD 20

struct buffer { uint8_t *data; size_t length, capacity; };

struct job {
    uint32_t id;
    pid_t monitor;
    int status_fd, in_fd, out_fd[2];
    struct buffer in;
    int in_eof, exited, reported, gone, tty;
    uint8_t flags;
    int status;
    uint64_t output_max, processes_max, oom_before, pids_before, written[2], rss, cpu;
    struct job *next;
};

/* A connection of a program inside to the relay on its loopback, or of the engine to a server inside (OPEN). */
struct stream {
    uint32_t id;
    int fd, in_eof, out_eof, told, connecting;
    uint16_t port; /* in network order */
    uint32_t room; /* what the engine will still take */
    struct buffer in;
    struct stream *next;
};

struct status_message { int status; uint64_t rss, cpu; };
#define SPARE_READY -1 /* as a status: no command yet, but all that one needs */

/* direct: commands are the agent's own children, without monitors: for kernels that know no child subreaper */
extern struct job *jobs;
extern int job_count, cgroups, fd_max, direct, victims; /* victims: where one cgroup holds all, commands are killed before the agent */
extern struct buffer outbox;
extern uint64_t memory_max, processes_hard;
extern int group; /* whether the agent itself has to look into the payload's cgroup (in a virtual machine) */

/* frames.c: buffers, and what is sent to the engine */
void die(const char *what);
void reserve(struct buffer *b, size_t more);
void consume(struct buffer *b, size_t n);
uint32_t get32(const uint8_t *p);
uint64_t get64(const uint8_t *p);
uint8_t *frame(uint8_t type, uint32_t id, uint32_t length);
int flush_out(void);

/* commands.c: starting a command, and saying how it ended */
void start(uint32_t id, const uint8_t *p, uint32_t length);
void report(struct job *j);
void give_up_privileges(void);
void open_group(const char *folder);
void join(void);
void payload(const uint8_t *p, const uint8_t *end, int joined);
void monitor(int status_fd, const int fds[3], int request_fd, const uint8_t *p, const uint8_t *end);
void keep(struct job job, const uint8_t *p);
void discard(struct job *j);
struct job *find(uint32_t id);
int typed_signal(struct job *j, uint8_t c);
void resize(struct job *j, const uint8_t *p, uint32_t length);

/* spare.c: processes that wait for the next command */
void prepare(void);
void may_prepare(void);
int start_spare(uint32_t id, const uint8_t *p, uint32_t length);
void await_request(void);
void drop_spare(void);
void spare_ended(pid_t pid);
void rest(uint32_t id);
int awaited_spare(void);
void spare_told(void);
void answer_at_rest(void);

/* processes.c: the trees of commands */
int tree(pid_t root, int signo);
void signal_job(struct job *j, int signo);
void kill_tree(struct job *j);
void kill_all(void);
pid_t waitpid_job(int *how); /* agent.c */
extern pid_t spare_monitor; /* spare.c */
void end_strays(void);
void watch(void);
void end_all(uint8_t flag);

/* pressure.c: a payload at its limit of memory (in a virtual machine) */
extern int pressed, memory_events;
void open_pressure(const char *folder);
void look_at_pressure(void);
void limit_met(void); /* commands.c */

/* relay.c: connections from inside to the engine's proxy */
extern struct stream *streams;
extern struct listener { int fd; uint16_t port; } listeners[LISTENERS_MAX];
extern int listener_count;
void listen_on(uint32_t id, const uint8_t *p, uint32_t length);
void accept_stream(const struct listener *l);
void open_stream(uint32_t id, const uint8_t *p, uint32_t length);
void stream_connected(struct stream *s);
struct stream *find_stream(uint32_t id);
void stream_data(struct stream *s, const uint8_t *p, uint32_t length);
void stream_out(struct stream *s);
void stream_in(struct stream *s);
void stream_ended(struct stream *s);
void discard_streams(void);
#endif
