import assert from "node:assert/strict";
import { test } from "node:test";
import type { BlameChange } from "../../types/protocol";
import { changeAt, told } from "../src/blamed";

const CHANGE: BlameChange = {
  sessionId: "s",
  title: "Till",
  subagent: null,
  tool: "Edit",
  toolUseId: "t",
  entry: "e",
  model: "m",
  time: null,
  prompt: null,
  cost: { usd: 0.5, provenance: "computed", unpricedModels: [] },
  lines: 1,
};
const OTHER: BlameChange = { ...CHANGE, prompt: { entry: "p", text: "Write\na till", time: null } };
const BLAME = {
  blocks: [
    { start: 2, end: 3, change: 1, fit: "same" as const },
    { start: 5, end: 5, change: 0, fit: "moved" as const },
  ],
  changes: [CHANGE, OTHER],
};

test("each line has the change of its block, or none", () => {
  const changes = [1, 2, 3, 4, 5, 6].map((line) => changeAt(BLAME, line));
  assert.deepEqual(changes, [undefined, OTHER, OTHER, undefined, CHANGE, undefined]);
});

test("a line tells the prompt, else the session", () => {
  assert.equal(told(OTHER), "“Write a till” · $0.50");
  assert.equal(told({ ...CHANGE, subagent: "explorer" }), "Till · explorer · $0.50");
});
