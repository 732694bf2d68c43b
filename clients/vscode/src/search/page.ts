/** The HTML of the search view. */

import { framed, type Own } from "../page";
import { EXAMPLES } from "./examples";

const BODY = `<div class="asking">
<input id="query" type="text" spellcheck="false" autocomplete="off" placeholder="Search sessions and plans"
 aria-label="Search: words, phrases in quotes, and filters such as tool:Bash" aria-controls="list" aria-describedby="told">
<button id="order" aria-pressed="false" title="Show the newest first">Newest</button>
</div>
<main id="found" class="found">
<div id="told" class="told" role="status"></div>
<div id="notice" class="notice" hidden></div>
<div id="list" class="list" role="listbox" aria-label="What was found"></div>
<button id="more" class="more" hidden>Show More</button>
<dl id="help" class="help">
${EXAMPLES.map(([typed, means]) => `<dt><button class="example">${escaped(typed)}</button></dt><dd>${escaped(means)}</dd>`).join("\n")}
</dl>
</main>`;

export function page(own: Own, nonce: string): string {
  return framed("Search", own, nonce, BODY);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
