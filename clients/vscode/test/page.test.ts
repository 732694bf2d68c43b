import assert from "node:assert/strict";
import { test } from "node:test";
import { page as search } from "../src/search/page";
import { page as transcript } from "../src/transcript/page";

const OWN = { source: "https://own", script: "https://own/page.js", style: "https://own/page.css" };

for (const [name, page] of Object.entries({ search, transcript })) {
  const html = page(OWN, "n0nce");

  test(`the page of ${name} may load its own files, and nothing else`, () => {
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1];
    assert.equal(policy, "default-src 'none'; style-src https://own; script-src 'nonce-n0nce'");
    assert.deepEqual([...html.matchAll(/(?:src|href)="([^"]*)"/g)].map((match) => match[1]), [
      "https://own/page.css",
      "https://own/page.js",
    ]);
  });

  test(`the page of ${name} has no script and no style of its own`, () => {
    assert.equal([...html.matchAll(/<script[^>]*>([^<]*)</g)].every((match) => match[1] === ""), true);
    assert.doesNotMatch(html, /<style|\sstyle=|\son[a-z]+=/);
  });
}
