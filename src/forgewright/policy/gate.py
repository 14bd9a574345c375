"""The gate over a Cedar policy set: default deny, strongest obligation wins, errors deny.

Handles are parsed once; each action has its own small set, since Cedar's time grows with every policy it
looks at. Repeated attempts are answered from a bounded memory, keyed by the encoded attempt, in which
`1`, `true` and `"1"` differ. Deciding reads nothing but the attempt, so a remembered verdict stays true
for as long as the gate lives; another policy set is another gate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from forgewright.core.errors import ConfigError, UsageError
from forgewright.core.ids import Digest, digest
from forgewright.policy.check import read_files, require, schema
from forgewright.policy.obligations import strongest
from forgewright.policy.request import Request, Unanswerable, requests
from forgewright.policy.source import Policy
from forgewright.policy.types import Attempt, Verdict
from forgewright.policy.vocabulary import schema_text

MEMORY_MAX = 4096
"""Remembered verdicts, in each of two generations."""
KEY_BYTES_MAX = 4096
"""An attempt that is longer encoded is decided each time."""
ATTEMPT_BYTES_MAX = 4 << 20
"""A longer one is denied."""

_HERE = Path(__file__).parent
SETS = ("default", "strict")
"""Policy sets that come with the package."""

_encode = msgspec.json.Encoder(order="deterministic").encode


class CedarGate:
    """A `Gate` over a policy set, given as file name → Cedar text, and entities in Cedar's JSON form.

    Raises `ConfigError` with all mistakes of the set.
    """

    def __init__(self, texts: Mapping[str, str], entities: Sequence[Mapping[str, Any]] = ()) -> None:
        import cedarpy

        self.policies: tuple[Policy, ...] = require(texts)
        self.entities = tuple(entities)
        try:
            encoded = msgspec.json.encode(self.entities).decode()
            self.cedar_entities = cedarpy.Entities.from_json_str(encoded, schema())
        except (ValueError, TypeError) as error:
            raise ConfigError(f"the policy's entities are wrong: {error}") from error
        self.digest: Digest = digest(
            msgspec.json.encode([schema_text(), sorted(p.text for p in self.policies), encoded])
        )
        self._by_id = {policy.id: policy for policy in self.policies}
        self._sets: dict[str, Any] = {}
        self._authorize = cedarpy.is_authorized
        self._young: dict[bytes, Verdict] = {}
        self._old: dict[bytes, Verdict] = {}

    @classmethod
    def load(
        cls,
        paths: Sequence[Path | str] | str = "default",
        *,
        entities: Path | Sequence[Mapping[str, Any]] = (),
    ) -> CedarGate:
        """The named set that comes with the package, or a list of files, folders of `*.cedar` and named
        sets; entities from a JSON file or as values. Raises `ConfigError`, `NotFound`, `UsageError`."""
        if isinstance(entities, Path):
            try:
                entities = msgspec.json.decode(entities.read_bytes(), type=list[dict[str, Any]])
            except (OSError, msgspec.DecodeError) as error:
                raise ConfigError(f"the entities in {entities} can't be read: {error}") from error
        return cls(read_files(policy_paths(paths)), entities)

    def decide(self, attempt: Attempt) -> Verdict:
        try:
            key = _encode(attempt)
        except (TypeError, ValueError, RecursionError, OverflowError) as error:
            return Verdict(
                permit=False, reason=f"{attempt.action!s:.40} is denied: it can't be read: {error}"
            )
        young = self._young
        found = young.get(key)
        if found is not None:
            return found
        found = self._old.get(key) or self._decide(attempt, len(key))
        if len(key) <= KEY_BYTES_MAX:
            if len(young) >= MEMORY_MAX:
                self._old = young
                self._young = young = {}
            young[key] = found
        return found

    def policy(self, name: str) -> Policy:
        """The policy of this id. Raises `KeyError`."""
        return self._by_id[name]

    def evaluate(self, request: Request) -> tuple[bool, tuple[str, ...], tuple[str, ...]]:
        """Cedar's own answer: whether it is permitted, the determining policies, evaluation errors."""
        # Without the schema, which would check once more what `requests` has built by it.
        result = self._authorize(request.cedar(), self._set(request.action), self.cedar_entities)
        diagnostics = result.diagnostics
        names = diagnostics.id_annotations_by_reason
        by = tuple(sorted(names[reason] for reason in diagnostics.reasons))
        return result.allowed, by, tuple(diagnostics.errors)

    def _decide(self, attempt: Attempt, size_bytes: int) -> Verdict:
        try:
            if size_bytes > ATTEMPT_BYTES_MAX:
                raise Unanswerable(f"expected at most {ATTEMPT_BYTES_MAX:,} bytes; found {size_bytes:,}")
            asked = requests(attempt)
            permitted: dict[str, None] = {}
            for request in asked:
                allowed, by, errors = self.evaluate(request)
                if errors:
                    return self._denied(request, by, "a policy could not be evaluated: " + "; ".join(errors))
                if not allowed:
                    return self._denied(request, by)
                permitted.update(dict.fromkeys(by))
        except (Unanswerable, ValueError, TypeError) as error:
            reason = f"{attempt.action} {attempt.resource!r:.120} is denied: {error}"
            return Verdict(permit=False, reason=reason)
        return self._permitted(tuple(sorted(permitted)))

    def _permitted(self, by: tuple[str, ...]) -> Verdict:
        obliges = strongest(self._by_id[name].obligations for name in by)
        said = [f"a sandbox of tier {obliges.tier} or stronger"] if obliges.tier else []
        said += [f"the approval of {' and '.join(obliges.approvals)}"] if obliges.approvals else []
        said += [f"{', '.join(obliges.redact)} taken out"] if obliges.redact else []
        said += [f"consent to {', '.join(obliges.consent)}"] if obliges.consent else []
        return Verdict(
            permit=True,
            policies=by,
            tier=obliges.tier,
            approval=",".join(obliges.approvals) or None,
            redact=obliges.redact,
            consent=obliges.consent,
            limits=obliges.limits,
            reason=f"permitted by {', '.join(by)}" + (f"; obliges {', '.join(said)}" if said else ""),
        )

    def _denied(self, request: Request, by: tuple[str, ...], why: str = "") -> Verdict:
        from forgewright.policy.refusal import refusal

        reason = refusal(request, [self._by_id[name] for name in by], self.policies, why)
        return Verdict(permit=False, policies=by, reason=reason)

    def _set(self, action: str) -> Any:
        found = self._sets.get(action)
        if found is None:
            import cedarpy

            text = "\n".join(policy.text for policy in self.policies if action in policy.actions)
            found = self._sets[action] = cedarpy.PolicySet.from_str(text)
        return found


def policy_paths(paths: Sequence[Path | str] | str) -> list[Path]:
    """Files of a named set, or of a list of files, folders and named sets. Raises `UsageError`."""
    if isinstance(paths, str):
        if paths not in SETS:
            raise UsageError(
                f'expected the name of a policy set ({", ".join(SETS)}) or a list of files; found "{paths}"',
                hint=f"put files into a list: [{paths!r}]",
            )
        paths = [paths]
    if not paths:
        raise UsageError("expected at least one policy file; found none: an empty set denies everything")
    return [_HERE / f"{path}.cedar" if path in SETS else Path(path) for path in paths]
