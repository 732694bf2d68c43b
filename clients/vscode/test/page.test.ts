import assert from "node:assert/strict";
import { test } from "node:test";
import { page } from "../src/transcript/page";

const HTML = page("https://own", "n0nce", "https://own/webview.js", "https://own/webview.css");

test("the page may load its own files, and nothing else", () => {
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(HTML)?.[1];
  assert.equal(policy, "default-src 'none'; style-src https://own; script-src 'nonce-n0nce'");
  assert.deepEqual([...HTML.matchAll(/(?:src|href)="([^"]*)"/g)].map((match) => match[1]), [
    "https://own/webview.css",
    "https://own/webview.js",
  ]);
});

test("the page has no script and no style of its own", () => {
  assert.equal([...HTML.matchAll(/<script[^>]*>([^<]*)</g)].every((match) => match[1] === ""), true);
  assert.doesNotMatch(HTML, /<style|\sstyle=|\son[a-z]+=/);
});
