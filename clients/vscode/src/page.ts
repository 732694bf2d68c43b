/** The HTML of a page in a webview: a frame without data, which may run one script and load nothing from elsewhere. */

/** Addresses of the extension's own files, and their origin. */
export interface Own {
  source: string;
  script: string;
  style: string;
}

/** A page with a body of elements that its script fills. */
export function framed(title: string, { source, script, style }: Own, nonce: string, body: string): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src ${source}; script-src 'nonce-${nonce}'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${style}">
<title>${title}</title>
</head>
<body>
${body}
<script nonce="${nonce}" src="${script}"></script>
</body>
</html>`;
}
