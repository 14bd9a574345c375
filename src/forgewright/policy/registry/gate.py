"""A gate that tells the policies what the registry knows: `context.state` of models, tools and packages, and
`context.image_state` of the image that a command runs in."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from forgewright.core.ids import Digest
from forgewright.policy.registry.registry import Registry
from forgewright.policy.registry.statements import Subject
from forgewright.policy.types import Attempt, Gate, Verdict

_SUBJECTS: Mapping[str, Subject] = {"model": "model", "tool": "tool", "install": "dependency"}


class RegisteredGate:
    """A `Gate` before another. The attempt's fact `digest` says which content is meant; a thing whose
    content is not the approved one is `suspended`, and one that nobody registered `unknown` for packages
    and nothing for models and tools, which the program itself hands over."""

    def __init__(self, gate: Gate, registry: Registry) -> None:
        self._gate = gate
        self._registry = registry
        self.digest = gate.digest

    def decide(self, attempt: Attempt) -> Verdict:
        subject = _SUBJECTS.get(attempt.action)
        if attempt.action == "exec":
            facts = {**attempt.facts, "image_state": self._image_state(attempt)}
            return self._gate.decide(msgspec.structs.replace(attempt, facts=facts))
        if subject is None:
            return self._gate.decide(attempt)
        given = attempt.facts.get("digest", "")
        version = self._registry.version(subject, attempt.resource)
        content = (
            Digest(given) if isinstance(given, str) and given else version.content if version else Digest("")
        )
        state = self._registry.state(subject, attempt.resource, content)
        if state == "unknown" and subject != "dependency":
            return self._gate.decide(attempt)
        facts = {**attempt.facts, "state": state}
        return self._gate.decide(msgspec.structs.replace(attempt, facts=facts))

    def _image_state(self, attempt: Attempt) -> str:
        """Of an image by its name; where nobody registered that, by its digest, whatever it is called."""
        name, digest = (str(attempt.facts.get(key, "")) for key in ("image", "image_digest"))
        state = self._registry.state("image", name, Digest(digest))
        if state != "unknown" or not digest:
            return state
        for (subject, _), version in self._registry.versions().items():
            if subject == "image" and version.content == digest:
                return "approved" if version.state == "in force" else version.state
        return "unknown"
