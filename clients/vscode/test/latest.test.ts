import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Latest } from "../src/search/latest";

function recorded(soon: number): { latest: Latest<string>; begun: string[]; ended: string[]; stopped: string[] } {
  const begun: string[] = [];
  const ended: string[] = [];
  const stopped: string[] = [];
  const work = async (question: string, signal: AbortSignal): Promise<void> => {
    begun.push(question);
    await pause(20, undefined, { signal }).then(
      () => ended.push(question),
      () => stopped.push(question),
    );
  };
  return { latest: new Latest(soon, work), begun, ended, stopped };
}

test("of what is asked in quick succession only the last is answered", async () => {
  const { latest, begun, ended } = recorded(10);
  for (const question of ["r", "ra", "rai", "rain"]) latest.ask(question);
  await pause(60);
  assert.deepEqual([begun, ended], [["rain"], ["rain"]]);
});

test("a question ends the answer to the one before", async () => {
  const { latest, begun, ended, stopped } = recorded(0);
  latest.ask("rain");
  while (begun.length === 0) await pause(1);
  latest.ask("snow");
  await pause(60);
  assert.deepEqual([begun, ended, stopped], [["rain", "snow"], ["snow"], ["rain"]]);
});

test("what is stopped is not answered", async () => {
  const { latest, begun, ended } = recorded(5);
  latest.ask("rain");
  latest.stop();
  await pause(20);
  latest.ask("snow", 0);
  while (begun.length === 0) await pause(1);
  latest.stop();
  await pause(40);
  assert.deepEqual([begun, ended], [["snow"], []]);
});
