"""Names of images: what is one, and what is not."""

from __future__ import annotations

import pytest

from forgewright.core.errors import NotFound, UsageError
from forgewright.sandbox.images import ImageName, find

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("host", "host"), ("host+nodejs+ruby", "host+nodejs+ruby"), ("dir:/srv/root", "dir:/srv/root"),
        ("tar:/srv/../x.tar", "tar:/x.tar"), ("debian:ruby,git", "debian:git,ruby"), (DIGEST, DIGEST),
        ("oci:registry.example/team/app", "oci:registry.example/team/app:latest"),
        ("oci:127.0.0.1:5000/app:1.2", "oci:127.0.0.1:5000/app:1.2"),
        (f"oci:registry.example/app@{DIGEST}", f"oci:registry.example/app@{DIGEST}"),
        ("docker:app", "docker:app:latest"), ("docker:x.example:5000/a/b:1", "docker:x.example:5000/a/b:1"),
        (f"docker:library/app@{DIGEST}", f"docker:library/app@{DIGEST}"),
        (f"oci:localhost/app:1@{DIGEST}", f"oci:localhost/app:1@{DIGEST}"),
    ],
)  # fmt: skip
def test_names(text: str, same: str) -> None:
    assert str(ImageName.parse(text)) == same
    assert str(ImageName.parse(same)) == same


@pytest.mark.parametrize(
    "text",
    ["", "python", "host+", "host+../x", "dir:", "debian:", "debian:a b", "debian:--hook", "sha256:12", "oci:app",
     "oci:library/ruby:3", "oci:x.example/UPPER", "oci:x.example/a:b:c", "oci:x.example/a@sha256:1", "oci:--help/x",
     "oci:x.example/../y", "docker:", "docker:UPPER", "docker:a:b:c", "docker:../x", "docker:a@sha256:1", "docker:--all"],
)  # fmt: skip
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(UsageError):
        ImageName.parse(text)


def test_finding_never_fetches() -> None:
    assert find("host") is None
    with pytest.raises(NotFound, match="not in the cache") as caught:
        find("oci:registry.example/app:1")
    assert caught.value.hint == "forgewright sandbox image pull oci:registry.example/app:1"
