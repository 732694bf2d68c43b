/** Where a hit leads. Pure. */

import type { SearchHit } from "../../../types/protocol";

export type Target =
  | { session: string; entry?: string }
  | { path: string; line?: number }
  | { entity: { type: string; id: string } };

/** The type of the entity that a hit is of: a note is of what it is on. */
export function of({ type, noteOn }: Pick<SearchHit, "type" | "noteOn">): string {
  return type === "entry" ? "session" : type === "note" ? (noteOn ?? type) : type;
}

/** A transcript, a file, or what is known of an entity. */
export function target(hit: Pick<SearchHit, "type" | "noteOn" | "id" | "entry" | "path" | "line">): Target {
  const { id, entry, path, line } = hit;
  const type = of(hit);
  if (type === "session") return entry === null ? { session: id } : { session: id, entry };
  if (path === null) return { entity: { type, id } };
  return line === null ? { path } : { path, line };
}
