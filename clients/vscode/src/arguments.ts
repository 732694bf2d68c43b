/** What a command is about: a lens, a line of a tree and a link say it differently. Pure. */

import type { EntityRef, EntityType } from "../../types/protocol";

export interface About {
  entity?: EntityRef;
  session?: string;
  entry?: string;
  uri?: string;
  status?: string;
}

const TYPES: ReadonlySet<string> = new Set<EntityType>([
  "session",
  "project",
  "feature",
  "phase",
  "task",
  "document",
  "file",
  "commit",
]);

/** What is understood of a command's argument; nothing where it was called without one. */
export function about(argument: unknown): About {
  if (typeof argument !== "object" || argument === null) return {};
  const given = argument as Record<string, unknown>;
  const known: About = {};
  for (const key of ["session", "entry", "uri", "status"] as const) {
    const value = given[key];
    if (typeof value === "string" && value !== "") known[key] = value;
  }
  const entity = entityOf(given.entity) ?? (typeof given.id === "string" ? { type: "feature", id: given.id } : undefined);
  if (entity?.type === "session") known.session ??= entity.id;
  else if (entity !== undefined) known.entity = entity as EntityRef;
  return known;
}

function entityOf(value: unknown): EntityRef | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { type, id } = value as Record<string, unknown>;
  if (typeof type !== "string" || typeof id !== "string" || !TYPES.has(type)) return undefined;
  return { type: type as EntityType, id };
}
