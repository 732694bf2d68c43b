"""Builders of single records: an author keeps the chain of uuids, the clock and the envelope of one log.

Lines are put together from templates, not encoded from objects, since most bytes are ready-made filler.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from ccdash.demo.clock import iso
from ccdash.demo.shapes import Shape
from ccdash.demo.text import Texts, escape
from ccdash.demo.truth import Fact, Mark, MarkKind, Message, Record

Sink = Callable[[Record], None]
_ID_LETTERS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def uuid4(rng: Random) -> str:
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def api_id(rng: Random, prefix: str) -> str:
    """An id as the API makes them: ``msg_01…``, ``req_011…``, ``toolu_01…``."""
    number = rng.getrandbits(110)
    letters = []
    for _ in range(18):
        number, index = divmod(number, 58)
        letters.append(_ID_LETTERS[index])
    return prefix + "".join(letters)


@dataclass
class ApiMessage:
    """One API message while its blocks are written. `output` is the final count, `written` how many records it has."""

    id: str
    request: str
    model: str
    input: int
    cache_read: int
    cache_write: int
    output: int
    grows: bool
    ends: bool
    written: int = 0


class Author:
    """Writes the records of one log. `at` is its clock in milliseconds, `size` counts the characters and `lines` the
    records written so far."""

    def __init__(self, rng: Random, texts: Texts, shape: Shape, sink: Sink, session_id: str, at: int) -> None:
        self.rng = rng
        self.texts = texts
        self.shape = shape
        self.sink = sink
        self.session_id = session_id
        self.at = at
        self.size = 0
        self.lines = 0
        self.last: str | None = None
        self.cwd = ""
        self.branch = ""
        self.slug = ""
        self.agent_id = ""
        self.sidechain = False
        self._head = ""
        self._progress = shape.between((2, 1, 11), (2, 1, 81))

    def place(self, cwd: str, branch: str) -> None:
        """Where the following records are written from."""
        self.cwd, self.branch = cwd, branch
        self.reshape()

    def reshape(self) -> None:
        """Render the envelope anew, after one of its fields has changed."""
        shape = self.shape
        self._head = (
            f'"isSidechain":{"true" if self.sidechain else "false"},"userType":"external",'
            + ('"entrypoint":"cli",' if shape.between((2, 1, 77)) else "")
            + f'"cwd":"{escape(self.cwd)}","sessionId":"{self.session_id}",'
            + (f'"session_id":"{self.session_id}",' if shape.between((2, 1, 231)) else "")
            + f'"version":"{shape.version}","gitBranch":"{self.branch}",'
            + (f'"agentId":"{self.agent_id}",' if self.agent_id else "")
            + (f'"slug":"{self.slug}",' if self.slug and shape.between((2, 0, 64), (2, 1, 109)) else "")
        )

    def wait(self, seconds: float) -> None:
        """Let about `seconds` pass."""
        self.at += int(1000 * seconds * (0.4 + 1.2 * self.rng.random())) + 1

    def emit(self, record: Record) -> None:
        """Write a record as it is."""
        self.size += len(record.line) + 1
        self.lines += 1
        self.sink(record)

    def bare(self, line: str, at: int | None = None, *facts: Fact) -> None:
        """A line without envelope."""
        self.emit(Record(line, at, facts))

    def record(
        self,
        body: str,
        *facts: Fact,
        mark: MarkKind | None = None,
        text: str = "",
        late: int = 0,
        root: bool = False,
        tail: str = "",
    ) -> str:
        """A record with envelope around `body`; returns its uuid. `late` puts its time that many ms back, `root` starts
        a new chain, `mark` states what the record is, `tail` are fields after the timestamp, with a leading comma."""
        uuid = uuid4(self.rng)
        parent = "null" if root or self.last is None else f'"{self.last}"'
        at = self.at - late
        if mark is not None:
            facts = (*facts, Mark(mark, uuid, text))
        line = f'{{"parentUuid":{parent},{self._head}{body},"uuid":"{uuid}","timestamp":"{iso(at)}"{tail}}}'
        self.emit(Record(line, at, facts))
        self.last = uuid
        return uuid

    # --- what people and the program say ---

    def user(
        self,
        content: str,
        *facts: Fact,
        extra: str = "",
        tail: str = "",
        mark: MarkKind | None = None,
        text: str = "",
        root: bool = False,
    ) -> str:
        """A user record; `content` is JSON (a string or a list), `extra` further fields with a leading comma."""
        body = f'"type":"user","message":{{"role":"user","content":{content}}}{extra}'
        return self.record(body, *facts, mark=mark, text=text, root=root, tail=tail)

    def system(self, subtype: str, fields: str, *, mark: MarkKind | None = None, root: bool = False) -> str:
        return self.record(f'"type":"system","subtype":"{subtype}",{fields}', mark=mark, root=root)

    def attachment(self, body: str, *, mark: MarkKind | None = None) -> str:
        return self.record(f'"attachment":{{{body}}},"type":"attachment"', mark=mark)

    def progress(self, data: str, tool_use_id: str, parent: str) -> None:
        """A progress record, where this version writes them; one in ten is written late."""
        if self._progress:
            body = f'"type":"progress","data":{{{data}}},"toolUseID":"{tool_use_id}","parentToolUseID":"{parent}"'
            self.record(body, late=int(self.rng.random() * 4000) if self.rng.random() < 0.1 else 0)

    # --- what the model says ---

    def message(self, model: str, context: int, output: int) -> ApiMessage:
        """Begin an API message over `context` tokens that will end with `output` tokens."""
        rng, shape = self.rng, self.shape
        write = min(context, 200 + int(rng.expovariate(1 / 2500)))
        ends = shape.between((2, 1, 59)) or (not shape.between((2, 1, 11)) and rng.random() < 0.25)
        if not ends:
            output = 1 + int(rng.random() * (12 if shape.between((2, 1, 11)) else output / 4 + 2))
        return ApiMessage(
            id=api_id(rng, "msg_01"),
            request=api_id(rng, "req_011"),
            model=model,
            input=1 + int(rng.random() * 12),
            cache_read=context - write,
            cache_write=write,
            output=output,
            grows=rng.random() < 0.25,
            ends=ends,
        )

    def block(self, message: ApiMessage, block: str, *facts: Fact, last: bool = False) -> str:
        """One record of `message` that holds `block`; the last one carries the final figures."""
        message.written += 1
        output = message.output if last or not message.grows else min(message.output, 1 + message.written * 3)
        final = last and message.ends
        body = self.message_json(message, block, output, final)
        known = Message(
            message.id,
            message.request,
            message.model,
            message.input,
            output,
            message.cache_read,
            message.cache_write,
            final,
        )
        return self.record(f'{body},"requestId":"{message.request}","type":"assistant"', known, *facts)

    def message_json(self, message: ApiMessage, block: str, output: int, final: bool) -> str:
        """The ``"message":{…}`` field of an assistant record."""
        stop = '"end_turn"' if final and '"tool_use"' not in block else '"tool_use"' if final else "null"
        return (
            f'"message":{{"model":"{message.model}","id":"{message.id}","type":"message","role":"assistant",'
            f'"content":[{block}],"stop_reason":{stop},"stop_sequence":null,'
            f'"usage":{self.usage(message.input, message.cache_write, message.cache_read, output)}}}'
        )

    def usage(self, input_tokens: int, write: int, read: int, output: int) -> str:
        """A usage object with the keys that this version has."""
        shape = self.shape
        hour = write if shape.between((2, 1, 20)) else 0
        text = (
            f'{{"input_tokens":{input_tokens},"cache_creation_input_tokens":{write},"cache_read_input_tokens":{read},'
            f'"cache_creation":{{"ephemeral_5m_input_tokens":{write - hour},"ephemeral_1h_input_tokens":{hour}}},'
            f'"output_tokens":{output},"service_tier":"standard"'
        )
        if shape.between((2, 1, 20)):
            text += ',"inference_geo":"not_available"'
        if shape.between((2, 1, 81)):
            text += ',"server_tool_use":{"web_search_requests":0,"web_fetch_requests":0},"iterations":[],"speed":"standard"'
        if shape.between((2, 1, 231)):
            text += f',"output_tokens_details":{{"thinking_tokens":{output // 3}}}'
        return text + "}"

    def api_error(self, text: str) -> str:
        """A local ``<synthetic>`` message: no request, no usage."""
        body = (
            f'"message":{{"id":"{uuid4(self.rng)}","container":null,"model":"<synthetic>","role":"assistant",'
            '"stop_reason":"stop_sequence","stop_sequence":"","type":"message","usage":{"input_tokens":0,'
            '"output_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"server_tool_use":'
            '{"web_search_requests":0,"web_fetch_requests":0},"service_tier":null,"cache_creation":'
            '{"ephemeral_1h_input_tokens":0,"ephemeral_5m_input_tokens":0}},'
            f'"content":[{{"type":"text","text":"{escape(text)}"}}],"context_management":null}},'
            '"error":"unknown","isApiErrorMessage":true,"type":"assistant"'
        )
        return self.record(body, mark="synthetic")
