/** What is shown of an entry: who speaks, in how many words, and whether it is folded. Pure. */

import type { Entry, EntryKind } from "../../../types/protocol";
import { joined, short } from "../words";
import type { Shown } from "./messages";

export type Role = "user" | "agent" | "tool" | "aside";

const ROLES: Record<EntryKind, [role: Role, name: string, folded: boolean]> = {
  prompt: ["user", "You", false],
  command: ["user", "Command", false],
  steering: ["user", "You, meanwhile", false],
  queued: ["user", "You, queued", false],
  bash: ["user", "Shell", true],
  interrupt: ["user", "Interrupted", false],
  assistant: ["agent", "Agent", false],
  thinking: ["agent", "Thinking", true],
  toolCall: ["tool", "Tool", true],
  toolResult: ["tool", "Result", true],
  teammate: ["agent", "Teammate", false],
  compactSummary: ["aside", "Summary of before", true],
  compaction: ["aside", "Context compacted", true],
  summary: ["aside", "Summary", true],
  image: ["aside", "Image", true],
  attachment: ["aside", "Attachment", true],
  notification: ["aside", "Notification", true],
  meta: ["aside", "Meta", true],
  system: ["aside", "System", true],
  unknown: ["aside", "Other", true],
};

/** Characters of a folded entry that are shown. */
const LINE = 160;

/** Characters at the end of a text that was cut which may tell that it was. */
const MARK = 16;

export function role(entry: Shown): Role {
  return ROLES[entry.kind][0];
}

export function folded(entry: Shown): boolean {
  return ROLES[entry.kind][2];
}

/** Who or what it is: `You`, `Agent`, the tool's name. */
export function named(entry: Shown): string {
  const name = entry.tool !== null && entry.kind === "toolCall" ? entry.tool : ROLES[entry.kind][1];
  return entry.sidechain ? `${name} (sub-agent)` : name;
}

/** What a folded entry says, on one line. */
export function summary(entry: Shown): string {
  const about = entry.kind === "toolCall" || entry.kind === "toolResult" ? null : entry.tool;
  const text = short(entry.text.slice(0, LINE * 4), LINE);
  return about === null || about === text ? text : joined(about.replaceAll("_", " "), text);
}

/** The whole of an entry, found in its record: of a tool call its input, else the text that was cut. */
export function whole(entry: Pick<Entry, "kind" | "text" | "toolUseId">, record: unknown, raw: string | null): string {
  if (entry.kind === "toolCall") {
    for (const value of within(record)) {
      if (isObject(value) && (value.id === entry.toolUseId || value.call_id === entry.toolUseId)) {
        const input = value.input ?? value.arguments;
        if (input !== undefined) return laidOut(input);
      }
    }
    return entry.text;
  }
  const start = entry.text.slice(0, Math.max(1, entry.text.length - MARK));
  let longest = "";
  for (const value of within(record)) {
    if (typeof value === "string" && value.length > longest.length && value.startsWith(start)) longest = value;
  }
  return longest || raw || entry.text;
}

/** A value as a person reads it: keys and what they hold, text with its lines. */
export function laidOut(value: unknown): string {
  if (!isObject(value)) return typeof value === "string" ? value : JSON.stringify(value, undefined, 2);
  const line = ([key, held]: [string, unknown]): string => {
    if (typeof held !== "string") return `${key}: ${JSON.stringify(held, undefined, 2)}`;
    return held.includes("\n") ? `${key}:\n${held.replace(/\n$/, "")}\n` : `${key}: ${held}`;
  };
  return Object.entries(value).map(line).join("\n").trimEnd();
}

/** A text, parted into prose and fenced code. */
export function parts(text: string): { code: boolean; text: string }[] {
  const found: { code: boolean; text: string }[] = [];
  let lines: string[] = [];
  let fence = "";
  const end = (code: boolean): void => {
    const part = code ? lines.join("\n") : lines.join("\n").replace(/^\n+|\s+$/g, "");
    if (part !== "") found.push({ code, text: part });
    lines = [];
  };
  for (const line of text.split("\n")) {
    const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1] ?? "";
    if (fence === "" && mark !== "") {
      end(false);
      fence = mark;
    } else if (fence !== "" && mark.startsWith(fence) && line.trim() === mark) {
      end(true);
      fence = "";
    } else lines.push(line);
  }
  end(fence !== "");
  return found;
}

/** A value and all that is in it. */
function* within(value: unknown): Generator<unknown> {
  const left = [value];
  while (left.length > 0) {
    const item = left.pop();
    yield item;
    if (typeof item === "object" && item !== null) left.push(...Object.values(item));
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
