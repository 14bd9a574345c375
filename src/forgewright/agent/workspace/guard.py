"""What the policy leaves of a tree of files to a command: asked for each path, before the command starts.

A shell opens files without asking anybody. So what may not be read is covered by an empty mount, what may not be
changed is mounted read-only, and whatever changed all the same is judged again before it leaves the sandbox.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from forgewright.core.errors import Refused
from forgewright.policy import labels
from forgewright.policy.types import Attempt, Fact, Gate, Verdict
from forgewright.sandbox.types import Mount, SandboxSpec

if TYPE_CHECKING:
    from forgewright.runtime.context import Context

ENTRIES_MAX = 100_000
MOUNTS_MAX = 1_000
"""Mounts that hide or protect something, in one sandbox."""
MASKS = Path(__file__).parent / "masks"
"""What lies over hidden files and folders."""

Ability = Literal["read", "edit"]


class Seen(msgspec.Struct, frozen=True):
    """A file of the tree as it was when the sandbox was made; by these it is known to be the same."""

    size_bytes: int
    modified_ns: int
    changed_ns: int
    inode: int


class Survey(msgspec.Struct, frozen=True):
    """What the policy says of a tree."""

    hidden: tuple[str, ...]
    """Files and folders that may not be read without somebody's yes, and other names of such files."""
    frozen: tuple[str, ...]
    """Files and folders that may not be changed."""
    seen: Mapping[str, Seen]
    """All regular files, hidden ones too."""


class Guard:
    """The gate's answers on paths for one principal, remembered: where no policy looks further than at labels, name or
    suffix, one answer serves all paths that have them in common."""

    def __init__(
        self,
        gate: Gate,
        principal: str,
        *,
        operation: str = "exec",
        facts: Mapping[str, Fact] | None = None,
    ) -> None:
        """`operation`: what policies see in `context.operations` of an edit; `facts`: what else they may know."""
        self._gate = gate
        self._operations = (operation,)
        self._facts = dict(facts or {})
        self.principal = principal
        self._known: dict[tuple[object, ...], Verdict] = {}
        self._keys: dict[str, Callable[[str], tuple[object, ...]]] = {
            action: _key(gate, action) for action in ("read", "edit")
        }

    def verdict(self, action: Ability, path: str) -> Verdict:
        """Of a path relative to the tree."""
        key = (action, *self._keys[action](path))
        found = self._known.get(key)
        if found is None:
            facts: dict[str, Fact] = {**self._facts, "paths": (path,)}
            if action == "edit":
                facts["operations"] = self._operations
            attempt = Attempt(self.principal, action, path, facts)
            found = self._known[key] = self._gate.decide(attempt)
        return found

    def may_read(self, path: str) -> bool:
        """Without asking anybody."""
        verdict = self.verdict("read", path)
        return verdict.permit and verdict.approval is None

    def survey(self, root: Path) -> Survey:
        """Looks at the whole tree. Raises `Refused` if it is too large, or needs too many mounts."""
        tree = _Tree(root)
        seen = tree.files
        hidden = {path for path in seen if not self.may_read(path)}
        inodes = {seen[path].inode for path in hidden if path in tree.linked}
        hidden |= {path for path in tree.linked if seen[path].inode in inodes}
        frozen = {path for path in seen if not self.verdict("edit", path).permit}
        # A folder stands for all that is in it if a file that is not there yet would be refused, too.
        hide = tree.together(hidden, lambda folder: not self.may_read(f"{folder}/x"))
        freeze = tree.together(frozen - hidden, lambda f: not self.verdict("edit", f"{f}/x").permit)
        if seen and len(frozen) == len(seen):
            freeze = ()  # who may change nothing gets a copy, and none of it is taken over
        if len(hide) > MOUNTS_MAX:
            raise Refused(
                f"the policy hides {len(hide)} files and folders from {self.principal}; at most {MOUNTS_MAX} can "
                "be hidden from a command",
                hint="put them into one folder, and forbid to read that",
            )
        return Survey(hide, freeze[: MOUNTS_MAX - len(hide)], seen)


def guard_of(context: Context, operation: str) -> Guard:
    """For whoever acts in a run, with the facts that the door would give the gate."""
    facts = context.strand.facts if context.strand.depth else {}
    return Guard(context.execution.gate, context.actor, operation=operation, facts=facts)


def guarded(spec: SandboxSpec, root: Path, survey: Survey) -> SandboxSpec:
    """The spec with the mounts that hide and protect, and without any by which the tree could be written to."""
    base = root.resolve()
    mounts = []
    for mount in spec.mounts:
        source = Path(mount.source).resolve()
        overlaps = source.is_relative_to(base) or base.is_relative_to(source)
        if overlaps and mount.mode == "rw":
            mount = msgspec.structs.replace(mount, mode="cow")
        mounts.append(mount)
        if not overlaps:
            continue
        for path in survey.hidden:
            mounts += _over(mount, source, base / path, hide=True)
        if mount.mode == "cow":
            for path in survey.frozen:
                mounts += _over(mount, source, base / path, hide=False)
    return msgspec.structs.replace(spec, mounts=tuple(mounts))


def _over(mount: Mount, source: Path, path: Path, *, hide: bool) -> list[Mount]:
    """The mount that covers `path` where `mount` shows it, or all of `mount` where it shows a part of `path`."""
    if path.is_relative_to(source):
        target = os.path.normpath(os.path.join(mount.target, path.relative_to(source)))
    elif source.is_relative_to(path):
        target, path = os.path.normpath(mount.target), source
    else:
        return []
    if not hide:
        return [Mount(str(path), target, "ro")] if not path.is_symlink() else []
    return [Mount(str(MASKS / ("folder" if path.is_dir() else "file")), target, "ro")]


class _Tree:
    """The regular files below a root, found without following a link."""

    def __init__(self, root: Path) -> None:
        self.files: dict[str, Seen] = {}
        self.linked: set[str] = set()
        """Those with more than one name."""
        self._inside: dict[str, int] = {}
        """Folder → entries below it that are no folders."""
        self._walk(root.resolve())

    def together(self, paths: set[str], whole: Callable[[str], bool]) -> tuple[str, ...]:
        """The paths, with folders in the place of all that is in them."""
        counts: dict[str, int] = {}
        for path in paths:
            for folder in _above(path):
                counts[folder] = counts.get(folder, 0) + 1
        full = {f for f, n in counts.items() if n == self._inside[f] and whole(f)}
        chosen = full | paths
        return tuple(sorted(p for p in chosen if not any(f in full for f in _above(p))))

    def _walk(self, root: Path) -> None:
        todo = [""]
        while todo:
            folder = todo.pop()
            with os.scandir(root / folder) as found:
                entries = list(found)
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    todo.append(path)
                    continue
                for above in _above(path):
                    self._inside[above] = self._inside.get(above, 0) + 1
                try:
                    found_one = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if stat.S_ISREG(found_one.st_mode):
                    self._add(path, found_one)
        return

    def _add(self, path: str, found: os.stat_result) -> None:
        if len(self.files) >= ENTRIES_MAX:
            raise Refused(
                f"expected at most {ENTRIES_MAX:,} files in a tree that a command is given; found more",
                hint="give it a folder further down",
            )
        self.files[path] = Seen(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
        if found.st_nlink > 1:
            self.linked.add(path)


def _above(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: n + 1]) for n in range(len(parts))]


# ── what a decision on a path depends on ─────────────────────────────────────────────────────────────


def _key(gate: Gate, action: str) -> Callable[[str], tuple[object, ...]]:
    """What of a path the policies of an action look at; the path itself where that cannot be told."""
    policies = getattr(gate, "policies", None)
    if policies is None:
        return lambda path: (path,)
    used: set[str] = set()
    for policy in policies:
        if action in policy.actions:
            if policy.body["resource"] != {"op": "All"}:
                return lambda path: (path,)
            for condition in policy.body["conditions"]:
                used |= _facts(condition["body"])
    if used & {"path", "*"}:
        return lambda path: (path,)

    def key(path: str) -> tuple[object, ...]:
        normal, inside = labels.normal_path(path)
        name = normal.rsplit("/", 1)[-1]
        dot = name.rfind(".")
        return (
            frozenset(labels.path_labels(normal, inside=inside)) if "labels" in used else None,
            name if "name" in used else None,
            (name[dot:].lower() if dot > 0 else "") if "suffix" in used else None,
        )

    return key


def _facts(body: Any) -> set[str]:
    """Facts that an expression in Cedar's JSON form reads; `*` where it reads the resource, or all of them."""
    if isinstance(body, list):
        return set().union(*map(_facts, body))
    if not isinstance(body, dict):
        return set()
    if body.get("Var") in ("resource", "context"):
        return {"*"}
    if "Value" in body:
        return set()
    for form in (".", "has"):
        inner = body.get(form)
        if isinstance(inner, dict) and inner.get("left") == {"Var": "context"}:
            return {str(inner.get("attr", "*"))}
    return set().union(*map(_facts, body.values()))
