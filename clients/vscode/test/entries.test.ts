import assert from "node:assert/strict";
import { test } from "node:test";
import { folded, laidOut, named, parts, role, summary, whole } from "../src/transcript/entries";
import type { Shown } from "../src/transcript/messages";

function entry(given: Partial<Shown>): Shown {
  const none = { timestamp: null, text: "", truncated: false, model: null, tool: null, isError: false, sidechain: false };
  return { id: "e", index: 0, kind: "assistant", ...none, ...given };
}

test("who speaks, and what is folded", () => {
  const call = entry({ kind: "toolCall", tool: "Bash", text: "ls" });
  assert.deepEqual([role(call), named(call), folded(call), summary(call)], ["tool", "Bash", true, "ls"]);
  const prompt = entry({ kind: "prompt", text: "Do it" });
  assert.deepEqual([role(prompt), named(prompt), folded(prompt)], ["user", "You", false]);
  assert.equal(named(entry({ sidechain: true })), "Agent (sub-agent)");
});

test("an aside says what it is about, once", () => {
  assert.equal(summary(entry({ kind: "attachment", tool: "skill_listing", text: "two\nlines" })), "skill listing · two lines");
  assert.equal(summary(entry({ kind: "system", tool: "turn_duration", text: "turn_duration" })), "turn_duration");
});

test("prose and fenced code are told apart", () => {
  assert.deepEqual(parts("\nSee:\n\n```py\nx = 1\n\n```\nDone.\n"), [
    { code: false, text: "See:" },
    { code: true, text: "x = 1\n" },
    { code: false, text: "Done." },
  ]);
});

test("a fence that never ends holds the rest, and a longer one holds shorter ones", () => {
  assert.deepEqual(parts("~~~\na"), [{ code: true, text: "a" }]);
  assert.deepEqual(parts("````\n```\na\n```\n````"), [{ code: true, text: "```\na\n```" }]);
  assert.deepEqual(parts(""), []);
});

test("no word is lost between parts", () => {
  const text = "one\n```\ntwo\n```\nthree `four`\n~~~x\nfive\n~~~\n";
  const words = parts(text).flatMap((part) => part.text.split(/\s+/)).filter(Boolean);
  assert.deepEqual(words, ["one", "two", "three", "`four`", "five"]);
});

test("the input of a tool call is found in its record", () => {
  const record = {
    message: { content: [{ type: "tool_use", id: "t1", input: { command: "ls" } }, { id: "t2", input: { a: 1, text: "x\ny" } }] },
  };
  assert.equal(whole({ kind: "toolCall", text: "…", toolUseId: "t2" }, record, null), "a: 1\ntext:\nx\ny");
  assert.equal(whole({ kind: "toolCall", text: "kept", toolUseId: "t3" }, record, null), "kept");
});

test("a text that was cut is found in its record", () => {
  const long = "word ".repeat(1000);
  const cut = { kind: "toolResult" as const, text: `${long.slice(0, 200)}…`, toolUseId: "t" };
  assert.equal(whole(cut, { message: { content: [{ content: [{ text: long }, { text: "word word" }] }] } }, null), long);
  assert.equal(whole(cut, null, "no JSON"), "no JSON");
  assert.equal(whole(cut, {}, null), cut.text);
});

test("values are laid out with the lines they have", () => {
  assert.equal(laidOut({ old: "a\nb\n", deep: { x: [1] } }), 'old:\na\nb\n\ndeep: {\n  "x": [\n    1\n  ]\n}');
  assert.equal(laidOut("text"), "text");
});
