/** Where a hit leads. Pure. */

import type { SearchHit } from "../../../types/protocol";

export type Target =
  | { session: string; entry?: string }
  | { path: string; line?: number }
  | { entity: { type: string; id: string } };

/** A transcript, a file, or what is known of an entity: a note leads to what it is on. */
export function target({ type, id, entry, path, line }: Pick<SearchHit, "type" | "id" | "entry" | "path" | "line">): Target {
  if (type === "note") {
    const [of, ...rest] = id.split(":");
    const entity = { type: of ?? "", id: rest.join(":") };
    return entity.type === "session" ? { session: entity.id } : { entity };
  }
  if (type === "entry" || type === "session") return entry === null ? { session: id } : { session: id, entry };
  if (path === null) return { entity: { type, id } };
  return line === null ? { path } : { path, line };
}
