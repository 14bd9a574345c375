"""The log changes its key: heads, bundles and proofs go on to verify for whoever trusted the old one."""

from __future__ import annotations

import json
import os
import shutil
from hashlib import sha256
from pathlib import Path

import pytest
from tests.journal.homes import RUNS, fill
from tests.security.test_bundle_tampering import pack, sign_manifest, unpack

from forgewright.core.errors import IntegrityError, NotFound, Refused, StoreError
from forgewright.journal.bundle import verifier
from forgewright.journal.bundle.export import export
from forgewright.journal.bundle.fsck import verify_home
from forgewright.journal.bundle.verification import verify
from forgewright.journal.events import KeyRotated
from forgewright.journal.journal import open_journal
from forgewright.journal.log.checkpoint import sign_head
from forgewright.journal.log.keys import (
    HISTORY,
    PRIVATE,
    PUBLIC,
    open_keys,
    open_ring,
    read_signer,
    trusted_keys,
)


async def test_rotation(tmp_path: Path) -> None:
    home = tmp_path / "home"
    journal = await open_journal(home)
    await fill(journal, 4)
    first = (home / PUBLIC).read_text().strip()
    old = read_signer(home / PRIVATE)
    await export(journal, tmp_path / "before.tar")
    event = (await journal.rotate_key()).event
    assert isinstance(event, KeyRotated)
    assert event.old == first
    await fill(journal, 4)
    await journal.rotate_key()
    await fill(journal, 4)
    newest = (home / PUBLIC).read_text().strip()
    assert newest not in (first, event.new)
    assert [str(key) for key in trusted_keys(home)] == [newest, event.new, first]
    assert read_signer(home / PRIVATE).key != old.key
    await export(journal, tmp_path / "after.tar", runs=[RUNS[0]])
    await journal.close()

    journal = await open_journal(home)  # and it opens again
    await fill(journal, 2)
    await journal.close()
    for key in (first, event.new, newest, None):
        assert verify(tmp_path / "after.tar", key).findings == ()
        assert verify_home(home, key).findings == ()
    assert verify(tmp_path / "before.tar", first).ok
    assert not verify(tmp_path / "before.tar", newest).ok

    # Whoever has the old key signs the present log with it: the log itself says that this key was retired.
    members = unpack((tmp_path / "after.tar").read_bytes())
    report = verifier.verify((tmp_path / "after.tar").open("rb"))
    del members["keys.json"]
    members["log.pub"] = f"{old.key}\n".encode()
    members["checkpoint"] = sign_head(old, report.size, report.root)
    sign_manifest(members, old)
    (tmp_path / "downgraded.tar").write_bytes(pack(members))
    findings = verify(tmp_path / "downgraded.tar", first).findings
    assert any("out of force" in finding.message for finding in findings)


async def test_a_forged_handover_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    journal = await open_journal(home)
    await fill(journal, 2)
    first = (home / PUBLIC).read_text().strip()
    await journal.rotate_key()
    await export(journal, tmp_path / "b.tar")
    await journal.close()
    members = unpack((tmp_path / "b.tar").read_bytes())
    steps = json.loads(members["keys.json"])
    stranger = open_keys(tmp_path / "stranger")
    for changed in (
        {**steps[0], "size": steps[0]["size"] + 1},
        {**steps[0], "new": str(stranger.key)},
        {**steps[0], "statement": steps[0]["statement"].replace("forgewright-key", "forgewright-kez")},
        {"old": steps[0]["old"]},
    ):
        forged = dict(members)
        forged["keys.json"] = json.dumps([changed]).encode()
        sign_manifest(forged, read_signer(home / PRIVATE))
        (tmp_path / "forged.tar").write_bytes(pack(forged))
        assert not verify(tmp_path / "forged.tar", first).ok
    history = home / HISTORY
    history.write_text(history.read_text().replace(f'"size":{steps[0]["size"]}', '"size":99'))
    with pytest.raises(IntegrityError):
        await open_journal(home)


async def test_revocation(tmp_path: Path) -> None:
    home = tmp_path / "home"
    journal = await open_journal(home)
    await fill(journal, 2)
    first = (home / PUBLIC).read_text().strip()
    with pytest.raises(Refused):
        await journal.revoke_key(first, "lost")
    await journal.rotate_key()
    with pytest.raises(NotFound):
        await journal.revoke_key(str(open_keys(tmp_path / "stranger").key), "lost")
    record = await journal.revoke_key(first, "laptop stolen")
    assert record.run == "@keys"
    await journal.close()
    assert verify_home(home).ok


@pytest.mark.parametrize("step", ["before", "after"])
async def test_a_crash_between_the_files_of_a_rotation_is_mended(tmp_path: Path, step: str) -> None:
    home = tmp_path / "home"
    journal = await open_journal(home)
    await fill(journal, 2)
    await journal.close()
    old = (home / PRIVATE).read_text()
    old_public, old_history = (home / PUBLIC).read_text(), None
    journal = await open_journal(home)
    await journal.rotate_key()
    await journal.close()
    # Back to the moment when the new key lay beside the old one.
    shutil.copy(home / PRIVATE, home / f"{PRIVATE}.new")
    (home / PRIVATE).write_text(old)
    (home / PUBLIC).write_text(old_public)
    if step == "before":
        assert old_history is None
        fresh = (home / f"{PRIVATE}.new").read_text()
        assert fresh != old
    ring = open_ring(home)
    assert str(ring.signer.key) == ring.handovers[-1].new
    assert not (home / f"{PRIVATE}.new").exists()
    assert (home / PUBLIC).read_text().strip() == str(ring.signer.key)
    journal = await open_journal(home)
    await fill(journal, 2)
    await journal.close()
    assert verify_home(home).ok


async def test_a_log_without_its_key_is_not_continued_under_a_new_one(tmp_path: Path) -> None:
    journal = await open_journal(tmp_path)
    await fill(journal, 2)
    await journal.close()
    (tmp_path / PRIVATE).unlink()
    with pytest.raises(StoreError, match="not the key"):
        await open_journal(tmp_path)


async def test_a_rotation_by_another_process_is_followed(tmp_path: Path) -> None:
    one, two = await open_journal(tmp_path), await open_journal(tmp_path)
    await fill(one, 2)
    await one.rotate_key()
    await fill(two, 2)
    await fill(one, 2)
    await one.close()
    await two.close()
    assert verify_home(tmp_path).ok
    assert sha256((tmp_path / PRIVATE).read_bytes()).digest()
    assert os.stat(tmp_path / PRIVATE).st_mode & 0o77 == 0
