"""Published projects to work on: source distributions and npm packages, fetched once with pip and npm."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

CACHE = Path(os.environ.get("FORGEWRIGHT_CORPUS", Path(__file__).parents[3] / "var" / "corpus"))
PYTHON = (
    "Django==5.2.19", "requests==2.32.5", "Flask==3.1.2", "jinja2==3.1.6", "attrs==25.4.0", "click==8.3.0",
    "sympy==1.14.0", "werkzeug==3.1.3", "marshmallow==4.0.1", "sqlparse==0.5.3", "more-itertools==10.8.0",
    "pyparsing==3.2.5", "packaging==25.0", "mistune==3.1.4", "boltons==25.0.0", "toolz==1.0.0", "parso==0.8.5",
    "cachetools==6.2.6", "pluggy==1.6.0", "sqlalchemy==2.0.44",
)  # fmt: skip
NPM = (
    "zod@4.1.12", "rxjs@7.8.2", "express@5.1.0", "commander@14.0.1", "effect@3.18.4", "three@0.180.0",
    "immer@10.1.3", "yargs@18.0.0", "preact@10.27.2", "@reduxjs/toolkit@2.9.0",
)  # fmt: skip
SUITES = ("asgiref==3.11.0", "cloudpickle==3.1.2", "markupsafe==3.0.3", "pretend==1.0.9", "simplejson==3.20.2",
          "sqlparse==0.5.3", "trio==0.32.0")  # fmt: skip
"""What the projects' own test suites need beside pytest."""


def packages() -> Path:
    """A folder with what the suites need, installed."""
    folder = CACHE / "packages"
    if not folder.is_dir():
        fresh = folder.with_name("packages.new")
        shutil.rmtree(fresh, ignore_errors=True)
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "-q", "--target", str(fresh), *SUITES],
            check=True,
            timeout=600,
        )
        fresh.rename(folder)
    return folder


def python(requirement: str) -> Path:
    """The folder of an unpacked source distribution."""
    name = requirement.partition("==")[0].lower()
    folder = CACHE / "python" / requirement.replace("==", "-").lower()
    if folder.is_dir():
        return folder
    archives = CACHE / "archives" / name
    archives.mkdir(parents=True, exist_ok=True)
    if not any(archives.iterdir()):
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d",
             str(archives), requirement],
            check=True,
            timeout=600,
        )  # fmt: skip
    (archive,) = archives.iterdir()
    return _unpacked(archive, folder)


def npm(requirement: str) -> Path:
    """The folder of an unpacked npm package."""
    plain = requirement.strip("@").replace("/", "-").replace("@", "-")
    folder = CACHE / "npm" / plain
    if folder.is_dir():
        return folder
    archives = CACHE / "archives" / plain
    archives.mkdir(parents=True, exist_ok=True)
    if not any(archives.iterdir()):
        subprocess.run(["npm", "pack", "--silent", requirement], cwd=archives, check=True, timeout=600)
    (archive,) = archives.iterdir()
    return _unpacked(archive, folder)


def _unpacked(archive: Path, folder: Path) -> Path:
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(fresh)
    else:
        with tarfile.open(archive) as tar:
            tar.extractall(fresh, filter="data")
    (inner,) = fresh.iterdir()
    inner.rename(folder)
    fresh.rmdir()
    return folder
