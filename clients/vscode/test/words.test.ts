import assert from "node:assert/strict";
import { test } from "node:test";
import type { Cost } from "../../types/protocol";
import { ago, cost, joined, lasted, money, number, short, status, titled } from "../src/words";

const NOW = Date.parse("2026-03-01T12:00:00Z");

test("money is never shown as less than it is", () => {
  const shown = [0, 0.00001, 0.0042, 0.01, 3.1249, 999.994, 999.996, 1234567.8].map(money);
  assert.deepEqual(shown, ["$0", "<$0.0001", "$0.0042", "$0.01", "$3.12", "$999.99", "$1,000", "$1,234,568"]);
});

test("costs say how sure they are", () => {
  const told = (provenance: Cost["provenance"]): Cost => ({ usd: 3.12, provenance, unpricedModels: [] });
  assert.equal(cost(told("computed")), "$3.12");
  assert.equal(cost(told("lower_bound")), "≥ $3.12");
  assert.equal(cost(told("unpriced")), "unpriced");
  assert.equal(cost(null), "");
});

test("times are told from now", () => {
  const before = (seconds: number): string => ago(new Date(NOW - seconds * 1000).toISOString(), NOW);
  assert.deepEqual([-5, 59, 60, 3599, 3600, 86_399, 86_400, 27 * 86_400].map(before), [
    "now",
    "now",
    "1 min ago",
    "59 min ago",
    "1 h ago",
    "23 h ago",
    "1 d ago",
    "27 d ago",
  ]);
  assert.equal(before(28 * 86_400), "2026-02-01");
  assert.equal(ago(null), "");
});

test("durations have two units at most", () => {
  assert.deepEqual([12.4, 60, 3599, 3600, 11_100].map(lasted), ["12 s", "1 min", "59 min", "1 h 0 min", "3 h 5 min"]);
});

test("texts are joined and cut to one line", () => {
  assert.equal(joined("a", "", null, false, undefined, "b"), "a · b");
  assert.equal(short("a\n  b\tc", 10), "a b c");
  assert.equal(short("a word that is long", 8), "a word…");
  assert.equal(number(1, "session"), "1 session");
  assert.equal(number(1204, "session"), "1,204 sessions");
  assert.equal(status("in_progress"), "in progress");
});

test("a session without a title is named by its id", () => {
  assert.equal(titled({ id: "0123456789ab", title: " \n" }), "Session 01234567");
  assert.equal(titled({ id: "0123456789ab", title: "Fix it" }), "Fix it");
});
