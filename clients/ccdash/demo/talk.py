"""The model at work: API messages of several blocks, tool results, and the progress records between them."""

from __future__ import annotations

from random import Random

from ccdash.demo.records import ApiMessage, Author, api_id, uuid4
from ccdash.demo.text import NOUNS, VERBS, escape, unescape
from ccdash.demo.tools import Desk, Use
from ccdash.demo.truth import Call, Mark, Result

MOST_MIRRORS = 24
CONTEXT_LIMIT = 165_000


class Talk:
    """One conversation with a model. `context` is its length in tokens; `mirrors` collects what a parent's log would
    repeat of it (type and message, JSON)."""

    def __init__(self, author: Author, desk: Desk, model: str, *, mirror: bool = False) -> None:
        self.author = author
        self.desk = desk
        self.model = model
        self.context = 12_000 + int(author.rng.random() * 12_000)
        self.mirrors: list[str] = []
        self.mirror = mirror
        self.output = 0
        self.uses = 0
        self.says: list[str] = []
        """Texts to say instead of filler, next one last."""

    @property
    def rng(self) -> Random:
        return self.author.rng

    def say(self) -> str:
        """The text of the next text block, escaped."""
        if self.says:
            return escape(self.says.pop())
        return self.author.texts.prose.take(self.rng, self.desk.size(450, 0.9, 6000))

    def begin(self) -> ApiMessage:
        self.context = min(self.context, 195_000)
        message = self.author.message(self.model, self.context, 40 + int(self.rng.expovariate(1 / 420)))
        self.output += message.output
        self.context += message.output
        return message

    def block(self, message: ApiMessage, block: str, *facts: Call, last: bool = False) -> str:
        uuid = self.author.block(message, block, *facts, last=last)
        if self.mirror and len(self.mirrors) < MOST_MIRRORS:
            body = self.author.message_json(message, block, message.output, last and message.ends)
            self.mirrors.append(f'{{"type":"assistant",{body},"requestId":"{message.request}","uuid":"{uuid4(self.rng)}"}}')
        return uuid

    def thinking(self) -> str:
        size = self.desk.size(700, 0.9, 40_000)
        hidden = self.author.shape.between((2, 1, 77))
        text = "" if hidden else self.author.texts.prose.take(self.rng, size)
        signature = self.author.texts.blob(self.rng, 240 + (size if hidden else size // 2))
        return f'{{"type":"thinking","thinking":"{text}","signature":"{signature}"}}'

    def step(self, *, final: bool = False, steering: str = "", abandon: bool = False) -> None:
        """One API message with its tool results. `final` ends the turn with a text; `steering` is what the user typed
        meanwhile; `abandon` leaves the last call without result."""
        rng, author = self.rng, self.author
        author.wait(4)
        message = self.begin()
        blocks = [self.thinking()] if rng.random() < 0.55 else []
        if final or rng.random() < 0.4:
            blocks.append(f'{{"type":"text","text":"{self.say()}"}}')
        count = 0 if final else rng.choices((1, 2, 3), (76, 17, 7))[0]
        for number, block in enumerate(blocks, 1):
            self.block(message, block, last=not count and number == len(blocks))
            author.wait(1.5)
        waiting: list[tuple[Use, str, str]] = []
        for number in range(1, count + 1):
            use, tool_id = self.desk.use(), api_id(rng, "toolu_01")
            uuid = self.block(
                message, self.tool_block(use, tool_id), Call(tool_id, use.name, unescape(use.edits)), last=number == count
            )
            self.before(use, tool_id)
            waiting.append((use, tool_id, uuid))
            # Some results come while the message is still being written, so that its records are not adjacent.
            if rng.random() < 0.3:
                self.result(*waiting.pop(0))
        if abandon:
            waiting = waiting[:-1]
        for item in waiting:
            self.result(*item, steering=steering)
            steering = ""

    def tool_block(self, use: Use, tool_id: str) -> str:
        caller = ',"caller":{"type":"direct"}' if self.author.shape.between((2, 1, 42)) else ""
        return f'{{"type":"tool_use","id":"{tool_id}","name":"{use.name}","input":{use.input}{caller}}}'

    def before(self, use: Use, tool_id: str) -> None:
        """What the program writes between a call and its result."""
        rng, author = self.rng, self.author
        author.wait(0.5)
        if author.shape.between((2, 1, 98)):
            if rng.random() < 0.4:
                author.attachment(
                    f'"type":"hook_success","hookName":"PreToolUse:{use.name}","toolUseID":"{tool_id}","hookEvent":'
                    '"PreToolUse","content":"","stdout":"{}","stderr":"","exitCode":0,"command":"guard","durationMs":12'
                )
            return
        if rng.random() < 0.42:
            event = "PreToolUse" if rng.random() < 0.5 else "PostToolUse"
            author.progress(
                f'"type":"hook_progress","hookEvent":"{event}","hookName":"{event}:{use.name}",'
                f'"command":"hooks/{event.lower()} --quiet"',
                tool_id,
                tool_id,
            )
        if use.name == "Bash" and rng.random() < 0.3:
            for second in range(2, 2 + int(rng.expovariate(1 / 7.5))):
                output = author.texts.log.take(rng, 160)
                full = author.texts.log.take(rng, 3600) if rng.random() < 0.05 else output
                author.progress(
                    f'"type":"bash_progress","output":"{output}","fullOutput":"{full}","elapsedTimeSeconds":{second},'
                    f'"totalLines":{second * 9},"timeoutMs":120000',
                    f"bash-progress-{second - 2}",
                    tool_id,
                )
                author.wait(1)
        elif use.name == "WebSearch":
            query = f'"query":"{rng.choice(NOUNS)} {rng.choice(VERBS)}"'
            author.progress(f'"type":"query_update",{query}', "search-progress-1", tool_id)
            author.progress(f'"type":"search_results_received","resultCount":10,{query}', "search-progress-2", tool_id)
        elif use.name.startswith("mcp__"):
            author.progress(
                '"type":"mcp_progress","status":"started","serverName":"tracker","toolName":"list_issues"',
                tool_id,
                tool_id,
            )

    def result(self, use: Use, tool_id: str, assistant: str, steering: str = "") -> None:
        author = self.author
        author.wait(0.6)
        error = ',"is_error":true' if use.is_error else ',"is_error":false' if use.name == "Bash" else ""
        block = f'{{"tool_use_id":"{tool_id}","type":"tool_result","content":{use.content}{error}}}'
        facts: list[Result | Mark] = [Result(tool_id, use.is_error)]
        content = f"[{block}]"
        if steering:
            facts.append(Mark("steering", tool_id))
            content = f'[{block},{{"type":"text","text":"{escape(steering)}"}}]'
        tail = f',"toolUseResult":{use.result}'
        if author.shape.between((2, 1, 11)):
            tail += f',"sourceToolAssistantUUID":"{assistant}"'
        author.user(content, *facts, tail=tail)
        self.uses += 1
        self.context += len(use.content) // 4
        if self.mirror and len(self.mirrors) < MOST_MIRRORS:
            self.mirrors.append(
                f'{{"type":"user","message":{{"role":"user","content":[{block}]}},"uuid":"{uuid4(self.rng)}"}}'
            )
