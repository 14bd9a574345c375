#!/bin/sh
# Runs tests of the sandbox on another host than this one: Debian 13 with cgroup v2 alone and with KVM, in a virtual machine.
#
#   scripts/on_another_host.sh [PYTEST ARGUMENT…]     (as root; some 30 minutes, most of them emulated)
#
# QEMU emulates AMD's virtualisation, too, so that KVM works in there: QEMU and Firecracker boot guests of their own on it.
# The root is built once (mmdebstrap), with the project's last commit and what `make setup` installs there, and kept under
# var/another-host. Without arguments: the conformance suite of every driver but Docker, groups, limits and cleaning up.
set -eu
cd "$(dirname "$0")/.."
here=$(pwd)
place=$here/var/another-host
root=$place/root
[ "$(id -u)" = 0 ] || { echo "run it as root: it builds a Debian root and mounts in it" >&2; exit 2; }
for program in mmdebstrap mkfs.ext4; do
    command -v $program >/dev/null || {
        echo "$program is missing; run: apt-get install mmdebstrap e2fsprogs" >&2
        exit 3
    }
done
if [ $# = 0 ]; then
    set -- tests/contracts/test_sandbox.py tests/contracts/test_sandbox_lifecycle.py tests/sandbox/test_cgroups.py \
        tests/sandbox/test_io_limits.py tests/sandbox/test_clean.py -k "not docker"
fi
mkdir -p "$place"
if [ ! -d "$root/usr" ]; then
    mmdebstrap --variant=minbase --include=ca-certificates,git,make,python3,python3-venv trixie "$root" "${MIRROR:-http://deb.debian.org/debian}"
fi

# What this machine fetches packages by holds in there, too.
for file in /etc/resolv.conf /etc/hosts /etc/pip.conf /etc/ssl/certs/ca-certificates.crt "$HOME/.npmrc"; do
    [ ! -f "$file" ] || { mkdir -p "$root$(dirname "$file")" && cp -L "$file" "$root$file"; }
done
rm -rf "$root/root/project/.git" "$root/root/new"
git clone -q "$here" "$root/root/new"
mkdir -p "$root/root/project"
cp -a "$root/root/new/." "$root/root/project/"
rm -rf "$root/root/new"
echo "setting up the project in Debian 13"
# shellcheck disable=SC2016
unshare --mount --propagation private sh -euc '
    mount --bind "$1" "$1"
    mount -t proc proc "$1/proc"
    mount --rbind /dev "$1/dev"
    mount -t tmpfs tmpfs "$1/tmp"
    exec chroot "$1" sh -euc "cd /root/project && make setup"
' sh "$root" >"$place/setup.log" 2>&1 || { tail -20 "$place/setup.log" >&2; exit 1; }

for word in "$@"; do
    printf "'%s' " "$(printf %s "$word" | sed "s/'/'\\\\''/g")"
done >"$root/root/arguments"
cat >"$root/root/begin" <<'END'
#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2>/dev/null
mkdir -p /dev/pts /dev/shm
mount -t devpts -o ptmxmode=0666 devpts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs -o mode=755 run /run
mount -t tmpfs -o mode=1777 tmp /tmp
python3 -c "import fcntl, socket, struct; fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sh', b'lo', 0x49))"
exec </dev/null >/dev/console 2>&1
cd /root/project
echo "controllers: $(cat /sys/fs/cgroup/cgroup.controllers)"
modprobe kvm_amd nested=0 && chgrp kvm /dev/kvm && chmod 660 /dev/kvm
export FORGEWRIGHT_QEMU_ACCEL=kvm FORGEWRIGHT_KVM_SECONDS=300 PATH=$PATH:/root/project/.venv/firecracker
.venv/bin/forgewright sandbox doctor
eval ".venv/bin/python -m pytest -p no:cacheprovider --color=no -n 2 --timeout 1800 $(cat /root/arguments)"
echo "ended with $?"
sync
echo o >/proc/sysrq-trigger
sleep 60
END
chmod +x "$root/root/begin"
rm -f "$place/disk" "$place/log"
mkfs.ext4 -q -d "$root" -N 600000 "$place/disk" 8G
kernel=$(ls "$root"/boot/vmlinuz-*-cloud-amd64 | tail -1)
echo "running: $*"
# Its own QEMU runs it: that of Debian 12 does not emulate virtualisation well enough for a guest in a guest.
unshare --mount --propagation private sh -euc '
    mount --bind "$1" "$1"
    mount --rbind /dev "$1/dev"
    mount -t proc proc "$1/proc"
    mount --bind "$2" "$1/mnt"
    exec chroot "$1" timeout 5400 qemu-system-x86_64 -M q35 -accel tcg,thread=multi,tb-size=512 -smp 2 -m 12G \
        -cpu max,svm=on,npt=on,la57=off,smap=off,pku=off,erms=off,fsrm=off -nodefaults -display none -no-reboot \
        -serial file:/mnt/log -kernel "/boot/vmlinuz-$3" -initrd "/boot/initrd.img-$3" \
        -append "root=/dev/vda rw console=ttyS0 init=/root/begin quiet mitigations=off tsc=reliable clearcpuid=112,141 panic=-1" \
        -drive file=/mnt/disk,format=raw,if=virtio,cache=unsafe
' sh "$root" "$place" "${kernel##*/vmlinuz-}" || true
rm -f "$place/disk"
tr -d '\r' <"$place/log" | tail -40
tr -d '\r' <"$place/log" | grep -q "^ended with 0$"
