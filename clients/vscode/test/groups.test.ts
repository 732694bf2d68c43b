import assert from "node:assert/strict";
import { test } from "node:test";
import { counted, grouped, missing } from "../src/search/groups";
import type { SearchHit, TextIndex } from "../../types/protocol";

const NOW = Date.parse("2026-01-02T12:00:00.000Z");

const HIT: SearchHit = {
  type: "entry",
  id: "0f3c9d1e-0000-4000-8000-000000000000",
  entry: "a1b2c3-0",
  title: "Round the rain",
  kind: "prompt",
  tool: null,
  timestamp: "2026-01-02T10:00:00.000Z",
  projectId: "p1",
  project: "weather-station",
  agent: "claude-code",
  model: "opus",
  path: "/logs/a.jsonl",
  line: null,
  snippet: [
    { text: "the ", match: false },
    { text: "rain", match: true },
  ],
  score: 1.5,
  noteOn: null,
  copies: 0,
};

const INDEX: TextIndex = { enabled: true, complete: true, logs: 9, logsMissing: 0, bytesMissing: 0, entries: 90, bytes: 900 };

test("hits of a session are together where its first one stands", () => {
  const other = { ...HIT, id: "x", title: "" };
  const groups = grouped([HIT, other, { ...HIT, kind: "assistant" }], 5, NOW);
  assert.deepEqual(
    groups.map(({ title, facts, lines }) => [title, facts, lines.map(({ hit, kind }) => [hit, kind])]),
    [
      ["Round the rain", "weather-station", [[5, "You"], [7, "Agent"]]],
      ["Session x", "weather-station", [[6, "You"]]],
    ],
  );
});

test("a line tells what it is", () => {
  const kinds = (hit: Partial<SearchHit>): string | undefined => grouped([{ ...HIT, ...hit }], 0, NOW)[0]?.lines[0]?.kind;
  assert.equal(kinds({ kind: "toolCall", tool: "Bash" }), "Bash");
  assert.equal(kinds({ kind: "toolResult", tool: "Bash" }), "Bash result");
  assert.equal(kinds({ kind: "toolResult", tool: null }), "Result");
  assert.equal(kinds({ kind: "notification" }), "notification");
  assert.equal(kinds({ type: "session", kind: null }), "Title");
  assert.equal(kinds({ type: "task", kind: null, line: 12 }), "Line 12");
});

test("entities stand alone, with what they are", () => {
  const task: SearchHit = { ...HIT, type: "task", id: "T1", kind: null, title: "Ignore tips", line: 4 };
  const feature: SearchHit = { ...task, type: "feature", timestamp: null, line: null };
  assert.deepEqual(
    grouped([task, feature], 0, NOW).map(({ title, facts, lines }) => [title, facts, lines[0]?.kind, lines[0]?.facts]),
    [
      ["Ignore tips", "task · weather-station · 2 h ago", "Line 4", ""],
      ["Ignore tips", "feature · weather-station", "Title", ""],
    ],
  );
});

test("a note stands with what it is on", () => {
  const note: SearchHit = { ...HIT, type: "note", noteOn: "session", kind: null, entry: null };
  const groups = grouped([HIT, note], 0, NOW);
  assert.deepEqual(groups.map(({ lines }) => lines.map(({ kind }) => kind)), [["You", "Note"]]);
});

test("copies are told", () => {
  const facts = (copies: number): string | undefined => grouped([{ ...HIT, copies }], 0, NOW)[0]?.lines[0]?.facts;
  assert.deepEqual([0, 1, 3].map(facts), ["2 h ago", "+1 copy · 2 h ago", "+3 copies · 2 h ago"]);
});

test("how many there are, and what is missing", () => {
  assert.equal(counted({ total: 0, totalExact: true }), "Nothing was found.");
  assert.equal(counted({ total: 1, totalExact: true }), "1 hit");
  assert.equal(counted({ total: 2000, totalExact: false }), "More than 2,000 hits");
  assert.equal(missing(INDEX), "");
  assert.match(missing({ ...INDEX, complete: false, logsMissing: 1 }), /^1 log is not indexed yet/);
  assert.match(missing({ ...INDEX, complete: false, logsMissing: 1200 }), /^1,200 logs are not indexed yet/);
  assert.match(missing({ ...INDEX, complete: false, bytesMissing: 5 }), /^The newest entries/);
  assert.match(missing({ ...INDEX, enabled: false }), /text_index/);
});
