/** What the extension and the page of a transcript say to each other. */

import type { Entry } from "../../../types/protocol";

/** Entries that are asked for at a time. */
export const CHUNK = 100;

/** What a page shows of an entry. */
export type Shown = Pick<
  Entry,
  "id" | "index" | "kind" | "timestamp" | "text" | "truncated" | "model" | "tool" | "isError" | "sidechain"
>;

/** To the page. */
export type ToPage =
  | { type: "session"; id: string; title: string; facts: string; live: boolean }
  /** Begin anew: so many entries, and which to show first; null for the end. */
  | { type: "begin"; total: number; at: number | null }
  | { type: "entries"; start: number; total: number; items: Shown[] }
  | { type: "goto"; index: number }
  | { type: "whole"; index: number; text: string }
  | { type: "failed"; start: number | null; text: string };

/** To the extension. */
export type ToHost =
  | { type: "ready" }
  /** The first entry in sight; null while the reader follows the end. */
  | { type: "place"; at: number | null }
  | { type: "chunk"; start: number }
  /** The next prompt after (or before) an entry. */
  | { type: "prompt"; from: number; direction: "forward" | "backward" }
  | { type: "whole"; entry: string };
