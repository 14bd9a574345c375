/* File operations inside the sandbox, done with the user id, the limits and the view of a command. */
#ifndef BUILTIN_H
#define BUILTIN_H
#include <stddef.h>
#include <stdint.h>
enum { READ = 1, WRITE = 2, LIST = 3, REMOVE = 4, PACK = 5, UNPACK = 6, INVENTORY = 7, PARTS = 8 };
/* Returns the exit code: 0, or 120 with the error number as decimal text on stderr. */
int builtin(int kind, int argc, char **argv);

/* Trees: records of type, mode, sizes, path and data, ended by a record of type "." (trees.py). */
struct record { uint8_t type; uint32_t mode, path; uint64_t data; } __attribute__((packed));
int failed(void);
int put(const void *data, size_t n);
int get(void *data, size_t n);

/* parts.c: trees by content */
int inventory(const char *source, const char *block);
int parts(const char *source, const char *block);
int unpack_part(int dir, const char *path, const struct record *r);
#endif
