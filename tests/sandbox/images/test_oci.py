"""Images from a registry that runs here: layers, indexes, digests; and what a lying registry gives is refused."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from forgewright.core.errors import IntegrityError, NotFound, Unavailable
from forgewright.sandbox.images import ensure, fetch, find, remove, verify

from .conftest import Layout, Registry, archive

MakeLayout = Callable[[], Layout]


def two_layers(layout: MakeLayout) -> tuple[Layout, dict[str, object]]:
    made = layout()
    below = archive(
        [("etc", None), ("etc/kept", b"kept"), ("etc/gone", b"gone"), ("data", None), ("data/old", b"old")]
    )
    above = archive(
        [("etc/.wh.gone", b""), ("data/.wh..wh..opq", b""), ("data/new", b"new"), ("bin", "usr/bin")]
    )
    return made, made.image([below, above], ["PATH=/opt/bin:/bin", "LEVEL=2"])


def test_pulled_by_tag_and_by_digest(registry: Registry, layout: MakeLayout) -> None:
    made, manifest = two_layers(layout)
    made.index(manifest)
    registry.push(made, "team/app:1")
    image = fetch(f"oci:{registry.address}/team/app:1")
    assert image is not None
    assert image.digest == manifest["digest"]
    assert image.environment == {"PATH": "/opt/bin:/bin", "LEVEL": "2"}
    assert sorted(path.name for path in (image.tree / "data").iterdir()) == ["new"]
    assert (image.tree / "etc" / "kept").read_text() == "kept"
    assert not (image.tree / "etc" / "gone").exists()
    verify(image)
    pinned = f"oci:{registry.address}/team/app@{image.digest}"
    assert find(pinned) == image  # the same content, whatever it was called
    assert find(image.digest) == image
    assert fetch(pinned) is not None
    remove(image)
    with pytest.raises(NotFound):
        find(pinned)
    assert ensure(pinned) is not None


def test_an_index_gives_the_image_for_this_machine_and_pins_as_a_whole(
    registry: Registry, layout: MakeLayout
) -> None:
    made, manifest = two_layers(layout)
    other = made.image([archive([("other", b"")])])
    other["platform"] = {"os": "linux", "architecture": "s390x"}
    inner = made.index(other, manifest)
    outer = {"mediaType": "application/vnd.oci.image.index.v1+json", **made.blob(inner)}
    made.index(outer)
    registry.push(made, "team/many:1")
    pinned = f"oci:{registry.address}/team/many@sha256:{hashlib.sha256(inner).hexdigest()}"
    image = fetch(pinned)
    assert image is not None
    assert image.digest == manifest["digest"]
    assert find(pinned) == image


def test_no_image_for_this_machine(registry: Registry, layout: MakeLayout) -> None:
    made = layout()
    other = made.image([archive([("other", b"")])])
    other["platform"] = {"os": "linux", "architecture": "s390x"}
    outer = {"mediaType": "application/vnd.oci.image.index.v1+json", **made.blob(made.index(other))}
    made.index(outer)
    registry.push(made, "team/s390x:1")
    with pytest.raises(Unavailable, match="not made for linux"):
        fetch(f"oci:{registry.address}/team/s390x:1")


def test_a_registry_without_it(registry: Registry) -> None:
    with pytest.raises(Unavailable, match="cannot be fetched"):
        fetch(f"oci:{registry.address}/team/nothing:1")
    with pytest.raises(Unavailable):
        fetch(f"oci:{registry.address}/team/app@sha256:{'0' * 64}")


@pytest.mark.parametrize("what", ["layer", "config", "manifest"])
def test_bytes_that_are_not_what_their_digest_says(registry: Registry, layout: MakeLayout, what: str) -> None:
    import json

    made = layout()
    manifest = made.image([archive([("file", what.encode())])], [f"WHAT={what}"])
    made.index(manifest)
    registry.push(made, f"team/{what}:1")
    content = json.loads((made.folder / "blobs/sha256" / str(manifest["digest"])[7:]).read_bytes())
    digest = {
        "layer": content["layers"][0]["digest"],
        "config": content["config"]["digest"],
        "manifest": manifest["digest"],
    }
    stored = registry.blob_file(str(digest[what]))
    data = bytearray(stored.read_bytes())
    data[len(data) // 2] ^= 1
    stored.write_bytes(data)
    with pytest.raises((IntegrityError, Unavailable)):
        fetch(f"oci:{registry.address}/team/{what}@{manifest['digest']}")
    with pytest.raises(NotFound):
        find(f"oci:{registry.address}/team/{what}@{manifest['digest']}")


def test_a_layer_with_other_content_than_its_configuration_says(
    registry: Registry, layout: MakeLayout
) -> None:
    made = layout()
    made.index(made.image([archive([("file", b"x")])], diff_ids=["sha256:" + "1" * 64]))
    registry.push(made, "team/diff:1")
    with pytest.raises(IntegrityError, match="other content"):
        fetch(f"oci:{registry.address}/team/diff:1")
