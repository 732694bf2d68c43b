"""Tool calls and their results, as each version writes them. Sub-agent calls are in `agents`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from random import Random

from ccdash.demo.shapes import Shape
from ccdash.demo.text import NOUNS, VERBS, Texts, escape, path, sentence


@dataclass(frozen=True)
class Use:
    """A call and what came of it, all JSON. `edits` is the path that an edit tool was called on, as JSON has it."""

    name: str
    input: str
    content: str
    result: str
    edits: str = ""
    is_error: bool = False


class Desk:
    """What a session works with: its files, its filler and its dice. `root` and all paths are as JSON has them."""

    def __init__(self, rng: Random, texts: Texts, shape: Shape, root: str, files: list[str] | None = None) -> None:
        self.rng = rng
        self.texts = texts
        self.shape = shape
        self.root = root
        self.files = [f"{root}/{name}" for name in files or sorted({path(rng) for _ in range(6 + int(rng.random() * 40))})]
        self.task = 0
        self.scale = 1.0
        self.next: list[Use] = []
        """Calls to make before any at random, next one last."""

    def size(self, median: float, sigma: float, most: int = 120_000) -> int:
        """A log-normal size in characters."""
        return min(most, int(self.rng.lognormvariate(0, sigma) * median * self.scale) + 20)

    def file(self) -> str:
        """A file of the session; the first are used most."""
        return self.files[int(self.rng.random() ** 2 * len(self.files))]

    def use(self) -> Use:
        """The next call: one that is to be made, else of a random tool of this version; one in thirty of these fails."""
        if self.next:
            return self.next.pop()
        builders, weights = _tools(self.shape)
        use = self.rng.choices(builders, cum_weights=weights)[0](self)
        return fail(self, use) if self.rng.random() < 1 / 30 else use


def fail(desk: Desk, use: Use) -> Use:
    """The same call, failed."""
    if use.name == "Bash":
        text = f"Exit code 1\\n{desk.texts.log.take(desk.rng, desk.size(600, 0.8))}"
        return Use(use.name, use.input, f'"{text}"', f'"Error: {text}"', use.edits, True)
    reason = "File has not been read yet. Read it first before writing to it." if use.edits else "File does not exist."
    return Use(use.name, use.input, f'"<tool_use_error>{reason}</tool_use_error>"', f'"Error: {reason}"', use.edits, True)


def bash(desk: Desk) -> Use:
    rng = desk.rng
    commands = ("git status --short", "make test", f"rg -n {rng.choice(NOUNS)} src", f"pytest -q tests/{rng.choice(NOUNS)}")
    command = commands[int(rng.random() * 4)] + f" && sed -n '{int(rng.random() * 300)},+40p' {desk.file()}"
    text = desk.texts.log.take(rng, desk.size(900, 1.2, 30_000))
    fields = '"interrupted":false,"isImage":false' + (',"noOutputExpected":false' if desk.shape.between((2, 1, 42)) else "")
    about = f"{rng.choice(VERBS).title()} the {rng.choice(NOUNS)}"
    return Use(
        "Bash",
        f'{{"command":"{escape(command)}","description":"{about}"}}',
        f'"{text}"',
        f'{{"stdout":"{text}","stderr":"",{fields}}}',
    )


def read(desk: Desk) -> Use:
    file = desk.file()
    numbered, first, lines = desk.texts.numbered.piece(desk.rng, desk.size(3600, 1.0))
    code = desk.texts.code
    plain = code.text[code.starts[first] : code.starts[first + lines] - 2]
    return Use(
        "Read",
        f'{{"file_path":"{file}","offset":{first + 1},"limit":{lines}}}',
        f'"{numbered}"',
        f'{{"type":"text","file":{{"filePath":"{file}","content":"{plain}","numLines":{lines},'
        f'"startLine":{first + 1},"totalLines":{first + lines + 40}}}}}',
    )


def screenshot(desk: Desk) -> Use:
    """A Read of an image: base64, twice."""
    blob = desk.texts.blob(desk.rng, desk.size(60_000, 0.8, 1_200_000) // 4 * 4)
    image = f'"type":"base64","media_type":"image/png","data":"{blob}"'
    return Use(
        "Read",
        f'{{"file_path":"{desk.root}/screenshots/{desk.rng.choice(NOUNS)}.png"}}',
        f'[{{"type":"image","source":{{{image}}}}}]',
        f'{{"type":"image","file":{{"base64":"{blob}","type":"image/png","originalSize":{len(blob) * 3 // 4}}}}}',
    )


def patch(desk: Desk, hunks: int = 1) -> tuple[str, str, str]:
    """Old text, new text, and a ``structuredPatch`` (without brackets) that says so."""
    rng, lines = desk.rng, desk.texts.code.lines
    old_text, new_text, parts, shift = [], [], [], 0
    for _ in range(hunks):
        at = int(rng.random() * (len(lines) - 80))
        context, old = lines[at : at + 3], lines[at + 3 : at + 4 + int(rng.random() * 6)]
        new = lines[at + 20 : at + 21 + int(rng.random() * 14)]
        body = '","'.join([*(f" {x}" for x in context), *(f"-{x}" for x in old), *(f"+{x}" for x in new)])
        start = 1 + int(rng.random() * 400)
        parts.append(
            f'{{"oldStart":{start},"oldLines":{len(old) + 3},"newStart":{start + shift},"newLines":{len(new) + 3},'
            f'"lines":["{body}"]}}'
        )
        shift += len(new) - len(old)
        old_text += old
        new_text += new
    return "\\n".join(old_text), "\\n".join(new_text), ",".join(parts)


def edit(desk: Desk) -> Use:
    file = desk.file()
    old, new, hunk = patch(desk)
    original = desk.texts.code.take(desk.rng, desk.size(6200, 1.0, 200_000))
    shown = desk.texts.numbered.take(desk.rng, 500)
    return Use(
        "Edit",
        f'{{"replace_all":false,"file_path":"{file}","old_string":"{old}","new_string":"{new}"}}',
        f'"The file {file} has been updated. Here\'s the result of running `cat -n` on a snippet:\\n{shown}"',
        f'{{"filePath":"{file}","oldString":"{old}","newString":"{new}","originalFile":"{original}",'
        f'"structuredPatch":[{hunk}],"userModified":false,"replaceAll":false}}',
        file,
    )


def multi_edit(desk: Desk) -> Use:
    file = desk.file()
    old, new, hunks = patch(desk, 3)
    original = desk.texts.code.take(desk.rng, desk.size(5000, 0.8))
    return Use(
        "MultiEdit",
        f'{{"file_path":"{file}","edits":[{{"old_string":"{old}","new_string":"{new}"}}]}}',
        f'"Applied 3 edits to {file}"',
        f'{{"filePath":"{file}","edits":[{{"old_string":"{old}","new_string":"{new}","replace_all":false}}],'
        f'"originalFileContents":"{original}","structuredPatch":[{hunks}],"userModified":false}}',
        file,
    )


def write(desk: Desk) -> Use:
    file = f"{desk.root}/{path(desk.rng)}"
    desk.files.append(file)
    text = desk.texts.code.take(desk.rng, desk.size(3500, 0.9))
    return Use(
        "Write",
        f'{{"file_path":"{file}","content":"{text}"}}',
        f'"File created successfully at: {file}"',
        f'{{"type":"create","filePath":"{file}","content":"{text}","structuredPatch":[],"originalFile":null}}',
        file,
    )


def grep(desk: Desk) -> Use:
    text = desk.texts.grep.take(desk.rng, desk.size(1500, 1.1, 30_000))
    lines = text.count("\\n") + 1
    return Use(
        "Grep",
        f'{{"pattern":"{desk.rng.choice(NOUNS)}","path":"{desk.root}","output_mode":"content","-n":true}}',
        f'"{text}"',
        f'{{"mode":"content","numFiles":0,"filenames":[],"content":"{text}","numLines":{lines}}}',
    )


def glob(desk: Desk) -> Use:
    names = [desk.file() for _ in range(1 + int(desk.rng.random() * 20))]
    text, quoted = "\\n".join(names), '","'.join(names)
    return Use(
        "Glob",
        f'{{"pattern":"**/*{desk.rng.choice(NOUNS)}*"}}',
        f'"{text}"',
        f'{{"filenames":["{quoted}"],"durationMs":{int(desk.rng.random() * 90)},"numFiles":{len(names)},'
        '"truncated":false}',
    )


def todo_write(desk: Desk) -> Use:
    todos = ",".join(
        f'{{"content":"{escape(sentence(desk.rng))}","status":"{state}","activeForm":"Working"}}'
        for state in ("completed", "in_progress", "pending", "pending")
    )
    return Use(
        "TodoWrite",
        f'{{"todos":[{todos}]}}',
        '"Todos have been modified successfully. Ensure that you continue to use the todo list to track your progress."',
        f'{{"oldTodos":[],"newTodos":[{todos}]}}',
    )


def task_create(desk: Desk) -> Use:
    desk.task += 1
    subject = f"{desk.rng.choice(VERBS).title()} the {desk.rng.choice(NOUNS)}"
    return Use(
        "TaskCreate",
        f'{{"subject":"{subject}","description":"{escape(sentence(desk.rng))}","activeForm":"Working"}}',
        f'"Task #{desk.task} created successfully: {subject}"',
        f'{{"task":{{"id":"{desk.task}","subject":"{subject}"}}}}',
    )


def task_update(desk: Desk) -> Use:
    number = 1 + int(desk.rng.random() * max(1, desk.task))
    return Use(
        "TaskUpdate",
        f'{{"taskId":"{number}","status":"completed"}}',
        f'"Updated task #{number} status"',
        f'{{"success":true,"taskId":"{number}","updatedFields":["status"],'
        '"statusChange":{"from":"in_progress","to":"completed"}}',
    )


def web_search(desk: Desk) -> Use:
    query = f"{desk.rng.choice(NOUNS)} {desk.rng.choice(VERBS)} best practice"
    text = desk.texts.prose.take(desk.rng, desk.size(1800, 0.5))
    return Use(
        "WebSearch",
        f'{{"query":"{query}"}}',
        f'"Web search results for query: {query}\\n{text}"',
        f'{{"query":"{query}","results":[{{"tool_use_id":"srvtoolu_01","content":[{{"title":"{query}",'
        f'"url":"https://example.org/{desk.rng.choice(NOUNS)}"}}]}},"{text}"],"durationSeconds":6.25}}',
    )


def mcp(desk: Desk) -> Use:
    text = f'[{{"type":"text","text":"{desk.texts.prose.take(desk.rng, desk.size(1200, 0.7))}"}}]'
    return Use("mcp__tracker__list_issues", f'{{"query":"{desk.rng.choice(NOUNS)}","team":"Core"}}', text, text)


def skill(desk: Desk) -> Use:
    name = desk.rng.choice(("commit", "review-branch", "write-docs", "release-notes"))
    return Use(
        "Skill",
        f'{{"skill":"{name}"}}',
        f'"Launching skill: {name}"',
        f'{{"success":true,"commandName":"{name}"}}',
    )


def tool_search(desk: Desk) -> Use:
    return Use(
        "ToolSearch",
        '{"query":"select:TaskCreate","max_results":5}',
        '[{"type":"tool_reference","tool_name":"TaskCreate"}]',
        '{"matches":["TaskCreate"],"query":"select:TaskCreate","total_deferred_tools":31}',
    )


@lru_cache(maxsize=64)
def _tools(shape: Shape) -> tuple[list[Callable[[Desk], Use]], list[int]]:
    """Tools of a version with cumulative weights: calls per 1,000 as counted in real logs."""
    table: list[tuple[Callable[[Desk], Use], int]] = [
        (bash, 265), (read, 245), (edit, 210), (grep, 108), (write, 16), (glob, 15), (web_search, 2), (mcp, 4),
        (screenshot, 3),
    ]  # fmt: skip
    if shape.between((2, 1, 17)):
        table += [(task_update, 32), (task_create, 18)]
    else:
        table += [(todo_write, 46)]
    if not shape.between((2,)):
        table += [(multi_edit, 20)]
    if shape.between((2, 0, 67)):
        table += [(skill, 7)]
    if shape.between((2, 1, 81)):
        table += [(tool_search, 8)]
    return [builder for builder, _ in table], list(accumulate(weight for _, weight in table))
