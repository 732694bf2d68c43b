/** What can be typed, by example. Pure. */

export const EXAMPLES: readonly (readonly [typed: string, means: string])[] = [
  ["retry backoff", "both words"],
  ['"rate limit"', "a phrase"],
  ["parse*", "what begins so"],
  ["-test", "without this word"],
  ["cat OR dog", "one of them"],
  ["in:prompt", "said by you; also answer, thinking, tool, doc, title, note"],
  ["tool:Bash", "what a tool did"],
  ["file:src/app", "about a file or folder"],
  ["project:shop", "in a project; also agent:, model:, branch:, session:"],
  ["after:7d", "of the last seven days; also after:2026-01-31, before:"],
];
