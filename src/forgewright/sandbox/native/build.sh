#!/bin/sh
# Builds the static programs of this folder. Needs musl-gcc (Debian: apt-get install musl-tools).
# Each carries the digest of its sources; a test compares it with the sources that stand here.
set -eu
cd "$(dirname "$0")"
digest=$(cat agent.c agent.h builtin.c builtin.h commands.c frames.c guest.c launch.c parts.c pressure.c processes.c relay.c spare.c build.sh | sha256sum | cut -d' ' -f1)
arch=$(uname -m)
for program in agent guest launch; do
    sources=$program.c
    [ $program = agent ] && sources="agent.c builtin.c commands.c frames.c parts.c pressure.c processes.c relay.c spare.c"
    # shellcheck disable=SC2086
    musl-gcc -std=c11 -Os -Wall -Wextra -Werror -static -s -idirafter /usr/include \
        -idirafter "/usr/include/$arch-linux-gnu" -fno-ident -Wl,--build-id=none \
        -DSOURCE_DIGEST="\"$digest\"" -o "$program-$arch" $sources
done
ls -l agent-"$arch" guest-"$arch" launch-"$arch"
