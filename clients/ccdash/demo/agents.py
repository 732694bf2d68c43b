"""Sub-agents: their own logs in the four layouts, and what the parent's log says of them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from ccdash.demo.clock import iso
from ccdash.demo.records import Author, Sink, api_id, uuid4
from ccdash.demo.talk import Talk
from ccdash.demo.text import escape, sentence
from ccdash.demo.tools import Desk, Use
from ccdash.demo.truth import Call

KINDS = ("Explore", "general-purpose", "Plan", "code-reviewer")


@dataclass(frozen=True)
class AgentLog:
    """A log that a sub-agent writes: `file` relative to the project folder, `side` further files beside it."""

    agent_id: str
    session_id: str
    file: str
    tool_use_id: str | None
    cwd: str
    version: str
    side: tuple[tuple[str, str], ...] = ()


OpenAgent = Callable[[AgentLog], AbstractContextManager[Sink]]


@dataclass
class Run:
    """What a parent learns of a finished agent."""

    agent_id: str
    answer: str
    ended: int
    uses: int
    output: int
    mirrors: list[str]


class Agents:
    """Starts the sub-agents of one session. `open_log` gives the sink of a new log, finished when it is left."""

    def __init__(self, parent: Talk, open_log: OpenAgent) -> None:
        self.parent = parent
        self.open_log = open_log
        self.workflow = ""
        self.journal: list[str] = []

    def call(self, size: int) -> None:
        """The parent calls an agent that writes about `size` characters."""
        talk, author, rng = self.parent, self.parent.author, self.parent.rng
        shape = author.shape
        tool_id, kind = api_id(rng, "toolu_01"), rng.choice(KINDS)
        about, prompt = f"Task of the {kind} agent", author.texts.prose.take(rng, 700)
        author.wait(5)
        message = talk.begin()
        call = Use(shape.agent_tool, f'{{"description":"{about}","prompt":"{prompt}","subagent_type":"{kind}"}}', "", "")
        uuid = talk.block(message, talk.tool_block(call, tool_id), Call(tool_id, call.name, ""), last=True)
        if shape.layout == "inline":
            run = self._inline(prompt, size)
        else:
            run = self._own_log(prompt, size, self._log(tool_id, kind, about))
        background = shape.between((2, 1, 20)) and rng.random() < 0.12
        if background:
            text = f"Async agent launched successfully.\\nagentId: {run.agent_id}"
            result = (
                f'{{"isAsync":true,"status":"async_launched","agentId":"{run.agent_id}","description":"{about}",'
                f'"prompt":"{prompt}","outputFile":"/tmp/tasks/{run.agent_id}.output"}}'
            )
            talk.result(Use(call.name, call.input, f'[{{"type":"text","text":"{text}"}}]', result), tool_id, uuid)
            return
        for number, mirror in enumerate(run.mirrors):
            author.progress(
                f'"message":{mirror},"normalizedMessages":[],"type":"agent_progress","prompt":"'
                + (prompt if number == 0 else "")
                + f'","agentId":"{run.agent_id}"',
                f"agent_{message.id}",
                tool_id,
            )
        author.at = max(author.at, run.ended)
        agent = f'"agentId":"{run.agent_id}",' if run.agent_id else ""
        text = f'{{"type":"text","text":"{run.answer}"}}'
        # totalTokens repeats what the agent's own log holds; a reader that adds it counts twice.
        result = (
            f'{{"status":"completed","prompt":"{prompt}",{agent}"content":[{text}],"totalDurationMs":23781,'
            f'"totalTokens":{run.output + 9000},"totalToolUseCount":{run.uses},'
            f'"usage":{author.usage(5, 1585, 13464, run.output)}}}'
        )
        hint = f'{text},{{"type":"text","text":"agentId: {run.agent_id} (for resuming to continue this agent\'s work)"}}'
        talk.result(Use(call.name, call.input, f"[{hint if agent else text}]", result), tool_id, uuid)

    def warm_up(self) -> None:
        """2.0.42: an agent that is started ahead, says one thing and is never asked."""
        author = self.parent.author
        log = self._log(None, "Explore", "")
        with self.open_log(log) as sink:
            self._author(sink, log).block(
                self.parent.author.message(author.shape.models[-1], 4000, 120),
                f'{{"type":"text","text":"I am ready to help. {author.texts.prose.take(author.rng, 300)}"}}',
                last=True,
            )

    def _log(self, tool_id: str | None, kind: str, about: str) -> AgentLog:
        author, rng = self.parent.author, self.parent.rng
        session, shape = author.session_id, author.shape
        number = f"{rng.getrandbits(64):016x}"
        side: tuple[tuple[str, str], ...] = ()
        link: str | None = tool_id
        if shape.layout == "beside":
            agent_id, file = number[:8], f"agent-{number[:8]}.jsonl"
        elif shape.layout == "nested":
            agent_id, file = number[:7], f"{session}/subagents/agent-{number[:7]}.jsonl"
        else:
            agent_id = f"a{number}"
            folder = f"{session}/subagents"
            meta = f'{{"agentType":"{kind}","description":"{about}","toolUseId":"{tool_id}","spawnDepth":1}}'
            if tool_id and rng.random() < 0.2:
                self.workflow = self.workflow or f"wf_{number[:8]}-{number[8:11]}"
                folder += f"/workflows/{self.workflow}"
                self.journal.append(f'{{"type":"started","key":"{number[:12]}","agentId":"{agent_id}"}}')
                self.journal.append(f'{{"type":"result","key":"{number[:12]}","agentId":"{agent_id}","result":"ok"}}')
                side = ((f"{folder}/journal.jsonl", "\n".join(self.journal) + "\n"),)
            file = f"{folder}/agent-{agent_id}.jsonl"
            side += ((f"{folder}/agent-{agent_id}.meta.json", meta),)
        return AgentLog(agent_id, session, file, link, author.cwd, shape.version, side)

    def _author(self, sink: Sink, log: AgentLog) -> Author:
        parent = self.parent.author
        author = Author(parent.rng, parent.texts, parent.shape, sink, parent.session_id, parent.at + 300)
        author.agent_id, author.sidechain, author.slug = log.agent_id, True, parent.slug
        author.place(parent.cwd, parent.branch)
        return author

    def _own_log(self, prompt: str, size: int, log: AgentLog) -> Run:
        parent = self.parent
        with self.open_log(log) as sink:
            author = self._author(sink, log)
            mirror = parent.author.shape.between((2, 1, 12), (2, 1, 81))
            talk = Talk(author, self._desk(), parent.rng.choice(parent.author.shape.models), mirror=mirror)
            author.user(f'"{prompt}"', mark="sidechainPrompt")
            if mirror:
                content = f'{{"role":"user","content":[{{"type":"text","text":"{prompt}"}}]}}'
                talk.mirrors.append(
                    f'{{"type":"user","message":{content},"uuid":"{uuid4(parent.rng)}","timestamp":"{iso(author.at)}"}}'
                )
            answer = self._work(talk, author, size)
        return Run(log.agent_id, answer, author.at, talk.uses, talk.output, talk.mirrors)

    def _inline(self, prompt: str, size: int) -> Run:
        """1.0: the agent writes into its parent's file, as a chain of its own."""
        author, last = self.parent.author, self.parent.author.last
        author.sidechain = True
        author.reshape()
        author.user(f'"{prompt}"', mark="sidechainPrompt", root=True)
        talk = Talk(author, self._desk(), self.parent.model)
        answer = self._work(talk, author, size)
        author.sidechain, author.last = False, last
        author.reshape()
        return Run("", answer, author.at, talk.uses, talk.output, [])

    def _desk(self) -> Desk:
        desk = Desk(self.parent.rng, self.parent.author.texts, self.parent.author.shape, self.parent.desk.root)
        desk.files, desk.scale = self.parent.desk.files, self.parent.desk.scale
        return desk

    def _work(self, talk: Talk, author: Author, size: int) -> str:
        end = author.size + size
        while author.size < end:
            talk.step()
        answer = escape(f"Here is what I found. {sentence(author.rng)} {sentence(author.rng)}")
        talk.says.append(f"Here is what I found. {sentence(author.rng)}")
        talk.step(final=True)
        return answer
