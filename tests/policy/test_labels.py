"""Paths and hosts get their labels however they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgewright.policy.labels import host_labels, normal_path, path_labels, split_host


def labels(path: str) -> set[str]:
    normal, inside = normal_path(path)
    return path_labels(normal, inside=inside)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("src/app.py", set()),
        ("./src//app.py", set()),
        ("a/../src/app.py", set()),
        (".gitignore", set()),
        (".env.example", set()),
        ("tests/test_secrets.py", set()),
        ("keys/id_rsa.pub", set()),
        (".github/ISSUE_TEMPLATE.md", set()),
        ("docs/environment.md", set()),
        (".git/config", {"git"}),
        ("sub/.git/hooks/pre-commit", {"git"}),
        (".GIT/config", {"git"}),
        (".git./config", {"git"}),
        (".git /config", {"git"}),
        (".g\u200bit/config", {"git"}),
        ("．git/config", {"git"}),
        ("git~1/config", {"git"}),
        ("x/../.git/config", {"git"}),
        (".gitmodules", {"git"}),
        (".github/workflows/ci.yml", {"ci"}),
        (".GitHub/Actions/x/action.yaml", {"ci"}),
        (".gitlab-ci.yml", {"ci"}),
        ("Jenkinsfile", {"ci"}),
        (".ci/run", {"ci"}),
        (".github/CODEOWNERS", {"ci"}),
        ("rules/own.cedar", {"policy"}),
        ("Forgewright.toml", {"policy"}),
        (".forgewright/x", {"policy"}),
        (".vscode/tasks.json", {"autorun"}),
        (".husky/pre-commit", {"autorun"}),
        (".envrc", {"autorun"}),
        (".gitattributes", {"autorun"}),
        (".env", {"secret"}),
        ("deploy/.env.production", {"secret"}),
        ("server.PEM", {"secret"}),
        (".ssh/config", {"secret"}),
        ("home/.aws/credentials", {"secret"}),
        ("id_ed25519", {"secret"}),
        ("/etc/passwd", {"outside"}),
        ("../x", {"outside"}),
        ("a/../../x", {"outside"}),
        ("", {"outside"}),
        (".", {"outside"}),
        ("~/x", {"outside"}),
        ("C:\\x", {"outside"}),
        ("..\\.git\\config", {"outside", "git"}),
        ("a\0b", {"outside"}),
    ],
)
def test_paths(path: str, expected: set[str]) -> None:
    assert labels(path) == expected


@given(st.text(max_size=60), st.sampled_from([".git/config", ".GIT/x", ".github/workflows/x.yml", "p.cedar"]))
def test_no_prefix_hides_what_a_path_is(prefix: str, path: str) -> None:
    assert labels(f"{prefix}/{path}") & {"git", "ci", "policy", "outside"}


@pytest.mark.parametrize(
    ("resource", "host", "port", "expected"),
    [
        ("packages.example:443", "packages.example", 443, set()),
        ("Packages.Example.", "packages.example", None, set()),
        ("https://user:pw@packages.example:8443/simple?x", "packages.example", 8443, set()),
        ("1.1.1.1:53", "1.1.1.1", 53, {"ip"}),
        ("localhost:80", "localhost", 80, {"private"}),
        ("db.internal", "db.internal", None, {"private"}),
        ("127.0.0.1:80", "127.0.0.1", 80, {"ip", "private"}),
        ("127.1", "127.1", None, {"ip", "private"}),
        ("0x7f000001:80", "0x7f000001", 80, {"ip", "private"}),
        ("2130706433", "2130706433", None, {"ip", "private"}),
        ("10.0.0.1", "10.0.0.1", None, {"ip", "private"}),
        ("[::1]:80", "::1", 80, {"ip", "private"}),
        ("[::ffff:127.0.0.1]:80", "::ffff:127.0.0.1", 80, {"ip", "private"}),
        ("fe80::1", "fe80::1", None, {"ip", "private"}),
        ("169.254.169.254", "169.254.169.254", None, {"ip", "metadata", "private"}),
        ("[fd00:ec2::254]:80", "fd00:ec2::254", 80, {"ip", "metadata", "private"}),
        ("[::ffff:169.254.169.254]", "::ffff:169.254.169.254", None, {"ip", "metadata", "private"}),
        ("metadata.google.internal", "metadata.google.internal", None, {"metadata", "private"}),
    ],
)
def test_hosts(resource: str, host: str, port: int | None, expected: set[str]) -> None:
    assert split_host(resource) == (host, port)
    assert host_labels(host) == expected
