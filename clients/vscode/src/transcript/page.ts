/** The HTML of a transcript's page: a frame without data, which may run one script and load nothing from elsewhere. */

/** `source` is the origin of the extension's own files, `script` and `style` are addresses there. */
export function page(source: string, nonce: string, script: string, style: string): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src ${source}; script-src 'nonce-${nonce}'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${style}">
<title>Transcript</title>
</head>
<body>
<div class="bar">
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
<button id="latest" class="latest" hidden>↓ Latest</button>
<script nonce="${nonce}" src="${script}"></script>
</body>
</html>`;
}
