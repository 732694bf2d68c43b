/** What is shown of an entry: who speaks, in how many words, and whether it is folded. Pure. */

import type { EntryKind } from "../../../types/protocol";
import { short } from "../words";
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

/** Keys of a tool's input that tell best what it does, the best first. */
const TELLING = ["command", "file_path", "path", "notebook_path", "pattern", "query", "url", "description", "subject", "prompt", "skill"];

/** Characters of a folded entry that are shown. */
const LINE = 160;

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
  return short((entry.kind === "toolCall" && telling(entry.text)) || entry.text.slice(0, LINE * 4), LINE);
}

/** The text, that of a tool's input laid out. */
export function whole(entry: Shown): string {
  if (entry.kind !== "toolCall") return entry.text;
  const input = parsed(entry.text);
  return input === undefined ? entry.text : JSON.stringify(input, undefined, 2);
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

function telling(input: string): string {
  const value = parsed(input);
  const key = TELLING.find((key) => typeof value?.[key] === "string" && value[key] !== "");
  return key === undefined ? "" : String(value?.[key]);
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    // A long input is cut, so it is no JSON any more.
    return undefined;
  }
}
