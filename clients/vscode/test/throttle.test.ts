import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Throttle } from "../src/throttle";

/** A clock that stands still unless it is told to go on, and how often the work was done. */
function clocked(work: () => Promise<void> | void = () => undefined): { throttle: Throttle; runs: () => number; go: (ms: number) => Promise<void> } {
  let runs = 0;
  let now = 0;
  mock.timers.enable({ apis: ["setTimeout"] });
  mock.method(performance, "now", () => now);
  const throttle = new Throttle({ soon: 100, rest: 1000 }, () => {
    runs++;
    return work();
  });
  const go = async (ms: number): Promise<void> => {
    now += ms;
    mock.timers.tick(ms);
    await turn();
  };
  return { throttle, runs: () => runs, go };
}

test.afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

test("many calls are one run", async () => {
  const { throttle, runs, go } = clocked();
  for (let n = 0; n < 50; n++) throttle.ask();
  await go(99);
  assert.equal(runs(), 0);
  await go(1);
  assert.equal(runs(), 1);
  await go(5000);
  assert.equal(runs(), 1);
});

test("runs keep their distance, and the last call is never lost", async () => {
  const { throttle, runs, go } = clocked();
  throttle.ask();
  await go(100);
  throttle.ask();
  await go(999);
  assert.equal(runs(), 1);
  await go(1);
  assert.equal(runs(), 2);
});

test("a call during a run leads to one more, not beside it", async () => {
  let finish = (): void => undefined;
  const { throttle, runs, go } = clocked(() => new Promise((resolve) => (finish = resolve)));
  throttle.ask();
  await go(100);
  throttle.ask();
  throttle.ask();
  await go(5000);
  assert.equal(runs(), 1);
  finish();
  await go(0);
  await go(1000);
  assert.equal(runs(), 2);
});

test("work that fails is told of, and tried again when asked", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const failures: unknown[] = [];
  const throttle = new Throttle(
    { soon: 0, rest: 0 },
    () => Promise.reject(new Error("no")),
    (error) => failures.push(error),
  );
  for (let n = 0; n < 2; n++) {
    throttle.ask();
    mock.timers.tick(1);
    await turn();
  }
  assert.deepEqual(failures.map(String), ["Error: no", "Error: no"]);
});

test("nothing runs after the end", async () => {
  const { throttle, runs, go } = clocked();
  throttle.ask();
  throttle.dispose();
  throttle.ask();
  await go(5000);
  assert.equal(runs(), 0);
});
