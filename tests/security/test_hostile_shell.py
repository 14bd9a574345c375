"""What a rule denies to the file tools, a shell cannot do either: neither write it nor read it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.agent.workspace.trees import SECRET, call, content, make_tree

from forgewright.agent.builtin.shell import shell_tool

pytestmark = pytest.mark.sandbox

WRITES = {
    "a plain write": "echo harm > {path}",
    "an append": "echo harm >> {path}",
    "in place": "sed -i s/was/harm/ {path}",
    "a rename over it": "echo harm > x; mv -f x {path}",
    "a copy over it": "echo harm > x; cp --remove-destination x {path}",
    "a link in its place": "echo harm > x; ln -sf ../x {path}",
    "a hard link in its place": "echo harm > x; ln -f x {path}",
    "deleted and made anew": "rm -f {path}; echo harm > {path}",
    "deleted": "rm -f {path}",
    "its mode": "chmod 777 {path}",
    "truncated": "truncate -s 0 {path}",
    "through the parent's name": "cd $(dirname {path}) && echo harm > ../$(basename $(dirname {path}))/$(basename {path})",
    "through a link to its folder": "ln -s $(dirname {path}) alias; echo harm > alias/$(basename {path})",
    "through a hard link": "ln {path} alias; echo harm > alias",
    "through /proc": "echo harm > /proc/self/cwd/{path}",
    "the folder moved away and made anew": (
        "d=$(dirname {path}); mv $d moved; mkdir -p $d; echo harm > {path}"
    ),
    "the folder swapped for a link": (
        "d=$(dirname {path}); mkdir evil; echo harm > evil/$(basename {path}); mv $d gone; ln -s $PWD/evil $d"
    ),
    "after the command has ended": "(sleep 0.2; echo harm > {path}) >/dev/null 2>&1 &",
    "a race of many writers": (
        "for i in 1 2 3 4; do (for n in $(seq 200); do echo harm > {path}; mv -f {path} x$i; mv -f x$i {path};"
        " done) 2>/dev/null & done; wait"
    ),
    "a mount over it": "echo harm > x; mount --bind x {path}",
    "a namespace of its own": "echo harm > x; unshare -rm sh -c 'umount {path}; mount --bind x {path}; echo harm > {path}'",
    "the mount taken off": "umount -l {path}; echo harm > {path}",
    "another letter case": "echo harm > {path}; echo harm > $(echo {path} | tr a-z A-Z)",
}
PROTECTED = ["locked/rules.txt", "poetry.lock", ".github/workflows/ci.yml", ".git/config"]
KEPT = [*PROTECTED, ".git/hooks/pre-commit.sample", ".env", "private/plan.txt", "private/deep/more.txt"]


@pytest.mark.parametrize("how", WRITES)
async def test_what_may_not_be_changed_is_as_it_was(how: str, tmp_path: Path) -> None:
    root = make_tree(tmp_path / "tree")
    before = content(root)
    script = "\n".join(f"( {WRITES[how].format(path=path)} )" for path in PROTECTED)
    outcome = await call(shell_tool(root), {"command": script}, tmp_path / "home")
    assert outcome.status == "finished", outcome.detail
    after = content(root)
    assert {path: after.get(path) for path in KEPT} == {path: before[path] for path in KEPT}
    made = set(after) - set(before)
    assert not any(p.lower().startswith(("locked/", ".git/", ".github/workflows")) for p in made), made
    assert not any(p.is_symlink() for p in root.rglob("*"))


NEW = {
    "a hook": ("echo harm > {path}; chmod +x {path}", ".git/hooks/pre-commit"),
    "a hook in a folder made anew": (
        "mv .git .git3; mkdir -p .git/hooks; echo harm > {path}",
        ".git/hooks/pre-commit",
    ),
    "a workflow": ("echo harm > {path}", ".github/workflows/new.yml"),
    "a workflow where there was no folder": ("mkdir .circleci; echo harm > {path}", ".circleci/config.yml"),
    "a lock file": ("echo harm > {path}", "npm.lock"),
    "a hook of a repository in it": (
        "mkdir sub; cd sub; git init -q .; mkdir -p .git/hooks; echo harm > ../{path}",
        "sub/.git/hooks/post-checkout",
    ),
    "a link that leads out": ("ln -s /etc/passwd {path}; ln -s ../../outside notes/up", "notes/link"),
    "a file behind a folder that became a link": (
        "rm -rf notes; ln -s /tmp notes; echo harm > {path}",
        "notes/new",
    ),
    "a pipe": ("mkfifo {path}", "pipe"),
}


@pytest.mark.parametrize("what", NEW)
async def test_what_may_not_be_made_is_not_there(what: str, tmp_path: Path) -> None:
    root = make_tree(tmp_path / "tree")
    script, path = NEW[what]
    outcome = await call(shell_tool(root), {"command": script.format(path=path)}, tmp_path / "home")
    assert outcome.status == "finished", outcome.detail
    assert not (root / path).exists()
    assert not (root / path).is_symlink()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["home", "tree"]


READS = {
    "plainly": "cat {path}",
    "by its parent": "cd notes; cat ../{path}",
    "through a link": "ln -s {path} alias; cat alias",
    "through a hard link": "ln {path} alias; cat alias; cp {path} copy; cat copy",
    "by a hard link that was there": "cat other-name",
    "through a link that was there": "cat a-link",
    "after moving it": "mv {path} moved; cat moved",
    "after moving its folder": "mv $(dirname {path}) moved 2>/dev/null; cat moved/* moved/deep/*",
    "after taking off what covers it": "umount -l {path} $(dirname {path}); cat {path}",
    "in a namespace of its own": "unshare -rm sh -c 'umount {path}; cat {path}'",
    "by search": "grep -r hunter2 . / --include=* -s --exclude-dir=proc --exclude-dir=sys --exclude-dir=usr",
    "through /proc": "cat /proc/1/root/work/{path} /proc/*/root/work/{path} /proc/self/mountinfo; ls -R /proc/1/root/",
    "by archive": "tar c . | tr '\\0' ' '",
    "by git": "git init -q; git add -A -f; git diff --cached",
    "from the copy-on-write layers": "cat /*/cow*/lower/{path} /run/*/{path} /tmp/*/{path}",
}


@pytest.mark.parametrize("how", READS)
async def test_what_may_not_be_read_is_not_seen(how: str, tmp_path: Path) -> None:
    root = make_tree(tmp_path / "tree")
    (root / "other-name").hardlink_to(root / ".env")
    (root / "a-link").symlink_to("private/plan.txt")
    script = "\n".join(
        f"( {READS[how].format(path=path)} )"
        for path in (".env", "private/plan.txt", "private/deep/more.txt")
    )
    outcome = await call(shell_tool(root), {"command": script}, tmp_path / "home")
    assert outcome.status == "finished", outcome.detail
    assert "hunter2" not in outcome.state.text
    assert "hidden from commands by the policy: .env, other-name, private" in outcome.state.text
    assert content(root)[".env"] == SECRET
    assert content(root)["private/plan.txt"] == SECRET
    assert not [path for path, text in content(root).items() if text == SECRET and path not in
                {".env", "other-name", "private/plan.txt", "private/deep/more.txt"}]  # fmt: skip
