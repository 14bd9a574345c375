"""Asking a model. A long conversation is journaled once: each request names the one that it continues."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from forgewright.core.errors import ContextOverflow, ModelError
from forgewright.core.ids import Digest, EffectId
from forgewright.journal import events as ev
from forgewright.models.types import Assistant, Message, Model, OnDelta, Part, Request, Response, Usage
from forgewright.policy.types import Fact
from forgewright.runtime.effect import Effect
from forgewright.runtime.effects.keep import keep_clean, keep_encoded, load
from forgewright.runtime.park import ParkSignal
from forgewright.runtime.purse import COST, TOKENS, Purse

if TYPE_CHECKING:
    from forgewright.journal.redact.cleaner import Cleaner
    from forgewright.runtime.context import Context


BYTES_PER_TOKEN = 3
"""Of a request as JSON; texts and code have more."""
OUTPUT_TOKENS_RESERVED = 1000
"""Set aside for an answer whose length the agent does not limit."""


class Head(msgspec.Struct, frozen=True, omit_defaults=True):
    """What stays the same from request to request of a conversation."""

    system: str = ""
    tools: tuple[Any, ...] = ()
    tool_choice: str = "auto"
    schema: msgspec.Raw | None = None
    temperature: float | None = None
    max_output_tokens: int | None = None
    stop: tuple[str, ...] = ()

    def of(self, request: Request, messages: tuple[Message, ...]) -> Request:
        """`request` with this head and these messages."""
        return msgspec.structs.replace(
            request,
            messages=messages,
            system=self.system,
            tools=self.tools,
            schema=self.schema,
            stop=self.stop,
        )


class Said(msgspec.Struct, frozen=True, omit_defaults=True):
    """A response as it is journaled; what the receipt says elsewhere is left out."""

    parts: tuple[Part, ...]
    stop: Literal["end", "tools", "length", "refusal"] = "end"
    model: str = ""
    """As the provider reports it, where that differs from the name it was asked under."""


def response_of(said: Said, receipt: ev.ModelAnswered, model: str = "") -> Response:
    """The response that a receipt records."""
    usage = Usage(
        receipt.input_tokens,
        receipt.output_tokens,
        receipt.cache_read_tokens,
        receipt.cache_write_tokens,
        receipt.cost_microdollars,
    )
    return Response(Assistant(said.parts), said.stop, usage, said.model or model)


class Conversation:
    """The last request of a context and its answer: what the next request most likely continues."""

    __slots__ = ("cleaner", "digest", "effect", "head", "kept", "messages", "origins", "sent", "sent_head")

    def __init__(self) -> None:
        self.effect: EffectId | None = None
        self.digest = b""
        self.head = Head()
        self.messages: tuple[Message, ...] = ()
        self.sent: tuple[Message, ...] = ()
        """The same without secrets, as the model saw them and the journal holds them."""
        self.sent_head = self.head
        self.cleaner: Cleaner | None = None
        self.origins: dict[int, tuple[Message, EffectId]] = {}
        """Identity of a message → the effect whose receipt holds it already."""
        self.kept: dict[int, tuple[Message, ev.Stored]] = {}
        """Identity of a large tool result → the blob of its receipt."""

    def continued_by(self, request: Request, head: Head, cleaner: Cleaner) -> bool:
        """Whether `request` is the last one, its answer, and something more."""
        length = len(self.messages)
        return (
            self.effect is not None
            and self.cleaner is cleaner
            and len(request.messages) >= length
            and all(a is b for a, b in zip(self.messages, request.messages, strict=False))
            and head == self.head
        )


class ModelEffect(Effect[Response]):
    """`recovery` is pure: an answer that was lost in a crash is asked for again."""

    action = "model"
    lazy = True

    def __init__(self, model: Model, request: Request) -> None:
        self.model = model
        self.request = request
        self.resource = model.name
        self.ordinal = 0

    @property
    def _name(self) -> str:
        return self.model.name.partition(":")[2]

    def facts(self) -> Mapping[str, Fact]:
        provider, _, name = self.model.name.partition(":")
        return {"provider": provider, "model": name, "tools": len(self.request.tools)}

    async def asked(self, effect: EffectId, decision: ev.Decision, context: Context) -> ev.Asked:
        request = self.request
        head = Head(
            request.system,
            request.tools,
            request.tool_choice,
            request.schema,
            request.temperature,
            request.max_output_tokens,
            request.stop,
        )
        talk = context.conversation
        if talk is None:
            talk = context.conversation = Conversation()
        cleaner = self.cleaner
        base, messages, head_json = None, request.messages, ev.NULL
        if talk.continued_by(request, head, cleaner):
            base, messages, seed = talk.effect, request.messages[len(talk.messages) :], talk.digest
        else:
            talk.cleaner, talk.sent, talk.sent_head = cleaner, (), cleaner.value(head)
            head_json = msgspec.Raw(msgspec.json.encode(talk.sent_head))
            seed = sha256(context.execution.salt + bytes(head_json)).digest()
        known = talk.origins if cleaner is context.execution.cleaner else {}  # these came through the door
        clean = tuple(m if id(m) in known else cleaner.value(m) for m in messages)
        parts = [self._part(message, mine, talk) for message, mine in zip(messages, clean, strict=True)]
        body = msgspec.json.encode(parts)
        digest = sha256(seed + body)
        talk.effect, talk.digest, talk.head, talk.messages = effect, digest.digest(), head, request.messages
        talk.sent += clean
        if talk.sent != talk.messages or talk.sent_head is not head:
            self.request = talk.sent_head.of(request, talk.sent)
        self.ordinal = context.execution.count_model_call(context.label)
        return ev.ModelAsked(
            effect,
            decision,
            self.model.name,
            Digest("sha256:" + digest.hexdigest()),
            base,
            head_json if head_json is ev.NULL else await keep_encoded(head_json, context),
            await keep_encoded(body, context),
        )

    def withhold(self, cleaner: Cleaner) -> None:
        self.cleaner = cleaner

    @staticmethod
    def _part(message: Message, clean: Message, talk: Conversation) -> Any:
        origin = talk.origins.pop(id(message), None)
        return clean if origin is None or clean is not message else origin[1]

    def matches(self, asked: ev.Asked) -> bool:
        """Whichever model was asked: a run may go on with another one. `recall` holds the request to the record."""
        return isinstance(asked, ev.ModelAsked)

    async def perform(self, key: str, context: Context) -> Response:
        effect = EffectId(key.rpartition("/")[2])
        if context.conversation is None or context.conversation.effect != effect:
            # After a crash the intent is not written again, but later requests still continue this one.
            await self.asked(effect, ev.Decision(True), context)
        on_delta = context.execution.delta_listener(context.label)
        request = msgspec.structs.replace(self.request, role=context.label, ordinal=self.ordinal)
        try:
            response = await self._respond(request, on_delta, context)
        except ContextOverflow:
            raise
        except ModelError as error:
            # The run is fine; the model is not to be had. Nothing is recorded as done, and `resume` asks again.
            detail = f"{error.message}" + (f" ({error.hint})" if error.hint else "")
            raise ParkSignal(f"model:{error.code}", detail) from error
        return response

    async def _respond(self, request: Request, on_delta: OnDelta | None, context: Context) -> Response:
        """Asks, with what the answer may cost set aside meanwhile."""
        purse = context.strand.purse
        if not purse.bounded:
            response = await self.model.respond(request, on_delta=on_delta)
            self._spend(response.usage, purse)
            return response
        tokens, cost = self._estimate(context)
        await context.strand.may_ask(tokens, cost)
        with purse.asking(tokens, cost):
            response = await self.model.respond(request, on_delta=on_delta)
            self._spend(response.usage, purse)
        return response

    @staticmethod
    def _spend(usage: Usage, purse: Purse) -> None:
        purse.debit(TOKENS, usage.input_tokens + usage.output_tokens)
        if usage.cost_microdollars:
            purse.debit(COST, usage.cost_microdollars)

    def _estimate(self, context: Context) -> tuple[int, int]:
        """Tokens and millionths of a dollar that the answer may cost, rather too many than too few."""
        from forgewright.models.prices import cost_microdollars, price_of

        known = msgspec.json.encode((self.request.system, self.request.tools, self.request.messages))
        read = len(known) // BYTES_PER_TOKEN
        written = self.request.max_output_tokens or OUTPUT_TOKENS_RESERVED
        price = price_of(self._name)
        if price is not None:
            return read + written, cost_microdollars(price, Usage(read, written))
        spent = context.execution.strand.purse.spent
        return read + written, spent[COST] * (read + written) // max(1, spent[TOKENS])

    @staticmethod
    def _remember(response: Response, effect: EffectId, context: Context) -> None:
        talk = context.conversation
        if talk is not None:
            talk.origins[id(response.message)] = (response.message, effect)

    async def answered(self, effect: EffectId, answer: Response, ms: int, context: Context) -> ev.Answered:
        self._remember(answer, effect, context)
        usage = answer.usage
        said = Said(answer.message.parts, answer.stop, answer.model if answer.model != self._name else "")
        return ev.ModelAnswered(
            effect,
            await keep_clean(said, context),
            usage.input_tokens,
            usage.output_tokens,
            usage.cache_read_tokens,
            usage.cache_write_tokens,
            usage.cost_microdollars,
            ms,
        )

    async def failed_before(self, asked: ev.Asked, context: Context) -> None:
        await self.asked(asked.effect, asked.decision, context)

    async def recall(self, asked: ev.Asked, answered: ev.Answered, context: Context) -> Response:
        assert isinstance(answered, ev.ModelAnswered)
        again = await self.asked(asked.effect, asked.decision, context)
        assert isinstance(again, ev.ModelAsked)
        assert isinstance(asked, ev.ModelAsked)
        if again.request != asked.request:
            from forgewright.core.errors import Nondeterminism

            raise Nondeterminism(
                f"on replay, effect {asked.effect} asks the model {asked.model} something else than was journaled",
                hint="a node may depend only on its state and on answers of its context",
            )
        said = await load(answered.response, Said, context)
        response = response_of(said, answered, self._name)
        self._remember(response, asked.effect, context)
        return response
