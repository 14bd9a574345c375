"""A policy set as one value, for its digest and its keeping: the texts and the entities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from forgewright.core.errors import IntegrityError
from forgewright.core.ids import Digest, digest
from forgewright.policy.gate import CedarGate


class PolicyContent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    texts: Mapping[str, str]
    """File name → Cedar text."""
    entities: tuple[Mapping[str, Any], ...] = ()

    def encode(self) -> bytes:
        """The bytes whose digest is registered."""
        return msgspec.json.encode(self, order="deterministic")

    def gate(self) -> CedarGate:
        """The gate over it. Raises `ConfigError`."""
        return CedarGate(self.texts, self.entities)


def read_content(data: bytes, expected: Digest) -> PolicyContent:
    """The content of these bytes. Raises `IntegrityError` if they are not the expected ones."""
    if digest(data) != expected:
        raise IntegrityError(f"expected the policy content {expected}; found {digest(data)}", record=expected)
    try:
        return msgspec.json.decode(data, type=PolicyContent)
    except msgspec.DecodeError as error:
        raise IntegrityError(
            f"the policy content {expected} can't be read: {error}", record=expected
        ) from error
