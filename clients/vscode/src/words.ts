/** What is shown in words: numbers, money, statuses, times. Pure. */

import type { Cost, PlanStatus } from "../../types/protocol";

/** Statuses that a person sets, in the order in which they are offered. */
export const STATUSES: readonly PlanStatus[] = ["todo", "in_progress", "review", "done", "blocked", "deferred", "archived"];

const SMALLEST = 0.00005;

/** `1 session`, `1,204 sessions`. */
export function number(count: number, noun: string): string {
  return `${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`;
}

/** US dollars: `$0.0042` below a cent, `$3.12`, `$1,234` from a thousand on; never `$0` where it is more. */
export function money(usd: number): string {
  if (usd === 0) return "$0";
  if (usd < SMALLEST) return "<$0.0001";
  if (usd < 0.01) return `$${usd.toFixed(4)}`;
  const digits = Math.round(usd * 100) / 100 < 1000 ? 2 : 0;
  return `$${usd.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}

/** `$3.12`, `≥ $3.12` where that is a lower bound, `unpriced`; empty where no usage is known. */
export function cost(told: Cost | null): string {
  if (told === null) return "";
  if (told.provenance === "unpriced") return "unpriced";
  return `${told.provenance === "lower_bound" ? "≥ " : ""}${money(told.usd)}`;
}

/** `in progress`. */
export function status(known: string): string {
  return known.replaceAll("_", " ");
}

/** How long before `now` (milliseconds) a time of the wire was: `now`, `5 min ago`, `3 h ago`, `6 d ago`, then the date. */
export function ago(stamp: string | null, now: number = Date.now()): string {
  if (stamp === null) return "";
  const seconds = (now - Date.parse(stamp)) / 1000;
  if (seconds < 60) return "now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return seconds < 28 * 86_400 ? `${Math.floor(seconds / 86_400)} d ago` : stamp.slice(0, 10);
}

/** Seconds as `45 s`, `12 min`, `3 h 5 min`. */
export function lasted(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Those that say something, on one line. */
export function joined(...parts: (string | null | undefined | false)[]): string {
  return parts.filter((part) => part).join(" · ");
}

/** One line of at most so many characters. */
export function short(text: string, limit: number): string {
  const line = text.split(/\s+/).filter(Boolean).join(" ");
  return line.length <= limit ? line : `${line.slice(0, limit - 1).trimEnd()}…`;
}

/** A session's title, or what stands for one that has none. */
export function titled(session: { id: string; title: string }): string {
  return short(session.title, 120) || `Session ${session.id.slice(0, 8)}`;
}
