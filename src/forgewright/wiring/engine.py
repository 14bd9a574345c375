"""An engine put together from a home, policies and models named by strings."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forgewright.core.ids import RunId
from forgewright.models.types import Model
from forgewright.runtime.engine import Engine
from forgewright.runtime.session import recorded_answers
from forgewright.wiring.governed import GovernedEngine
from forgewright.wiring.sandboxes import RegisteredSandboxes

if TYPE_CHECKING:
    from forgewright.journal.event import Record
    from forgewright.models.retry import OnRetry


def default_home() -> Path:
    """`$FORGEWRIGHT_HOME`, else `$XDG_DATA_HOME/forgewright`, else `~/.local/share/forgewright`."""
    named = os.environ.get("FORGEWRIGHT_HOME")
    if named:
        return Path(named).expanduser()
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser() / "forgewright"


def open_engine(
    home: Path,
    *,
    policies: Sequence[Path | str] | str = "default",
    models: Mapping[str, str | Model] | None = None,
    fallback: Sequence[str] = (),
    base_url: str | None = None,
    on_retry: OnRetry | None = None,
    **listeners: Any,
) -> Engine:
    """An engine on the durable journal of `home`, with Cedar's gate and this machine's sandboxes.

    Policies that the home's people put in force hold instead of `policies`. `models`: actor → name or model,
    `default` for all others. Raises `ConfigError` (policies), `ModelUnknown`, `ModelAuthError`.
    `on_retry` is told when a model is asked again; `listeners` are the engine's `on_…` callbacks.
    """
    from forgewright.policy.gate import CedarGate

    made = {
        actor: make_model(model, fallback, base_url, on_retry) if isinstance(model, str) else model
        for actor, model in (models or {}).items()
    }
    from forgewright.wiring.secrets import machine_secrets

    engine = GovernedEngine(
        home=home,
        gate=CedarGate.load(policies),
        sandboxes=RegisteredSandboxes(),
        model=made.pop("default", None),
        models=made,
        secrets=machine_secrets(os.environ),
        **listeners,
    )
    engine.named = policies != "default"
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        _trace(engine)
    return engine


def _trace(engine: GovernedEngine) -> None:
    """Spans of what this engine executes go to the collector that the environment names, as they end."""
    from forgewright.journal.traces.live import LiveSpans

    engine.spans = spans = LiveSpans.from_environment(os.environ)
    if spans is None:
        return
    told = engine.on_record

    def on_record(record: Record) -> None:
        spans.observe(record)
        if told is not None:
            told(record)

    engine.on_record = on_record


async def replay_model(engine: Engine, run: RunId) -> Model:
    """A model that answers as `run`'s models did."""
    from forgewright.models.drivers.replay import Line, Replay, Session

    answers = await recorded_answers(engine, run)
    session: Session = {
        actor: [(Line(response, actor),) for response in given] for actor, given in answers.items()
    }
    return Replay(session, name=f"replay:{run}")


def make_model(
    name: str,
    fallback: Sequence[str] = (),
    base_url: str | None = None,
    on_retry: OnRetry | None = None,
) -> Model:
    """The named model, retried where that helps, and after it the fallbacks in their order."""
    from forgewright.models import registry
    from forgewright.models.fallback import Fallback
    from forgewright.models.retry import Retrying

    if name.startswith("replay:"):
        return registry.make_model(name)
    chain: list[Model] = [Retrying(registry.make_model(name, base_url=base_url), on_retry=on_retry)]
    chain += [Retrying(registry.make_model(other), on_retry=on_retry) for other in fallback]
    return chain[0] if len(chain) == 1 else Fallback(chain)
