/** What blame says of a line. Pure. */

import type { Blame, BlameChange } from "../../types/protocol";
import { ago, cost, joined, short } from "./words";

/** The change that wrote a line (from 1); undefined where nobody is known. */
export function changeAt(blame: Pick<Blame, "blocks" | "changes">, line: number): BlameChange | undefined {
  const block = blame.blocks.find(({ start, end }) => start <= line && line <= end);
  return block && blame.changes[block.change];
}

/** What stands behind a line. */
export function told(change: BlameChange): string {
  const what = change.prompt === null ? change.title : `“${short(change.prompt.text, 60)}”`;
  return joined(what, change.subagent, ago(change.time), cost(change.cost));
}
