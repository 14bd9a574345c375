"""What an agent's requests hold: previews of large results, and summaries of old turns, and never too much."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from tests.runtime.scripted import Reply, Scripted, results

from forgewright import Agent, Context, Engine, Outcome, Request, Response, tool
from forgewright.agent.agent import AgentState
from forgewright.agent.context.options import WindowOptions
from forgewright.core.errors import ContextOverflow, ModelOverloaded
from forgewright.journal import events as ev
from forgewright.models.types import Assistant, Text, ToolResult, User


@tool(recovery="pure")
def echo(text: str, times: int = 1) -> str:
    """Say it back."""
    return text * times


class Small(Scripted):
    """A model that takes so many characters, and says so when there are more."""

    def __init__(self, script: object, chars: int, *, tokens: int | None = None) -> None:
        super().__init__(script)  # type: ignore[arg-type]
        self.chars = chars
        self.context_tokens = tokens  # type: ignore[assignment]
        self.turns = 0
        self.overflows = 0
        self.summaries: list[Request] = []
        self.fail_summaries = False

    async def respond(self, request: Request, **options: object) -> Response:
        if request.role.endswith(".summary"):
            self.summaries.append(request)
            if self.fail_summaries:
                raise ModelOverloaded("no")
            return Response(Assistant((Text("a summary"),)))
        if sum(len(text_of(m)) for m in request.messages) > self.chars:
            self.overflows += 1
            raise ContextOverflow("the request has too many tokens")
        self.turns += 1
        return await super().respond(request)


def text_of(message: object) -> str:
    text = getattr(message, "text", "")
    calls = "".join(call.arguments for call in getattr(message, "calls", ()))
    return text + calls


async def run(agent: Agent, model: Scripted, prompt: str = "go") -> Outcome[AgentState]:
    async with Engine(model=model) as engine:
        return await agent.run(prompt, engine)


def pages(count: int, chars: int = 4_000) -> object:
    """Asks for so many results, each of so many characters, then answers."""

    def script(request: Request) -> Reply:
        turn = model_turn[0] = model_turn[0] + 1
        return [("echo", {"text": f"{turn:05}" * (chars // 5)})] if turn <= count else "done"

    model_turn = [0]
    return script


@pytest.mark.parametrize("fail", [False, True])
async def test_a_conversation_that_overflows_is_shortened_and_goes_on(fail: bool) -> None:
    model = Small(pages(20), 30_000)
    model.fail_summaries = fail
    outcome = await run(Agent("a", tools=[echo]), model, "Keep to the RULE.")
    assert outcome.state.answer == "done", outcome.detail
    assert model.overflows >= 1
    last = model.requests[-1].messages
    assert last[0] == User("Keep to the RULE.")
    assert results(model.requests[-1])[-1] == "00020" * 800, "the newest is whole"


async def test_a_result_that_is_too_large_is_set_aside_and_can_be_read_in_parts() -> None:
    whole = "".join(f"line {n} {'x' * 50}\n" for n in range(2_000)) + "needle at the end"

    @tool(recovery="pure")
    def fetch() -> str:
        """Get it."""
        return whole

    def script(request: Request) -> Reply:
        told = results(request)
        if not told:
            return [("fetch", {})]
        handle = told[0].split('read_result(result="')[1][:12]
        calls: list[Reply] = [
            [("read_result", {"result": handle, "start_line": 1000, "end_line": 1001})],
            [("read_result", {"result": handle, "pattern": "NEEDLE"})],
            [("read_result", {"result": handle, "start_byte": len(whole) - 6})],
            [("read_result", {})],
            [("read_result", {"result": "0" * 12})],
        ]
        return calls[len(told) - 1] if len(told) <= len(calls) else "end"

    model = Scripted(script)
    assert (await run(Agent("a", tools=[fetch]), model)).state.answer == "end"
    preview, lines, found, tail, listed, unknown = results(model.requests[-1])
    assert len(preview) < 2_100
    assert preview.startswith("line 0 ")
    assert preview.endswith("needle at the end")
    assert lines.startswith("1000: line 999 x")
    assert "\n1001: line 1000 x" in lines
    assert "2,001 lines in all; start_line=1002 reads on" in lines
    assert found == "2001: needle at the end"
    assert tail.startswith("he end\n[bytes ")
    assert listed.startswith("1: - ")
    assert "fetch (" in listed
    assert "no result '000000000000' was set aside" in unknown


async def test_a_large_result_is_stored_once(tmp_path: object) -> None:
    model = Scripted(
        lambda request: "end" if results(request) else [("echo", {"text": "abcdefgh", "times": 20_000})]
    )
    async with Engine(model=model) as engine:
        outcome = await Agent("a", tools=[echo]).run("go", engine)
        records = await engine.records(outcome.run)
        answered = [r.event for r in records if isinstance(r.event, ev.ToolAnswered)]
        (stored,) = [event.result for event in answered]
        assert isinstance(stored, ev.Stored)
        assert list(await engine.journal.store.blobs.digests()) == [stored.blob]


async def test_what_middleware_made_of_a_result_is_kept_for_reading(tmp_path: object) -> None:
    from forgewright import Middleware, ToolCall

    class Longer(Middleware):
        async def after_tool(self, tool_call: ToolCall, result: ToolResult, context: Context) -> ToolResult:
            if tool_call.name != "echo":
                return result
            return msgspec.structs.replace(result, text=result.text + "and more " * 4_000)

    def script(request: Request) -> Reply:
        told = results(request)
        if not told:
            return [("echo", {"text": "short "})]
        if len(told) == 1:
            return [
                ("read_result", {"result": told[0].split('read_result(result="')[1][:12], "start_byte": 0})
            ]
        return "end"

    model = Scripted(script)
    async with Engine(model=model) as engine:
        await Agent("a", tools=[echo], middleware=[Longer()]).run("go", engine)
        from forgewright.journal.garbage import collect

        assert (await collect(engine.journal, older_than_seconds=0.0)).removed == 0, "the record names it"
    assert results(model.requests[-1])[1].startswith("short and more and more")


async def test_the_summary_is_asked_of_its_own_model_and_continues_the_last_one() -> None:
    model = Small(pages(60, 3_000), 1_000_000, tokens=16_000)
    cheap = Small(lambda request: "x", 1_000_000)
    async with Engine(model=model, models={"a.summary": cheap}) as engine:
        await Agent("a", tools=[echo], window=WindowOptions(keep_turns=2)).run("RULE", engine)
    assert model.overflows == 0
    assert not model.summaries
    assert len(cheap.summaries) >= 2
    assert "Summary of what came before:\na summary" in text_of(cheap.summaries[1].messages[0])


async def test_what_a_person_said_gives_way_only_when_nothing_else_is_left() -> None:
    model = Small(pages(6, 2_000), 9_000)
    said = "Do this: " + "and that, " * 700 + "and never X."
    outcome = await run(Agent("a", tools=[echo]), model, said)
    assert outcome.state.answer == "done", outcome.detail
    assert all(request.messages[0] == User(said) for request in model.requests)
    model = Small(pages(3, 2_000), 6_000)
    outcome = await run(Agent("a", tools=[echo]), model, said)
    assert outcome.state.answer == "done", outcome.detail
    short = text_of(model.requests[-1].messages[0])
    assert short.startswith("Do this: ")
    assert short.endswith("and never X.")
    assert "read_result" in short


async def test_instructions_that_alone_do_not_fit_are_said_to_be_the_reason() -> None:
    class Tiny(Scripted):
        async def respond(self, request: Request, **options: object) -> Response:
            raise ContextOverflow("maximum context length is 600 tokens")

    outcome = await run(Agent("a", "word " * 5_000, tools=[echo]), Tiny(lambda request: ""))
    assert outcome.reason == "error:context_overflow"
    assert "nothing is left to leave out: instructions and tools have about" in outcome.detail
    assert "a larger context" in outcome.detail


async def test_a_person_s_answer_and_the_plan_survive_in_the_summary() -> None:
    from forgewright.agent.builtin.plan import write_plan

    @tool(recovery="pure")
    async def ask_owner(question: str, context: Context) -> str:
        """Ask."""
        return await context.ask(question)

    turn = 0

    def script(request: Request) -> Reply:
        nonlocal turn
        turn += 1
        if turn == 1:
            return [("ask_owner", {"question": "Which colour?"})]
        if turn == 2:
            return [("write_plan", {"steps": [{"title": "paint it", "status": "in_progress"}]})]
        return [("echo", {"text": f"{turn:04}" * 800})] if turn < 40 else "done"

    async def owner(*_: object) -> str:
        return "blue, and nothing else"

    model = Small(script, 10**9, tokens=12_000)
    async with Engine(model=model, on_question=owner) as engine:
        outcome = await Agent("a", tools=[echo, ask_owner, write_plan]).run("go", engine)
    assert outcome.state.answer == "done"
    summary = text_of(model.requests[-1].messages[1])
    assert "earlier turns were left out" in summary
    assert "Which colour?" in summary
    assert "answered: blue, and nothing else" in summary
    assert "- [in_progress] paint it" in summary


async def test_two_conversations_in_one_context_do_not_share_what_was_set_aside() -> None:
    seen: list[str] = []

    def script(request: Request) -> Reply:
        told = results(request)
        if text_of(request.messages[0]) == "one":
            return "end" if told else [("echo", {"text": "secret ", "times": 9_000})]
        if told:
            seen.append(told[0])
            return "end"
        return [("read_result", {})]

    async with Engine(model=Scripted(script)) as engine:
        agent = Agent("a", tools=[echo])
        await asyncio.gather(agent.run("one", engine), agent.run("two", engine))
    assert seen == ["1: nothing was set aside yet"]


async def test_in_a_run_for_a_person_nothing_of_a_large_result_lies_open(tmp_path: object) -> None:
    from pathlib import Path

    def script(request: Request) -> Reply:
        told = results(request)
        if not told:
            return [("echo", {"text": "a very private matter ", "times": 3_000})]
        if len(told) == 1:
            return [("read_result", {"result": "echo", "pattern": "private"})]
        return "end"

    home = Path(str(tmp_path))
    model = Scripted(script)
    async with Engine(model=model, home=home) as engine:
        agent = Agent("a", tools=[echo])
        outcome = await engine.run(agent.graph, AgentState(prompt="go"), subject="ada@example.org")
        assert outcome.state.answer == "end", outcome.detail
        assert "private" in results(model.requests[-1])[1]
    open_text = [
        p for p in home.rglob("*") if p.is_file() and b"a very private matter a very" in p.read_bytes()
    ]
    assert open_text == []


async def test_a_compaction_is_shown_to_people() -> None:
    from forgewright.cli.progress import Progress

    progress, lines = Progress(), []
    model = Small(pages(40, 3_000), 10**9, tokens=12_000)
    async with Engine(model=model, on_record=lambda r: lines.extend(progress.observe(r))) as engine:
        await Agent("a", tools=[echo]).run("go", engine)
    told = [line for line in lines if "the conversation was shortened" in line.text]
    assert told
    assert told[0].detail.startswith("results")
