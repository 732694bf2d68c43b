"""The script of one session: an opening, turns until the planned size is reached, and an ending."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from ccdash.demo.agents import Agents, OpenAgent
from ccdash.demo.clock import HOUR, iso
from ccdash.demo.records import Author, Sink, uuid4
from ccdash.demo.shapes import Shape
from ccdash.demo.talk import CONTEXT_LIMIT, Talk
from ccdash.demo.text import ADJECTIVES, NOUNS, VERBS, Texts, escape, sentence
from ccdash.demo.tools import Desk
from ccdash.demo.truth import Record, Title

PROMPTS = (
    "Why does the {noun} {verb} twice when the {other} is {adjective}?",
    "Please {verb} the {adjective} {noun} and add tests for the {other}.",
    "{verb} {noun}, then run the tests",
    "The {noun} is slow with 10,000 {other}s. Find out why and fix it — don't touch the {adjective} part.",
    "Refactor `{noun}_{other}` so that it can {verb} without a {adjective} lock",
    "Review the diff of this branch: does the {noun} still {verb} the {other}?",
    "Write a short guide on how the {noun} and the {other} work together.\n\nKeep it below one page.",
    "ok",
    "go on",
    "yes, and also {verb} the {adjective} {other}",
)


@dataclass(frozen=True)
class Story:
    """What a session is about, where its texts shall mean something."""

    title: str
    prompts: tuple[str, ...]
    answers: tuple[str, ...]
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Origin:
    """What a fork repeats of another session. `renamed`: with its own session id, else with the old one."""

    session_id: str
    records: tuple[Record, ...]
    last: str
    renamed: bool


@dataclass
class Plan:
    """Everything that is settled before a session is written. `size` in characters, times in milliseconds."""

    session_id: str
    root: str
    branch: str
    shape: Shape
    start: int
    size: int
    agents: int = 0
    agent_size: int = 60_000
    summaries: list[tuple[str, str]] = field(default_factory=list)
    """Leaf uuid and text of summaries that stand at the top and name records of other files."""
    story: Story | None = None
    running: bool = False
    """Still being worked on: no ending."""
    origin: Origin | None = None


class Script:
    """Writes one session."""

    def __init__(self, plan: Plan, rng: Random, texts: Texts, sink: Sink, open_agent: OpenAgent) -> None:
        self.plan = plan
        self.rng = rng
        self.author = Author(rng, texts, plan.shape, sink, plan.session_id, plan.start)
        words = (rng.choice(ADJECTIVES), rng.choice(VERBS), rng.choice(NOUNS))
        self.author.slug = "-".join(words) if rng.random() < 0.95 else ""
        self.author.place(plan.root, plan.branch)
        story = plan.story
        desk = Desk(rng, texts, plan.shape, plan.root, list(story.files) if story and story.files else None)
        # A short session has small files too: else one Read would be all of it.
        desk.scale = min(0.8, max(0.15, plan.size / 400_000))
        self.talk = Talk(self.author, desk, rng.choice(plan.shape.models))
        self.agents = Agents(self.talk, open_agent)
        self.launched = 0
        self.prompts = list(reversed(story.prompts)) if story else []
        self.answers = list(reversed(story.answers)) if story else []
        self.turns = 0
        self.turn_ends: list[int] = []
        """Records written when each turn ended: where a fork may cut."""

    def run(self) -> None:
        if self.plan.origin is None:
            self.opening()
        else:
            self.repeat(self.plan.origin)
        while self.author.size < self.plan.size or self.prompts:
            self.turn()
            due = self.plan.agents * min(1.0, self.author.size / max(1, self.plan.size))
            while self.launched < int(due):
                self.launch()
        while self.launched < self.plan.agents:
            self.launch()
        if not self.plan.running:
            self.ending()

    def launch(self) -> None:
        self.launched += 1
        self.agents.call(int(self.plan.agent_size * min(12.0, self.rng.lognormvariate(-0.5, 1.0))))

    # --- opening and ending ---

    def opening(self) -> None:
        author, shape, session = self.author, self.plan.shape, self.plan.session_id
        for leaf, text in self.plan.summaries:
            author.bare(f'{{"type":"summary","summary":"{escape(text)}","leafUuid":"{leaf}"}}')
        if shape.between((2, 0, 67)) and self.rng.random() < 0.3:
            self.queue("dequeue")
        if shape.between((2, 1, 98)):
            author.bare(f'{{"type":"permission-mode","permissionMode":"acceptEdits","sessionId":"{session}"}}')
        if shape.between((2, 1, 157)):
            author.bare(f'{{"type":"mode","mode":"normal","sessionId":"{session}"}}')
        if shape.between((2, 1, 237)):
            author.bare(f'{{"type":"atis-latch","atis":"on","sessionId":"{session}"}}')
        author.progress(
            '"type":"hook_progress","hookEvent":"SessionStart","hookName":"SessionStart:startup","command":"hooks/start"',
            uuid4(self.rng),
            uuid4(self.rng),
        )
        if shape.between((2, 1, 98)):
            listing = author.texts.prose.take(self.rng, 2000)
            author.attachment('"type":"deferred_tools_delta","addedNames":["WebSearch"],"addedLines":[],"removedNames":[]')
            author.attachment(f'"type":"skill_listing","content":"{listing}","skillCount":14,"isInitial":true')
        if shape.number == (2, 0, 42) and self.rng.random() < 0.5:
            self.agents.warm_up()

    def repeat(self, origin: Origin) -> None:
        """A fork begins with the records of its origin, uuids and message ids unchanged."""
        for record in origin.records:
            line = record.line
            if origin.renamed:
                line = line.replace(origin.session_id, self.plan.session_id)
            self.author.emit(record._replace(line=line))
        self.author.last = origin.last

    def ending(self) -> None:
        author, shape, session, story = self.author, self.plan.shape, self.plan.session_id, self.plan.story
        title = story.title if story else f"{self.rng.choice(VERBS).title()} the {self.rng.choice(NOUNS)}"
        if shape.between((2, 1, 29)) and self.rng.random() < 0.15:
            number = 100 + int(self.rng.random() * 900)
            author.bare(
                f'{{"type":"pr-link","sessionId":"{session}","prNumber":{number},"prUrl":"https://github.com/example/'
                f'app/pull/{number}","prRepository":"example/app","timestamp":"{iso(author.at)}"}}',
                author.at,
            )
        if shape.between((2, 1, 112)) and (story or self.rng.random() < 0.8):
            for text in (f"Start on {title}", title):
                author.bare(
                    f'{{"type":"ai-title","sessionId":"{session}","aiTitle":"{escape(text)}"}}', None, Title("ai", text)
                )
        if shape.between((2, 1, 81)) and self.rng.random() < 0.3:
            text = f"my {title.lower()}"
            line = f'{{"type":"custom-title","customTitle":"{escape(text)}","sessionId":"{session}"}}'
            author.bare(line, None, Title("custom", text))
            author.bare(f'{{"type":"agent-name","agentName":"{escape(text)}","sessionId":"{session}"}}')
        elif shape.between((1,), (2, 1, 22)) and (story or self.rng.random() < 0.2):
            line = f'{{"type":"summary","summary":"{escape(title)}","leafUuid":"{author.last}"}}'
            author.bare(line, None, Title("summary", title))
        if shape.between((2, 1, 77)):
            line = f'{{"type":"last-prompt","lastPrompt":"go on","leafUuid":"{author.last}","sessionId":"{session}"}}'
            author.bare(line)

    # --- turns ---

    def turn(self) -> None:
        rng, author = self.rng, self.author
        self.turns += 1
        author.wait(60 if rng.random() < 0.97 else 3600 * 6)
        if self.prompts:
            works = self.prompt(self.prompts.pop())
        else:
            kinds: tuple[Callable[[], bool], ...] = (
                self.prompt, self.skill_command, self.local_command, self.bash, self.rich_prompt, self.notification,
            )  # fmt: skip
            works = rng.choices(kinds, (76, 6, 5, 3, 6, 4))[0]()
        if works:
            self.work()
        self.turn_ends.append(author.lines)

    def work(self) -> None:
        """The model works until it has an answer, an error or an interruption ends the turn."""
        rng, author, shape, talk = self.rng, self.author, self.plan.shape, self.talk
        begin = author.at
        for _ in range(1 + int(rng.expovariate(1 / 9))):
            if author.size > self.plan.size * 1.05 or author.at - begin > HOUR:
                break
            talk.step(steering=self.steering())
            if shape.between((2, 1, 231)) and rng.random() < 0.5:
                author.attachment('"type":"total_tokens_reminder","text":"Tokens used: 81234; tokens left: 118766"')
            if talk.context > CONTEXT_LIMIT:
                self.compact()
            elif shape.between((2, 1, 12), (2, 1, 22)) and rng.random() < 0.004:
                author.system(
                    "microcompact_boundary",
                    '"content":"Context microcompacted","isMeta":false,"level":"info","microcompactMetadata":{"trigger":'
                    '"auto","preTokens":58573,"tokensSaved":20801,"compactedToolIds":[],"clearedAttachmentUUIDs":[]}',
                )
        ending = rng.random()
        if ending < 0.03:
            talk.step(abandon=True)
            text = "[Request interrupted by user for tool use]"
            author.user(f'[{{"type":"text","text":"{text}"}}]', mark="interrupt")
            return
        if ending < 0.04:
            author.api_error("API Error: 529 overloaded_error. Try again later.")
            return
        if self.answers:
            talk.says.append(self.answers.pop())
        talk.step(final=True)
        if shape.between((2, 0, 64)):
            author.system(
                "stop_hook_summary",
                '"hookCount":1,"hookInfos":[{"command":"hooks/stop --all"}],"hookErrors":[],"preventedContinuation":false,'
                f'"stopReason":"","hasOutput":false,"level":"suggestion","toolUseID":"{uuid4(rng)}"',
            )
        if shape.between((2, 1, 1)):
            author.system("turn_duration", f'"durationMs":{author.at - begin},"isMeta":false')

    def compact(self) -> None:
        """The context is full: a boundary that starts a new chain, and a summary that is no prompt."""
        author = self.author
        if author.shape.between((2, 0, 67)):
            author.system(
                "compact_boundary",
                f'"logicalParentUuid":"{author.last}","content":"Conversation compacted","isMeta":false,"level":"info",'
                f'"compactMetadata":{{"trigger":"auto","preTokens":{self.talk.context}}}',
                mark="compaction",
                root=True,
            )
        text = "This session is being continued from a previous conversation that ran out of context.\\n"
        text += author.texts.prose.take(self.rng, self.talk.desk.size(9000, 0.4))
        author.user(f'"{text}"', extra=',"isVisibleInTranscriptOnly":true,"isCompactSummary":true')
        self.talk.context = 24_000

    def steering(self) -> str:
        """What the user types while the model works, in the way of the version: queued, attached, or (returned) inside
        the next tool result."""
        rng, author, shape = self.rng, self.author, self.plan.shape
        if rng.random() > (0.1 if shape.between((2, 1, 185)) else 0.012):
            return ""
        text = sentence(rng)
        if shape.between((2, 1, 185)):
            author.attachment(
                f'"type":"queued_command","prompt":"{escape(text)}","commandMode":"prompt","origin":{{"kind":"human"}},'
                f'"timestamp":"{iso(author.at)}"',
                mark="steering",
            )
        elif shape.between((2, 0, 67)):
            self.queue("enqueue", text)
            self.queue(*(("popAll", text) if rng.random() < 0.05 else ("remove",)))
            if shape.between((2, 1, 12), (2, 1, 49)) and rng.random() < 0.3:
                return text
        return ""

    def queue(self, operation: str, content: str = "") -> None:
        said = f',"content":"{escape(content)}"' if content else ""
        author = self.author
        author.bare(
            f'{{"type":"queue-operation","operation":"{operation}","timestamp":"{iso(author.at)}",'
            f'"sessionId":"{author.session_id}"{said}}}',
            author.at,
        )

    # --- what starts a turn; true when the model works on it ---

    def prompt(self, text: str = "") -> bool:
        rng, author, shape = self.rng, self.author, self.plan.shape
        if not text:
            form = PROMPTS[int(rng.random() * (len(PROMPTS) - (3 if self.turns == 1 else 0)))]
            words = {"noun": rng.choice(NOUNS), "other": rng.choice(NOUNS), "verb": rng.choice(VERBS)}
            text = form.format(adjective=rng.choice(ADJECTIVES), **words)
        self.snapshot()
        extra = ""
        if shape.between((2, 0, 64), (2, 1, 22)):
            extra += ',"thinkingMetadata":{"level":"high","disabled":false,"triggers":[]}'
        if shape.between((2, 1, 185)):
            extra += ',"promptSource":"typed","origin":{"kind":"human"}'
        if shape.between((2, 1, 37), (2, 1, 50)) and rng.random() < 0.06:
            plan = author.texts.prose.take(rng, 2500)
            text = "Implement the following plan:\n\n" + text
            author.user(f'"{escape(text)}"', extra=extra, tail=f',"planContent":"{plan}"', mark="prompt", text=text)
            return True
        author.user(f'"{escape(text)}"', extra=extra, mark="prompt", text=text)
        return True

    def rich_prompt(self) -> bool:
        """A prompt of blocks: a picture, an opened file, or plain text in a list."""
        rng, author = self.rng, self.author
        text = sentence(rng)
        block = f'{{"type":"text","text":"{escape(text)}"}}'
        form = rng.random()
        if form < 0.4:
            blob = author.texts.blob(rng, self.talk.desk.size(40_000, 0.8, 900_000) // 4 * 4)
            source = f'{{"type":"base64","media_type":"image/png","data":"{blob}"}}'
            content = f'[{block},{{"type":"image","source":{source}}}]'
        elif form < 0.7:
            note = f"<ide_opened_file>The user opened the file {self.talk.desk.file()} in the IDE.</ide_opened_file>"
            content = f'[{{"type":"text","text":"{note}"}},{block}]'
        else:
            content = f"[{block}]"
        author.user(content, mark="prompt", text=text)
        return True

    def skill_command(self) -> bool:
        """A custom command: its record, then its body as meta text."""
        name = self.rng.choice(("/review", "/plan", "/fix-issue", "/release"))
        tags = [f"<command-message>{name[1:]}</command-message>", f"<command-name>{name}</command-name>"]
        text = "\\n".join(tags) + "\\n<command-args>42</command-args>"
        self.author.user(f'"{text}"', mark="command", text=name)
        body = self.author.texts.prose.take(self.rng, 2200)
        self.author.user(f'[{{"type":"text","text":"{body}"}}]', extra=',"isMeta":true')
        return True

    def local_command(self) -> bool:
        """A built-in command: caveat, command, output; the model sees nothing of it."""
        author = self.author
        name = self.rng.choice(("/model", "/cost", "/context", "/mcp"))
        caveat = "Caveat: The messages below were generated by the user while running local commands."
        if author.shape.between((2, 1)):
            caveat = f"<local-command-caveat>{caveat}</local-command-caveat>"
        author.user(f'"{caveat}"', extra=',"isMeta":true')
        text = f"<command-name>{name}</command-name>\\n            <command-message>{name[1:]}</command-message>"
        text += "\\n            <command-args></command-args>"
        if author.shape.between((2, 1, 12), (2, 1, 81)) and self.rng.random() < 0.2:
            author.system("local_command", f'"content":"{text}","level":"info","isMeta":false')
        else:
            author.user(f'"{text}"', mark="command", text=name)
        author.user('"<local-command-stdout>ok</local-command-stdout>"')
        return False

    def bash(self) -> bool:
        author = self.author
        author.user('"<bash-input>git pull --rebase</bash-input>"', mark="bash")
        author.user('"<bash-stdout>Already up to date.</bash-stdout><bash-stderr></bash-stderr>"')
        return False

    def notification(self) -> bool:
        """A background task ended, or a teammate wrote; also the place where the user moves to a worktree."""
        rng, author = self.rng, self.author
        if author.shape.between((2, 1, 12)) and rng.random() < 0.3:
            tree = f"{self.plan.root}/.worktrees/{rng.choice(NOUNS)}"
            author.place(tree if author.cwd == self.plan.root else self.plan.root, author.branch)
        if author.shape.between((2, 1, 81)) and rng.random() < 0.4:
            author.user(
                f'"<teammate-message teammate_id=\\"lead\\">{sentence(rng).replace(chr(34), "")}</teammate-message>"'
            )
            return True
        text = f"<task-id>{rng.getrandbits(28):07x}</task-id>\\n<status>completed</status>"
        author.user(f'"<task-notification>\\n{text}\\n</task-notification>"')
        return True

    def snapshot(self) -> None:
        author, rng = self.author, self.rng
        if not author.shape.between((2, 0, 64)):
            return
        message = uuid4(rng)
        backup = f'{{"backupFileName":"{message[:8]}@v1","version":1,"backupTime":"{iso(author.at)}"}}'
        if author.shape.between((2, 1, 231)) and rng.random() < 0.5:
            author.bare(
                f'{{"type":"file-history-delta","messageId":"{message}","snapshotMessageId":"{uuid4(rng)}",'
                f'"trackingPath":"{self.talk.desk.file()}","backup":{backup},"timestamp":"{iso(author.at)}"}}',
                author.at,
            )
            return
        files = ",".join(f'"{name}":{backup}' for name in sorted({self.talk.desk.file() for _ in range(3)}))
        author.bare(
            f'{{"type":"file-history-snapshot","messageId":"{message}","snapshot":{{"messageId":"{message}",'
            f'"trackedFileBackups":{{{files}}},"timestamp":"{iso(author.at)}"}},"isSnapshotUpdate":false}}'
        )
