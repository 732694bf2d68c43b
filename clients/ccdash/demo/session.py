"""The script of one session: an opening, turns until the planned size is reached, and an ending."""

from __future__ import annotations

from random import Random

from ccdash.demo.agents import Agents, OpenAgent
from ccdash.demo.clock import HOUR, iso
from ccdash.demo.plan import Job, Origin, Plan
from ccdash.demo.records import Author, Sink, uuid4
from ccdash.demo.talk import CONTEXT_LIMIT, Talk
from ccdash.demo.text import ADJECTIVES, NOUNS, VERBS, Texts, escape, sentence
from ccdash.demo.tools import Desk
from ccdash.demo.truth import Title
from ccdash.demo.turns import Starts


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
        desk = Desk(rng, texts, plan.shape, escape(plan.root), list(story.files) if story and story.files else None)
        # A short session has small files too: else one Read would be all of it.
        desk.scale = min(0.8, max(0.15, plan.size / 400_000))
        self.talk = Talk(self.author, desk, rng.choice(plan.shape.models))
        self.agents = Agents(self.talk, open_agent)
        self.starts = Starts(plan, self.talk)
        self.launched = 0
        self.prompts = list(reversed(story.prompts)) if story else []
        self.answers = list(reversed(story.answers)) if story else []
        self.jobs = list(reversed(story.jobs)) if story else []
        self.turn_ends: list[int] = []
        """Records written when each turn ended: where a fork may cut."""

    def run(self) -> None:
        if self.plan.origin is None:
            self.opening()
        else:
            self.repeat(self.plan.origin)
        while self.author.size < self.plan.size or self.prompts or self.jobs:
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
        author.wait(60 if rng.random() < 0.97 else 3600 * 6)
        self.starts.turns += 1
        if self.jobs and not self.prompts:
            self.job(self.jobs.pop())
            self.turn_ends.append(author.lines)
            return
        works = self.starts.prompt(self.prompts.pop()) if self.prompts else self.starts.any()
        if works:
            self.work()
        self.turn_ends.append(author.lines)

    def job(self, job: Job) -> None:
        """A turn in which the model does what is asked, no more and no less."""
        talk = self.talk
        if job.says.startswith("/"):
            self.starts.command(*job.says.split(" ", 1))
        else:
            self.starts.prompt(job.says)
        talk.desk.next = list(reversed(job.uses))
        while talk.desk.next:
            talk.step()
        talk.says.append(job.answer)
        talk.step(final=True)

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
