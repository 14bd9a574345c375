"""Images of a Docker Engine become images of the cache, those of the cache the engine's; who lies about content is refused."""

from __future__ import annotations

import http.server
import io
import json
import os
import socket
import socketserver
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.sandbox.docker_engine import engine

from forgewright.core.errors import IntegrityError, NotFound, SandboxError, Unavailable, UsageError
from forgewright.sandbox import Command, Mount, SandboxSpec
from forgewright.sandbox.drivers.docker import DockerDriver
from forgewright.sandbox.images import Image, fetch, find, remove, verify
from forgewright.sandbox.images.engine import EngineImages, ensure_in_engine

from .conftest import Layout, Registry, archive, tree_archive

MakeLayout = Callable[[], Layout]


@pytest.fixture
def docker(monkeypatch: pytest.MonkeyPatch) -> str:
    path = engine()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    return path


@pytest.fixture
def image(small_root: Path) -> Image:
    made = fetch(f"dir:{small_root}")
    assert made is not None
    return made


@pytest.mark.sandbox
async def test_an_image_of_the_cache_is_the_root_and_nothing_else_is(
    docker: str, image: Image, tmp_path: Path
) -> None:
    (tmp_path / "work").mkdir(mode=0o700)
    (tmp_path / "work" / "file").write_text("from the host\n")
    mount = Mount(str(tmp_path / "work"), "/opt/app/work", "cow")
    sandbox = await DockerDriver(docker).create(SandboxSpec(image=image.digest, mounts=(mount,), uid=1234))
    try:

        async def shell(script: str) -> tuple[int, bytes]:
            ended = await sandbox.run(Command(argv=("sh", "-c", script)))
            return ended.code, ended.stdout

        assert await shell("cat /opt/app/greeting /opt/app/work/file") == (
            0,
            b"hello from the image\nfrom the host\n",
        )
        assert (await shell("python3 -c 1"))[0] == 127
        assert await shell("id -u; echo $HOME; cat /etc/hostname /etc/resolv.conf; ls -A /sys /root") == (
            0,
            b"1234\n/home/sandbox\nsandbox\n/root:\n\n/sys:\n",
        )
        users = (await shell("cat /etc/passwd"))[1]
        assert b"builder:x:7:7" in users
        assert b"sandbox:x:1234:1234" in users
        for path in ("/opt/app/greeting", "/usr/new", "/etc/passwd", "/new"):
            assert (await shell(f"echo x > {path}"))[0] != 0, path
        for path in ("/tmp", "/var/tmp", "/home/sandbox", "/opt/app/work"):
            assert (await shell(f"echo x > {path}/new && cat {path}/new"))[1] == b"x\n", path
    finally:
        await sandbox.close()
    verify(image)
    assert os.listdir(tmp_path / "work") == ["file"]


def test_what_the_engine_has_is_not_sent_again_and_goes_with_the_image(docker: str, image: Image) -> None:
    images = EngineImages(docker)
    first = ensure_in_engine(image, docker)
    made = images.inspect(first)
    assert made is not None
    assert ensure_in_engine(image, docker) == first
    assert images.inspect(first) == made
    images.remove(first)  # by somebody else: it is sent again
    second = ensure_in_engine(image, docker)
    assert images.inspect(second) is not None
    remove(image)
    assert images.inspect(second) is None


def test_an_engine_that_has_something_else_is_refused(docker: str, image: Image) -> None:
    """The record says which layer was sent: what the engine has under that id must be that layer."""
    ensure_in_engine(image, docker)
    [record] = Path(image.folder).glob("engine-*.json")
    told = json.loads(record.read_text())
    told["layer"] = "sha256:" + "0" * 64
    record.write_text(json.dumps(told))
    assert ensure_in_engine(image, docker)  # is not taken at its word: sent anew
    assert json.loads(record.read_text())["layer"] != told["layer"]


def test_what_a_layer_cannot_hold_is_refused(docker: str, small_root: Path, tmp_path: Path) -> None:
    (tmp_path / "root" / "data").mkdir(parents=True)
    (tmp_path / "root" / "data" / ".wh.greeting").write_text("a file like any other")
    made = fetch(f"dir:{tmp_path / 'root'}")
    assert made is not None
    with pytest.raises(UsageError, match=r"\.wh\.greeting"):
        ensure_in_engine(made, docker)


@pytest.mark.sandbox
async def test_an_image_that_the_engine_built_is_verified_cached_and_run(
    docker: str, registry: Registry, layout: MakeLayout, small_root: Path
) -> None:
    below = tree_archive(small_root)
    above = archive(
        [("opt", None), ("opt/app", None), ("opt/app/.wh.greeting", b""), ("opt/app/new", b"new")]
    )
    made = layout()
    manifest = made.image([below, above], ["PATH=/usr/bin", "A=image"])
    made.index(manifest)
    registry.push(made, "team/docker:1")
    name = f"{registry.address}/team/docker"
    with pytest.raises(NotFound, match="docker pull"):
        fetch(f"docker:{name}:none")
    image = fetch(f"docker:{name}@{manifest['digest']}")  # the engine pulls what is pinned
    assert image is not None
    assert image.environment == {"PATH": "/usr/bin", "A": "image"}
    assert (image.tree / "opt/app/new").read_bytes() == b"new"
    assert not (image.tree / "opt/app/greeting").exists()
    known = EngineImages(docker).inspect(f"{name}@{manifest['digest']}")
    assert known is not None
    assert known["Id"] == image.digest  # an engine names images by their configuration
    assert find(f"docker:{name}@{manifest['digest']}") == image
    sandbox = await DockerDriver(docker).create(SandboxSpec(image=image.digest))
    try:
        ended = await sandbox.run(Command(argv=("sh", "-c", "echo $A; cat /opt/app/new; ls /opt/app")))
        assert ended.stdout == b"image\nnewnew\n"
    finally:
        await sandbox.close()


class _Liar(http.server.BaseHTTPRequestHandler):
    """An engine that answers what it was told to."""

    answers: dict[str, bytes] = {}

    def do_GET(self) -> None:
        found = next((body for part, body in self.answers.items() if part in self.path), None)
        self.send_response(200 if found is not None else 404)
        self.send_header("Content-Length", str(len(found or b"{}")))
        self.end_headers()
        self.wfile.write(found or b"{}")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def liar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    class Server(socketserver.ThreadingUnixStreamServer):
        def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
            return super().get_request()[0], ("engine", 0)

    server = Server(str(tmp_path / "s"), _Liar)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/s")

    def saves(layer: bytes, diff_ids: list[str], said: list[str], *, config: bytes | None = None) -> None:
        text = config or json.dumps({"rootfs": {"diff_ids": diff_ids}}).encode()
        listing = json.dumps([{"Config": "c.json", "Layers": ["l.tar"]}]).encode()
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            for name, data in (("manifest.json", listing), ("c.json", text), ("l.tar", layer)):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        known = json.dumps({"Id": "sha256:1", "RepoDigests": [], "RootFS": {"Layers": said}}).encode()
        _Liar.answers = {"/json": known, "/get": out.getvalue()}

    yield saves
    server.shutdown()
    server.server_close()


def test_lies_of_an_engine_are_found(liar: Callable[..., None]) -> None:
    from hashlib import sha256

    layer = archive([("etc", None), ("etc/file", b"x")])
    right, wrong = f"sha256:{sha256(layer).hexdigest()}", "sha256:" + "1" * 64
    liar(layer, [wrong], [wrong])
    with pytest.raises(IntegrityError, match="other content"):
        fetch("docker:app:1")
    liar(layer, [right], [wrong])
    with pytest.raises(IntegrityError, match="other layers"):
        fetch("docker:app:1")
    liar(layer, [right], [right])
    with pytest.raises(IntegrityError, match="digests none"):
        fetch(f"docker:app@{wrong}")
    liar(layer, [right, right], [right, right])
    with pytest.raises(IntegrityError, match="other layers"):
        fetch("docker:app:1")
    liar(layer, [right], [right], config=b"[]")
    with pytest.raises(SandboxError, match="configuration"):
        fetch("docker:app:1")
    liar(layer[:700], [right], [right])
    with pytest.raises((SandboxError, IntegrityError)):
        fetch("docker:app:1")
    liar(layer, [right], [right])
    assert fetch("docker:app:1") is not None


def test_without_an_engine_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")
    with pytest.raises(Unavailable, match="does not answer"):
        fetch("docker:app:1")
