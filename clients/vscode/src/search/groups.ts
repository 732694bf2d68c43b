/** Hits as they are shown: by session, each with what tells it from the others. Pure. */

import type { SearchHit, SearchResult, SnippetPart, TextIndex } from "../../../types/protocol";
import { ago, joined, number, short, status } from "../words";
import { of } from "./target";

/** A hit; `hit` is its place among all. */
export interface Line {
  hit: number;
  /** What it is: who said it, which tool, or which kind of entity. */
  kind: string;
  facts: string;
  snippet: SnippetPart[];
}

export interface Group {
  title: string;
  facts: string;
  lines: Line[];
}

const KINDS: Readonly<Record<string, string>> = {
  prompt: "You",
  command: "You",
  steering: "You",
  queued: "You",
  bash: "You",
  assistant: "Agent",
  thinking: "Thinking",
  toolResult: "Result",
  compactSummary: "Summary",
};

const TITLE = 120;

/** Hits of one session, or one entity, together, where the first of them stands; `first` is the place of the first hit. */
export function grouped(hits: readonly SearchHit[], first: number, now: number = Date.now()): Group[] {
  const groups = new Map<string, Group>();
  for (const [place, hit] of hits.entries()) {
    const type = of(hit);
    const session = type === "session";
    const key = `${type}:${hit.id}`;
    let group = groups.get(key);
    if (group === undefined) {
      const title = short(hit.title, TITLE) || (session ? `Session ${hit.id.slice(0, 8)}` : hit.id);
      const facts = session ? (hit.project ?? "") : joined(status(type), hit.project, ago(hit.timestamp, now));
      group = { title, facts, lines: [] };
      groups.set(key, group);
    }
    const copies = hit.copies > 0 && `+${hit.copies} ${hit.copies === 1 ? "copy" : "copies"}`;
    const facts = joined(copies, session && ago(hit.timestamp, now));
    group.lines.push({ hit: first + place, kind: kind(hit), facts, snippet: hit.snippet });
  }
  return [...groups.values()];
}

/** How many hits there are, in words. */
export function counted({ total, totalExact }: Pick<SearchResult, "total" | "totalExact">): string {
  if (total === 0) return "Nothing was found.";
  return `${totalExact ? "" : "More than "}${number(total, "hit")}`;
}

/** What the index lacks, in words; empty where that is nothing. */
export function missing({ enabled, complete, logsMissing }: TextIndex): string {
  if (!enabled) return "The index of texts is turned off (setting text_index), so only titles are searched.";
  if (complete) return "";
  if (logsMissing === 0) return "The newest entries are being indexed; they may be missing here.";
  return `${number(logsMissing, "log")} ${logsMissing === 1 ? "is" : "are"} not indexed yet: the oldest may be missing here.`;
}

function kind(hit: SearchHit): string {
  if (hit.type === "session") return "Title";
  if (hit.type === "note") return "Note";
  if (hit.type !== "entry") return hit.line === null ? "Title" : `Line ${hit.line}`;
  if (hit.tool !== null) return hit.kind === "toolResult" ? `${hit.tool} result` : hit.tool;
  return KINDS[hit.kind ?? ""] ?? hit.kind ?? "";
}
