import assert from "node:assert/strict";
import { test } from "node:test";
import { target } from "../src/search/target";

const HIT = { type: "entry", noteOn: null, id: "s1", entry: "e1", path: "/logs/a.jsonl", line: null } as const;

test("an entry leads to its place in the transcript, a title to the transcript", () => {
  assert.deepEqual(target(HIT), { session: "s1", entry: "e1" });
  assert.deepEqual(target({ ...HIT, type: "session", entry: null }), { session: "s1" });
});

test("plans lead to their line, where that is known", () => {
  const task = { type: "task", noteOn: null, id: "d1#T1", entry: null, path: "/shop/plan.md", line: 4 } as const;
  assert.deepEqual(target(task), { path: "/shop/plan.md", line: 4 });
  assert.deepEqual(target({ ...task, line: null }), { path: "/shop/plan.md" });
  assert.deepEqual(target({ ...task, type: "feature", path: null }), { entity: { type: "feature", id: "d1#T1" } });
});

test("a note leads to what it is on", () => {
  const note = { type: "note", id: "x", entry: null, path: null, line: null } as const;
  assert.deepEqual(target({ ...note, noteOn: "session" }), { session: "x" });
  assert.deepEqual(target({ ...note, noteOn: "task" }), { entity: { type: "task", id: "x" } });
});
