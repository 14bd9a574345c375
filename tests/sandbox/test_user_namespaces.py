"""An ordinary user who may not make user namespaces is told whose rule that is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from forgewright.sandbox import user_namespaces
from forgewright.sandbox.user_namespaces import advice

REFUSED = "launch: user namespace: Operation not permitted"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "AppArmor"),
        ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone"),
        ("user/max_user_namespaces", "0", "user.max_user_namespaces"),
        ("user/max_user_namespaces", "1000", "a chroot or a container"),
    ],
)
def test_whose_rule_it_is(
    name: str, value: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_text(f"{value}\n")
    monkeypatch.setattr(user_namespaces, "SYSCTL", tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert told in (advice(REFUSED) or "")


@pytest.mark.parametrize("log", ["", "crun: no such file", "launch: mount /usr: No such file or directory"])
def test_other_reasons_are_left_alone(log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert advice(log) is None


def test_root_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert advice(REFUSED) is None
