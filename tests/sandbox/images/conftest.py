"""A cache of images of each test's own, a small root file system without Python, and a registry that serves real blobs."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import shutil
import socket
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

PROGRAMS = ("sh", "cat", "ls", "env", "id", "sleep", "ps", "ln", "mkdir", "head", "rm")


def need(program: str, install: str) -> str:
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin")
    if found is None:
        message = f"{program} is not installed; run: {install}"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return str(found)


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Images are kept here; what a virtual machine boots from stays where it is made once for all tests."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("FORGEWRIGHT_IMAGES", str(folder))
    return folder


@pytest.fixture(scope="session")
def small_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shell, a few programs and their libraries: no Python, no package manager, no user but root."""
    root = tmp_path_factory.mktemp("small") / "root"
    for folder in ("usr/bin", "usr/lib", "etc", "opt/app"):
        (root / folder).mkdir(parents=True)
    for name in ("bin", "lib", "lib64"):
        (root / name).symlink_to(f"usr/{name}")
    for name in PROGRAMS:
        path = Path(need(name, "apt-get install coreutils procps")).resolve()
        shutil.copy(path, root / "usr" / "bin" / name)
        listed = subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout
        for library in re.findall(r"(/\S+) \(0x", listed):
            target = root / "usr" / library.lstrip("/").removeprefix("usr/")
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists():
                shutil.copy(library, target)
    (root / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\nbuilder:x:7:7::/:/bin/sh\n")
    (root / "etc" / "resolv.conf").symlink_to("/run/host-resolv.conf")
    (root / "opt" / "app" / "greeting").write_text("hello from the image\n")
    return root


Entry = tuple[str, bytes | str | None]
"""A path and its content: bytes of a file, a link's target, or None for a folder."""


def archive(entries: Sequence[Entry]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in entries:
            info = tarfile.TarInfo(name)
            if content is None:
                info.type, info.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(info)
            elif isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
                tar.addfile(info)
            else:
                info.size, info.mode = len(content), 0o755
                tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def tree_archive(root: Path) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for entry in sorted(root.iterdir()):
            tar.add(entry, entry.name)
    return out.getvalue()


class Layout:
    """An OCI image layout on disk (OCI image specification, image-layout.md)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "blobs" / "sha256").mkdir(parents=True)
        (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')

    def blob(self, data: bytes) -> dict[str, object]:
        digest = hashlib.sha256(data).hexdigest()
        (self.folder / "blobs" / "sha256" / digest).write_bytes(data)
        return {"digest": f"sha256:{digest}", "size": len(data)}

    def image(
        self, layers: Sequence[bytes], env: Sequence[str] = (), *, diff_ids: Sequence[str] = ()
    ) -> dict[str, object]:
        config = {
            "architecture": "amd64", "os": "linux", "config": {"Env": list(env), "Cmd": ["/bin/sh"]},
            "rootfs": {
                "type": "layers",
                "diff_ids": list(diff_ids) or [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in layers],
            },
        }  # fmt: skip
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json", **self.blob(json.dumps(config).encode()),
            },
            "layers": [
                {
                    "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
                    **self.blob(gzip.compress(layer, 1, mtime=0)),
                }
                for layer in layers
            ],
        }  # fmt: skip
        return {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            **self.blob(json.dumps(manifest).encode()),
            "platform": {"os": "linux", "architecture": "amd64"},
        }

    def index(self, *manifests: dict[str, object]) -> bytes:
        text = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.index.v1+json",
                "manifests": [
                    {**m, "annotations": {"org.opencontainers.image.ref.name": "it"}} for m in manifests
                ],
            }
        ).encode()
        (self.folder / "index.json").write_bytes(text)
        return text


class Registry:
    """A running registry on the loopback."""

    def __init__(self, port: int, folder: Path) -> None:
        self.address = f"127.0.0.1:{port}"
        self.folder = folder

    def push(self, layout: Layout, name: str) -> None:
        subprocess.run(
            ["skopeo", "--insecure-policy", "copy", "--all", "--quiet", "--dest-tls-verify=false",
             f"oci:{layout.folder}:it", f"docker://{self.address}/{name}"],
            check=True, capture_output=True, timeout=60,
        )  # fmt: skip

    def blob_file(self, digest: str) -> Path:
        value = digest.removeprefix("sha256:")
        return self.folder / "docker/registry/v2/blobs/sha256" / value[:2] / value / "data"


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    need("skopeo", "apt-get install skopeo")
    program = need("docker-registry", "apt-get install docker-registry")
    folder = tmp_path_factory.mktemp("registry")
    with socket.create_server(("127.0.0.1", 0)) as chosen:
        port = chosen.getsockname()[1]
    (folder / "config.yml").write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder}}}, delete: {{enabled: true}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'}}\n"
    )
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen([program, "serve", str(folder / "config.yml")], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert time.monotonic() < deadline, (folder / "log").read_text()
                assert process.poll() is None, (folder / "log").read_text()
        yield Registry(port, folder)
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def layout(tmp_path: Path) -> Callable[[], Layout]:
    made = iter(range(100))
    return lambda: Layout(tmp_path / f"layout{next(made)}")
