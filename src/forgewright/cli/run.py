"""`run`, `resume`, `fork`, `replay`: what executes a job in this process, shown while it goes on."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forgewright.core.errors import UsageError
from forgewright.core.ids import RunId

if TYPE_CHECKING:
    from forgewright.cli.live import View
    from forgewright.cli.settings import Settings
    from forgewright.runtime.engine import Engine
    from forgewright.runtime.execution import Outcome
    from forgewright.swarm.job import JobOptions

_EXAMPLES = """\
examples:
  forgewright run "Add an endpoint GET /orders/{id} with tests" --model anthropic:claude-…
  forgewright run "Port the parser to dataclasses" --repo ~/code/tool --model openai:gpt-… --money 2
  forgewright run "Fix the failing test" --model ollama:qwen3-coder --tests "python3 -m pytest -q"
  forgewright run "…" --model openai:local --base-url http://127.0.0.1:8000/v1

The run works on its own copy of the repository; your files stay as they are until: forgewright apply RUN
"""


def register(subparsers: Any) -> None:
    raw = argparse.RawDescriptionHelpFormatter
    run = subparsers.add_parser(
        "run", help="reach a goal in a repository", usage="forgewright run GOAL [--repo FOLDER] [--model MODEL] …",
        description="A swarm plans, changes the code, tests it and improves it, on a copy of the repository.",
        epilog=_EXAMPLES, formatter_class=raw,
    )  # fmt: skip
    run.add_argument(
        "goal", metavar="GOAL", help="what to reach, in a sentence or more; - reads it from stdin"
    )
    run.add_argument("--repo", metavar="FOLDER", default=".", help="the repository (default: here)")
    run.add_argument("--subject", metavar="PERSON", help="the person whom the run is for: what is personal in it is sealed,"
                     " and gone after `privacy erase`")  # fmt: skip
    _model_arguments(run)
    run.add_argument("--tests", metavar="COMMAND", help="how the tests are run, where that is not found out")
    run.add_argument(
        "--attempts", type=_count, metavar="N", help="times the coder may mend failing tests (3)"
    )
    run.add_argument("--improvements", type=_count, metavar="N", help="times the refactorer is sent in (1)")
    _budget_arguments(run)

    resume = subparsers.add_parser(
        "resume", help="go on with a run that was parked or interrupted", formatter_class=raw,
        description="Goes on where the journal ends: nothing that was recorded as done is done again.",
        epilog="examples:\n  forgewright resume last\n  forgewright resume 01k9 --tokens 500000   # with a larger budget\n",
    )  # fmt: skip
    resume.add_argument("run", metavar="RUN", help="its id, the beginning of its id, or: last")
    _model_arguments(resume)
    _budget_arguments(resume)

    fork = subparsers.add_parser(
        "fork", help="a new run from any point of an old one", formatter_class=raw,
        description="The new run shares the old one's past up to record N (forgewright show RUN --records lists them).",
        epilog="examples:\n  forgewright fork 01k9@42\n  forgewright fork last@42 --model openai:gpt-…   # and another model\n",
    )  # fmt: skip
    fork.add_argument(
        "run", metavar="RUN[@N]", help="the run, and the last record that is shared (its newest)"
    )
    fork.add_argument("--no-run", dest="go", action="store_false", help="make it, and don't execute it yet")
    _model_arguments(fork)
    _budget_arguments(fork)

    replay = subparsers.add_parser(
        "replay", help="a run again, its model's answers read from the journal", formatter_class=raw,
        description="Executes the run anew, offline: same start, same answers of the model; tests are really run.",
        epilog="examples:\n  forgewright replay last\n",
    )  # fmt: skip
    replay.add_argument("run", metavar="RUN")


def _model_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("models")
    group.add_argument(
        "--model", metavar="MODEL", help="provider:name, for example anthropic:claude-…, replay:FILE"
    )
    group.add_argument(
        "--model-for", dest="models", action="append", type=_role, metavar="ROLE=MODEL",
        help="another model for planner, coder or refactorer",
    )  # fmt: skip
    group.add_argument(
        "--fallback", action="append", metavar="MODEL", help="asked when the model can't answer"
    )
    group.add_argument("--base-url", metavar="URL", help="server of an OpenAI-compatible model")


def _budget_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("budget (past a limit the run is parked, not lost)")
    group.add_argument("--tokens", type=_positive, metavar="N", help="input and output tokens together")
    group.add_argument("--money", dest="money_usd", type=_amount, metavar="USD", help="US dollars")
    group.add_argument(
        "--steps", type=_positive, metavar="N", help="model calls, tool calls, edits, commands"
    )
    group.add_argument(
        "--seconds", dest="wall_seconds", type=_amount, metavar="N", help="seconds of execution"
    )


def _role(text: str) -> str:
    from forgewright.core.config import ROLES

    role, equals, model = text.partition("=")
    if role not in ROLES or not equals or ":" not in model:
        raise argparse.ArgumentTypeError(f"ROLE=MODEL with a role of {', '.join(ROLES)}; found {text!r}")
    return text


def _positive(text: str) -> int:
    value = int(text.replace("_", ""))
    if value <= 0:
        raise argparse.ArgumentTypeError("has to be more than 0")
    return value


def _count(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 20:
        raise argparse.ArgumentTypeError("has to be from 0 to 20")
    return value


def _amount(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError("has to be more than 0")
    return value


# ── execution ────────────────────────────────────────────────────────────────────────────────────────


def run(args: argparse.Namespace) -> int:
    import asyncio

    handlers = {"run": _start, "resume": _resume, "fork": _fork, "replay": _replay}
    return asyncio.run(handlers[args.command](args))


async def _start(args: argparse.Namespace) -> int:
    from forgewright.cli import settings as cfg
    from forgewright.swarm.graph import Limits
    from forgewright.swarm.job import start_job

    repository = Path(args.repo)
    settings = cfg.load_settings(args, repository)
    models = cfg.models_of(settings.config, args)
    if "default" not in models and len(models) < 3:
        raise UsageError(
            "no model was given",
            hint="for example: --model anthropic:claude-…, openai:gpt-… or ollama:…; or set [run] model in "
            "forgewright.toml (forgewright init); forgewright doctor shows which keys are there",
        )
    goal = _goal(args.goal)
    section = settings.config.run
    limits = Limits(
        attempts=_first(args.attempts, section.max_attempts, Limits().attempts),
        improvements=_first(args.improvements, section.improvements, Limits().improvements),
    )
    base_url = args.base_url or section.base_url
    with _view(args) as view:
        async with _engine(settings, args, view, models, base_url) as engine:
            run = await start_job(
                engine,
                settings.home,
                goal,
                repository,
                limits=limits,
                sandbox=cfg.sandbox_limits_of(settings.config),
                tests=cfg.tests_of(settings.config, args),
                models=models,
                base_url=base_url,
                budget=cfg.budget_of(settings.config, args),
                tier=cfg.tier_of(settings.config),
                mounts=cfg.mounts_of(settings),
                context_tokens=settings.config.run.context_tokens,
                subject=args.subject,
            )
            outcome = await _execute(engine, settings, run, view)
    return _report(outcome, view, args)


async def _resume(args: argparse.Namespace) -> int:
    from forgewright.cli import settings as cfg
    from forgewright.cli.runs import find_run

    settings = cfg.load_settings(args)
    run = await find_run(settings.home, args.run)
    options = await _options(settings, run)
    with _view(args) as view:
        await _catch_up(settings, run, view)
        async with _engine(
            settings, args, view, _models(settings, args, options), options.base_url
        ) as engine:
            outcome = await _execute(engine, settings, run, view, budget=cfg.budget_of(settings.config, args))
    return _report(outcome, view, args)


async def _fork(args: argparse.Namespace) -> int:
    from forgewright.cli import settings as cfg
    from forgewright.cli.output import print_json, say
    from forgewright.cli.runs import find_run
    from forgewright.swarm.job import fork_job

    settings = cfg.load_settings(args)
    name, at, number = args.run.partition("@")
    if at and not number.isdigit():
        raise UsageError(
            f"{args.run!r} is no RUN@N", hint="N is the number of a record: forgewright show RUN --records"
        )
    parent = await find_run(settings.home, name)
    options = await _options(settings, parent)
    with _view(args) as view:
        async with _engine(
            settings, args, view, _models(settings, args, options), options.base_url
        ) as engine:
            run = await fork_job(engine, settings.home, parent, int(number) if number else None)
            for record in await engine.records(run):
                view.progress.observe(record)
            outcome = None
            if args.go:
                budget = cfg.budget_of(settings.config, args)
                outcome = await _execute(engine, settings, run, view, budget=budget)
    if outcome is None:
        if args.json:
            print_json({"run": run, "parent": parent})
        else:
            say(f"run {run} is forked from {parent}\n  → go on with it: forgewright resume {run}")
        return 0
    return _report(outcome, view, args)


async def _replay(args: argparse.Namespace) -> int:
    from forgewright.cli import settings as cfg
    from forgewright.cli.runs import find_run
    from forgewright.swarm.job import replay_job
    from forgewright.wiring import open_engine, replay_model

    settings = cfg.load_settings(args)
    parent = await find_run(settings.home, args.run)
    with _view(args) as view:
        policies = cfg.policies_of(settings)
        async with open_engine(settings.home, policies=policies) as reader:
            model = await replay_model(reader, parent)
        async with open_engine(
            settings.home,
            policies=policies,
            models={"default": model},
            on_record=view.on_record,
            on_delta=view.on_delta,
        ) as engine:
            run = await replay_job(engine, settings.home, parent)
            outcome = await _execute(engine, settings, run, view)
    return _report(outcome, view, args)


def _view(args: argparse.Namespace) -> View:
    from forgewright.cli.live import make_view

    return make_view(as_json=args.json)


def _engine(
    settings: Settings, args: argparse.Namespace, view: View, models: dict[str, str], base_url: str | None
) -> Engine:
    from forgewright.cli import settings as cfg
    from forgewright.cli.ask import asker
    from forgewright.wiring import open_engine

    return open_engine(
        settings.home,
        policies=cfg.policies_of(settings),
        models=models,
        fallback=cfg.fallback_of(settings.config, args),
        base_url=base_url,
        on_record=view.on_record,
        on_delta=view.on_delta,
        on_retry=view.on_retry,
        on_ask=asker(view) if sys.stdin.isatty() and not args.json else None,
    )


async def _options(settings: Settings, run: RunId) -> JobOptions:
    from forgewright.runtime.engine import Engine
    from forgewright.swarm.job import job_options

    async with Engine(home=settings.home) as engine:
        return await job_options(engine, run)


def _models(settings: Settings, args: argparse.Namespace, options: JobOptions) -> dict[str, str]:
    """The models that the run was started with, unless others are given now."""
    from forgewright.cli import settings as cfg

    if args.model or args.models:
        return {**options.models, **cfg.models_of(settings.config, args)}
    return dict(options.models)


async def _catch_up(settings: Settings, run: RunId, view: View) -> None:
    """Lets the view know what happened before, without showing it again."""
    from forgewright.runtime.engine import Engine

    async with Engine(home=settings.home) as engine:
        for record in await engine.records(run):
            view.progress.observe(record)


async def _execute(
    engine: Engine, settings: Settings, run: RunId, view: View, **options: Any
) -> Outcome[Any]:
    """Executes; Ctrl-C and SIGTERM park the run, a second one ends the process at once."""
    import asyncio

    from forgewright.swarm.job import run_job

    loop = asyncio.get_running_loop()

    def interrupt(name: str) -> None:
        engine.interrupt(run, "interrupted", name)
        for one in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(one)

    for one, name in ((signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")):
        loop.add_signal_handler(one, interrupt, name)
    watch = asyncio.create_task(_watch(engine, run, view))
    try:
        return await run_job(engine, settings.home, run, **options)
    finally:
        watch.cancel()
        for one in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(one)


async def _watch(engine: Engine, run: RunId, view: View) -> None:
    """Sees at once, also in the midst of a long command, that another process stops the run."""
    from forgewright.journal import events as ev

    last = (await engine.journal.read(run))[-1].sequence
    async for record in engine.journal.follow(run, after=last):
        if isinstance(record.event, ev.RunParked) and record.actor != "engine":
            detail = record.event.detail or f"by {record.actor}"
            engine.interrupt(run, record.event.reason, detail, recorded=True)
            if view.progress.sequence < record.sequence:
                view.on_record(record)


def _report(outcome: Outcome[Any], view: View, args: argparse.Namespace) -> int:
    """What to do next, and the exit code."""
    from forgewright.cli.exits import NOT_REACHED, OK, exit_of_parked
    from forgewright.cli.output import say

    run = outcome.run
    if outcome.status == "parked":
        if not args.json:
            say(f"\n{view.progress.meter()}")
            say(f"  → go on with it: forgewright resume {run}\n    what it has:     forgewright show {run}")
        return exit_of_parked(outcome.reason)
    verdict = getattr(outcome.state, "verdict", "passed")
    if not args.json:
        steps = [f"look at it:  forgewright diff {run}", f"take it:     forgewright apply {run}"]
        if verdict == "unchanged":
            steps = [f"what it saw: forgewright show {run}"]
        say("\n" + "\n".join(f"  → {step}" if i == 0 else f"    {step}" for i, step in enumerate(steps)))
    reached = outcome.status == "finished" and verdict == "passed"
    return OK if reached else NOT_REACHED


def _goal(text: str) -> str:
    goal = sys.stdin.read(64 << 10) if text == "-" else text
    if not goal.strip():
        raise UsageError("the goal is empty", hint='forgewright run "what to reach"')
    return goal.strip()


def _first(*values: int | None) -> int:
    return next(value for value in values if value is not None)
