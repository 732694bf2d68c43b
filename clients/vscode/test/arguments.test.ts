import assert from "node:assert/strict";
import { test } from "node:test";
import { about } from "../src/arguments";

const TASK = { type: "task", id: "shop/plan.md#T1" };

test("arguments of lenses are understood", () => {
  assert.deepEqual(about({ session: "s", entry: "e" }), { session: "s", entry: "e" });
  assert.deepEqual(about({ id: "shop/checkout" }), { entity: { type: "feature", id: "shop/checkout" } });
  assert.deepEqual(about({ entity: TASK, status: "done" }), { entity: TASK, status: "done" });
  assert.deepEqual(about({ uri: "file:///a", entity: TASK }), { uri: "file:///a", entity: TASK });
});

test("a line of a tree is what it stands for", () => {
  assert.deepEqual(about({ id: "task:x", label: "T1", entity: TASK }), { entity: TASK });
  assert.deepEqual(about({ id: "session:x", entity: { type: "session", id: "s" } }), { session: "s" });
});

test("anything else says nothing", () => {
  for (const value of [undefined, null, 1, "x", [], {}, { entity: 1 }, { entity: { type: "moon", id: "m" } }, { session: "" }]) {
    assert.deepEqual(about(value), {});
  }
});
