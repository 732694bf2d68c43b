/** The HTML of a transcript's page. */

import { framed, type Own } from "../page";

const BODY = `<div class="bar">
<div class="session">
<h1><span id="title"></span> <span id="live" class="live">live</span></h1>
<div id="facts" class="facts"></div>
</div>
<button id="previous" title="Previous prompt (p)">↑ Prompt</button>
<button id="next" title="Next prompt (n)">↓ Prompt</button>
<button id="unfold" title="Fold or unfold all tools (u)">Unfold Tools</button>
</div>
<div id="scroller" class="scroller" tabindex="0" aria-label="Transcript: j and k move, n and p go to prompts, Enter folds">
<div id="notice" class="notice">Reading…</div>
<div id="list" class="list" role="feed"></div>
</div>
<button id="latest" class="latest" hidden>↓ Latest</button>`;

export function page(own: Own, nonce: string): string {
  return framed("Transcript", own, nonce, BODY);
}
