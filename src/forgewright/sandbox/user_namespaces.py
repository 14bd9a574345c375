"""Why an ordinary user could not make a user namespace, and what would let them: the kernel's own word is one error number."""

from __future__ import annotations

import os
from pathlib import Path

from forgewright.sandbox.native import program

SYSCTL = Path("/proc/sys")
_REFUSED = ("Operation not permitted", "Permission denied", "No space left on device")
_CONTAINER = (
    "a chroot or a container around this one can forbid user namespaces, too: run it outside, or as root"
)


def advice(log: str) -> str | None:
    """What to do where the launcher, as an ordinary user, said `log`; None where it had another reason to stop."""
    if os.geteuid() == 0 or "launch:" not in log or not any(word in log for word in _REFUSED):
        return None
    if _value("kernel/apparmor_restrict_unprivileged_userns") == "1":
        return (
            f"AppArmor keeps ordinary users from user namespaces here: a profile for {program('launch')} with the rule"
            " `userns,` allows them to it alone (apparmor.d(5)); or run as root"
        )
    if _value("kernel/unprivileged_userns_clone") == "0":
        return "ordinary users may not make user namespaces here (sysctl kernel.unprivileged_userns_clone); or run as root"
    if _value("user/max_user_namespaces") == "0":
        return "no user namespaces may be made here (sysctl user.max_user_namespaces); or run as root"
    return _CONTAINER


def _value(name: str) -> str:
    try:
        return (SYSCTL / name).read_text().strip()
    except OSError:
        return ""
