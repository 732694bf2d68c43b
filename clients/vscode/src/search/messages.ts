/** What the extension and the page of the search view say to each other. */

import type { SearchOrder } from "../../../types/protocol";
import type { Group } from "./groups";

/** To the page. */
export type ToPage =
  /** Begin to search for this; null to only put the cursor there. */
  | { type: "ask"; text: string | null }
  | { type: "busy"; query: string }
  /** Hits of a query; `more` where there are others; those that go `behind` the earlier ones. */
  | { type: "found"; query: string; groups: Group[]; told: string; notice: string; more: boolean; behind: boolean }
  | { type: "failed"; query: string; text: string };

/** To the extension. */
export type ToHost =
  | { type: "ready" }
  | { type: "search"; query: string; order: SearchOrder }
  | { type: "more" }
  /** Show a hit, by its place among all that the page got. */
  | { type: "open"; hit: number };
