"""How QEMU's processor and the guest's kernel are set, so that an emulated machine has little to translate."""

from __future__ import annotations

import subprocess
from functools import cache

from forgewright.sandbox.native import program

TUNED = {
    "kvm": "",
    "tcg": "tsc=reliable norandmaps mitigations=off psi=0 lsm=landlock,yama audit=0 init_on_alloc=0"
    " sysctl.vm.stat_interval=3600 sysctl.vm.compaction_proactiveness=0 clearcpuid=112,141",
}
"""Of the guest's kernel. Emulated code is translated anew at each address it runs at, and each way through the kernel
costs its translation once in each machine: so no address is random, and what guards against side channels of a
processor that is not there, or counts what nobody reads, is off. Without `rep_good` (clearcpuid=112) pages are copied and
cleared by loops, of which an emulator does eight words at a time instead of one. Without `cx16` (141) the kernel's own
allocator does without `cmpxchg16b`, by which QEMU 7.2 spoils the flags of kernels from 6.12 on; programs keep it."""

PROCESSOR = {"kvm": "host", "tcg": "max,la57=off,smap=off,pku=off,erms=off,fsrm=off"}
"""Without what costs an emulator dear: page tables of five levels, one more translation cache for the kernel's looks at
a program's memory, one that is emptied at each switch, and copying byte by byte. `fsrm` goes with `erms`: a kernel that is
told of the one without the other (QEMU 10) copies by code that it never made ready, and does not boot."""


def clock(kvm: bool) -> str:
    """Without this an emulated guest measures its clock against a timer, which under load takes for ever."""
    return "" if kvm else f"tsc_early_khz={_khz()} lpj={_khz() * 2}"


@cache
def _khz() -> int:
    """How fast this processor's counter of time runs: the guest's is the same one."""
    return int(subprocess.run([program("launch"), "--clock"], capture_output=True, check=True).stdout)
