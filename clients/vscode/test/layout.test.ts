import assert from "node:assert/strict";
import { test } from "node:test";
import { Layout } from "../src/transcript/layout";

test("an empty list has no height", () => {
  const layout = new Layout();
  assert.equal(layout.height, 0);
  assert.equal(layout.at(500), 0);
});

test("unknown entries are as high as known ones on average", () => {
  const layout = new Layout();
  layout.resize(10);
  layout.measured(0, 20);
  layout.measured(1, 40);
  assert.equal(layout.offset(2), 60);
  assert.equal(layout.height, 60 + 8 * 30);
});

test("what was measured stays while the list grows", () => {
  const layout = new Layout();
  layout.resize(2);
  layout.measured(0, 100);
  layout.measured(1, 50);
  layout.resize(3);
  assert.deepEqual([0, 1, 2, 3].map((index) => layout.offset(index)), [0, 100, 150, 225]);
  layout.resize(1);
  assert.equal(layout.height, 100);
  layout.resize(2);
  assert.equal(layout.height, 200, "an entry that came back is to be measured");
});

test("only a change of height counts as one", () => {
  const layout = new Layout();
  layout.resize(1);
  assert.equal(layout.measured(0, 33), true);
  assert.equal(layout.measured(0, 33.2), false);
  assert.equal(layout.measured(7, 33), false);
});

test("the entry at a height is the one that a search from the top finds", () => {
  let seed = 1;
  const random = (): number => (seed = (seed * 48271) % 2147483647) / 2147483647;
  for (let round = 0; round < 50; round++) {
    const layout = new Layout();
    const count = 1 + Math.floor(random() * 200);
    layout.resize(count);
    for (let index = 0; index < count; index++) if (random() < 0.6) layout.measured(index, 1 + Math.floor(random() * 300));
    for (let n = 0; n < 50; n++) {
      const y = random() * (layout.height + 200) - 100;
      let expected = 0;
      while (expected + 1 < count && layout.offset(expected + 1) <= y) expected++;
      assert.equal(layout.at(y), expected);
    }
  }
});
