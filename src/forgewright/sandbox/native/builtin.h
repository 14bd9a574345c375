/* File operations inside the sandbox, done with the user id, the limits and the view of a command. */
#ifndef BUILTIN_H
#define BUILTIN_H
enum { READ = 1, WRITE = 2, LIST = 3, REMOVE = 4, PACK = 5, UNPACK = 6 };
/* Returns the exit code: 0, or 120 with the error number as decimal text on stderr. */
int builtin(int kind, int argc, char **argv);
#endif
