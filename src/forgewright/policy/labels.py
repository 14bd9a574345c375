"""What a path or a host is, as far as its name tells: the labels that policies speak of.

Names are compared in Unicode's compatibility form and without case, and without the trailing dots and
spaces that some file systems drop: what is denied as `.git/config` is not let through as `.GIT/config`.
"""

from __future__ import annotations

import re
from fnmatch import translate
from itertools import pairwise
from typing import TYPE_CHECKING
from unicodedata import normalize

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address


def _names(text: str) -> re.Pattern[str]:
    """One expression for all the globs."""
    return re.compile("|".join(translate(glob) for glob in text.split()))


_CI_NAMES = _names(
    """
    .gitlab-ci.y*ml .travis.y*ml azure-pipelines*.y*ml jenkinsfile* .drone.y*ml .woodpecker*.y*ml
    bitbucket-pipelines.y*ml appveyor.y*ml .appveyor.y*ml buildspec*.y*ml cloudbuild*.y*ml .cirrus.y*ml
    codeowners
    """
)
_CI_FOLDERS = frozenset((".circleci", ".buildkite", ".ci", ".forgejo", ".gitea", ".gitlab", ".woodpecker"))
_CI_GITHUB = frozenset(("workflows", "actions"))
_POLICY_NAMES = _names("*.cedar *.cedarschema forgewright.toml forgewright.policy*")
_AUTORUN_NAMES = _names(
    """
    .envrc .pre-commit-config.y*ml lefthook.y*ml .lefthook.y*ml .lefthook-local.y*ml .mise.toml
    mise.toml .tool-versions *.code-workspace .gitattributes
    """
)
_AUTORUN_FOLDERS = frozenset(
    (".vscode", ".idea", ".devcontainer", ".husky", ".githooks", ".claude", ".cursor", ".zed")
)
_SECRET_NAMES = _names(
    """
    .env .env.* *.env *.pem *.key *.p12 *.pfx *.jks *.keystore *.kdbx *.ppk *.asc id_rsa* id_dsa*
    id_ecdsa* id_ed25519* .netrc _netrc .npmrc .pypirc .htpasswd .pgpass .my.cnf .git-credentials
    credentials credentials.json credentials.toml credentials.y*ml secrets secrets.json secrets.toml
    secrets.y*ml secret.json secret.y*ml service-account*.json service_account*.json kubeconfig
    terraform.tfstate* *.tfvars wallet.dat
    """
)
_SECRET_FOLDERS = frozenset((".ssh", ".aws", ".gnupg", ".kube", ".azure", ".docker"))
_EXAMPLES = (".example", ".sample", ".template", ".dist", ".pub")
_METADATA = frozenset(
    (
        "169.254.169.254",
        "169.254.170.2",
        "fd00:ec2::254",
        "metadata.google.internal",
        "metadata",
        "100.100.100.200",
    )
)


def normal_path(path: str) -> tuple[str, bool]:
    """The path with `.`, doubled and resolvable `..` components taken out; and whether it stays inside."""
    if not path or path.startswith(("/", "~")) or "\0" in path or "\\" in path or path[1:2] == ":":
        return path, False
    parts: list[str] = []
    for part in path.split("/"):
        if part in ("", "."):
            continue
        if part == "..":
            if not parts:
                return path, False
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts), bool(parts)


def path_labels(path: str, *, inside: bool) -> set[str]:
    """Labels of a normalised path."""
    labels = set() if inside else {"outside"}
    parts = [_fold(part) for part in path.replace("\\", "/").split("/") if part]
    if not parts:
        return labels
    folders, name = parts[:-1], parts[-1]
    if ".git" in parts or name == ".gitmodules" or any(part.startswith("git~") for part in parts):
        labels.add("git")
    if (
        _CI_NAMES.match(name)
        or not _CI_FOLDERS.isdisjoint(parts)
        or any(a == ".github" and b in _CI_GITHUB for a, b in pairwise(parts))
    ):
        labels.add("ci")
    if _POLICY_NAMES.match(name) or ".forgewright" in parts:
        labels.add("policy")
    if _AUTORUN_NAMES.match(name) or not _AUTORUN_FOLDERS.isdisjoint(parts):
        labels.add("autorun")
    if not name.endswith(_EXAMPLES) and (
        _SECRET_NAMES.match(name) or not _SECRET_FOLDERS.isdisjoint(folders)
    ):
        labels.add("secret")
    return labels


def split_host(resource: str) -> tuple[str, int | None]:
    """Host in lower case and port of `host:port`, `[address]:port`, `host` or a URL."""
    rest = resource.split("://", 1)[-1].split("/", 1)[0].rsplit("@", 1)[-1]
    if rest.startswith("["):
        host, _, tail = rest[1:].partition("]")
        port = tail[1:] if tail.startswith(":") else ""
    elif rest.count(":") == 1:
        host, _, port = rest.partition(":")
    else:
        host, port = rest, ""
    number = int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else None
    return host.lower().rstrip("."), number


def host_labels(host: str) -> set[str]:
    """Labels of a host as `split_host` gives it. A name is judged by the name alone; what it resolves to
    is the egress proxy's business."""
    labels = set()
    if host in _METADATA:
        labels |= {"metadata", "private"}
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal", ".home.arpa")):
        labels.add("private")
    address = _address(host)
    if address is not None:
        labels.add("ip")
        if str(address) in _METADATA:
            labels.add("metadata")
        if not address.is_global:
            labels.add("private")
    return labels


def _address(host: str) -> IPv4Address | IPv6Address | None:
    if not host or (":" not in host and not host[-1].isdigit() and not host.startswith("0x")):
        return None
    import ipaddress
    import socket

    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        try:  # 127.1, 0x7f000001, 2130706433: what a resolver takes for an address is one here too
            return ipaddress.ip_address(socket.inet_aton(host))
        except OSError:
            return None
    mapped = getattr(found, "ipv4_mapped", None)
    return mapped or found


def _fold(part: str) -> str:
    if part.isascii():
        return part.lower().rstrip(". ") or part
    folded = normalize("NFKC", part).casefold()
    for invisible in ("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff"):  # HFS+ ignores these in names
        folded = folded.replace(invisible, "")
    return folded.rstrip(". ") or folded
