// Bundles the extension and its webviews into dist/; with --tests, the unit tests into build/.
import { copyFileSync, readdirSync } from "node:fs";
import { build, context } from "esbuild";

const production = process.argv.includes("--production");
const common = { bundle: true, minify: production, sourcemap: !production, logLevel: "warning", legalComments: "none" };
const node = { ...common, platform: "node", target: "node18", format: "cjs" };

const bundles = [
  { ...node, entryPoints: ["src/extension.ts"], outfile: "dist/extension.js", external: ["vscode"] },
  {
    ...common,
    entryPoints: ["transcript", "search"].flatMap((name) => [
      { in: `src/${name}/webview.ts`, out: name },
      { in: `src/${name}/webview.css`, out: name },
    ]),
    outdir: "dist",
    platform: "browser",
    target: "es2022",
    format: "iife",
  },
];

if (process.argv.includes("--tests")) {
  const tests = readdirSync("test").filter((name) => name.endsWith(".test.ts"));
  await build({ ...node, entryPoints: tests.map((name) => `test/${name}`), outdir: "build", sourcemap: "inline" });
} else if (process.argv.includes("--watch")) {
  for (const bundle of bundles) await (await context(bundle)).watch();
} else {
  // The licence goes with the package; the one text stands at the top of the repository.
  copyFileSync("../../LICENSE", "LICENSE");
  await Promise.all(bundles.map((bundle) => build(bundle)));
}
