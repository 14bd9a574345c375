"""Parse and validate policy files: all mistakes at once, each with its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from forgewright.core.errors import ConfigError, NotFound
from forgewright.core.limits import CONFIG_BYTES_MAX
from forgewright.policy.source import Mistake, Policy, locate, parse
from forgewright.policy.vocabulary import schema_text

POLICIES_MAX = 5_000
"""Policies of one set."""


class Checked(msgspec.Struct, frozen=True):
    policies: tuple[Policy, ...]
    mistakes: tuple[Mistake, ...]


@lru_cache(maxsize=1)
def schema() -> Any:
    """The parsed schema handle."""
    import cedarpy

    return cedarpy.Schema.from_str(schema_text())


def read_files(paths: Sequence[Path]) -> dict[str, str]:
    """File name → text. A folder stands for its `*.cedar` files. Raises `NotFound`, `ConfigError`."""
    texts: dict[str, str] = {}
    for path in paths:
        inside = sorted(path.glob("*.cedar")) if path.is_dir() else [path]
        if not inside:
            raise NotFound(
                f"expected *.cedar files in {path}; found none", hint="name the policy file itself"
            )
        for file in inside:
            try:
                if file.stat().st_size > CONFIG_BYTES_MAX:
                    raise ConfigError(
                        f"expected a policy file of at most {CONFIG_BYTES_MAX:,} bytes; {file} is larger"
                    )
                texts[str(file)] = file.read_text("utf-8")
            except OSError as error:
                raise NotFound(f"the policy file {file} can't be read: {error.strerror}") from error
            except UnicodeDecodeError as error:
                raise ConfigError(f"the policy file {file} is not UTF-8: {error.reason}") from error
    return texts


def check(texts: Mapping[str, str]) -> Checked:
    """Parses and validates a policy set given as file name → text."""
    policies: list[Policy] = []
    mistakes: list[Mistake] = []
    seen: dict[str, Policy] = {}
    for file, text in texts.items():
        found, wrong = parse(file, text)
        mistakes += wrong
        for policy in found:
            first = seen.setdefault(policy.id, policy)
            if first is policy:
                policies.append(policy)
                continue
            mistakes.append(
                Mistake(
                    file,
                    policy.line,
                    policy.column,
                    f'expected a name of its own; "{policy.id}" is also at {first.file}:{first.line}',
                    policy.id,
                )
            )
    if len(policies) > POLICIES_MAX:
        raise ConfigError(f"expected at most {POLICIES_MAX} policies in a set; found {len(policies)}")
    mistakes += _validate(policies)
    return Checked(tuple(policies), tuple(sorted(mistakes)))


def require(texts: Mapping[str, str]) -> tuple[Policy, ...]:
    """The policies. Raises `ConfigError` with all mistakes."""
    checked = check(texts)
    if checked.mistakes:
        raise ConfigError(
            f"{len(checked.mistakes)} mistake{'s' * (len(checked.mistakes) > 1)} in the policies:\n"
            + "\n".join(f"  {mistake}" for mistake in checked.mistakes),
            hint="correct them, then run: forgewright policy check",
        )
    return checked.policies


def _validate(policies: Sequence[Policy]) -> list[Mistake]:
    if not policies:
        return []
    import cedarpy

    by_id = {policy.id: policy for policy in policies}
    result = cedarpy.validate_policies("\n".join(p.text for p in policies), schema())
    names = result.id_annotations_by_policy_id
    mistakes = []
    for error in result.errors:
        policy = by_id[names[error.policy_id]]
        message = error.error.removeprefix(f"for policy `{error.policy_id}`, ")
        mistakes.append(Mistake(policy.file, *locate(policy, message), message, policy.id))
    return mistakes
