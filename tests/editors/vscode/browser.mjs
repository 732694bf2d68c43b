// What scripts that drive the workbench have in common. Each step of a script is seen for itself: one that fails says why.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const task = JSON.parse(readFileSync(process.argv[2], "utf-8"));
const { chromium } = await import(task.playwright);

/** Milliseconds that anything may take to appear. */
const PATIENCE = 15_000;

/** Milliseconds of stillness before a screenshot. */
const STILL = 400;

const seen = {};

/** Run a script on a page that shows a folder with a file open, and print what it saw. */
export async function drive(script) {
  const browser = await chromium.launch({
    executablePath: task.chromium,
    // Chromium's own sandbox does not work as root, as in containers.
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1360, height: 860 } });
    page.setDefaultTimeout(PATIENCE);
    const payload = task.file ? JSON.stringify([["openFile", `vscode-remote://${new URL(task.address).host}${task.file}`]]) : "[]";
    await page.goto(`${task.address}?${new URLSearchParams({ folder: task.folder, payload })}`);
    await page.locator(".monaco-workbench .statusbar").waitFor();
    await script(page);
  } finally {
    await browser.close();
  }
  process.stdout.write(JSON.stringify(seen));
}

/** Do a step; what it returns is what was seen. */
export async function step(page, name, work) {
  const began = performance.now();
  try {
    seen[name] = { seen: await work() };
  } catch (error) {
    seen[name] = { failed: String(error) };
    await shoot(page, `failed-${name}`);
    // What it left open would be in the way of the next one.
    await page.keyboard.press("Escape");
  }
  seen[name].seconds = (performance.now() - began) / 1000;
}

/** Keep a picture, where one is wanted. */
export async function shoot(page, name) {
  if (!task.screenshots) return;
  mkdirSync(task.screenshots, { recursive: true });
  await page.waitForTimeout(STILL);
  await page.screenshot({ path: join(task.screenshots, `vscode-${name}.png`) });
}

/** The first true value of a condition. */
export async function until(condition, what) {
  const end = performance.now() + PATIENCE;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > end) throw new Error(`${what} did not come`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Run a command of the palette. */
export async function command(page, title) {
  await page.keyboard.press("F1");
  const input = page.locator(".quick-input-widget input").first();
  await input.fill(`>${title}`);
  await page.locator(".quick-input-list .monaco-list-row", { hasText: title }).first().waitFor();
  await page.keyboard.press("Enter");
}

/** The frame in which a transcript is shown. */
export async function transcript(page, title) {
  return framed(page, async (frame) => {
    const head = await frame.locator("#title").textContent({ timeout: 100 }).catch(() => null);
    return head?.includes(title);
  }, `the transcript of ${title}`);
}

/** The frame of the search view. */
export async function searching(page) {
  return framed(page, (frame) => frame.locator("#query").isVisible().catch(() => false), "the search view");
}

async function framed(page, wanted, what) {
  return until(async () => {
    for (const frame of page.frames()) if (await wanted(frame)) return frame;
    return null;
  }, what);
}
