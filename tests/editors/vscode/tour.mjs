// A tour of all that the extension shows, in one window.
import { execFileSync } from "node:child_process";
import { appendFileSync, readFileSync } from "node:fs";
import { command, drive, searching, shoot, step, task, transcript, until } from "./browser.mjs";

const view = (page, name) => page.locator(".pane", { has: page.locator(`.pane-header[aria-label^="${name}"]`) });
const rows = (page, name) => view(page, name).locator(".monaco-list-row");
const quick = (page) => page.locator(".quick-input-widget");

await drive(async (page) => {
  await step(page, "lenses", async () => {
    const lenses = page.locator(".codelens-decoration");
    await lenses.filter({ hasText: "session" }).first().waitFor();
    await lenses.filter({ hasText: task.prompt }).first().waitFor();
    return lenses.allInnerTexts();
  });

  await step(page, "statusBar", async () => {
    const item = page.locator(".statusbar-item", { hasText: "live" });
    await item.waitFor();
    return (await item.innerText()).trim();
  });

  await step(page, "blame", async () => {
    await page.locator(".view-line", { hasText: task.line }).click();
    await command(page, "ccdash: Toggle Blame by Prompt");
    const shown = await until(
      () =>
        page.evaluate(() => {
          const spans = [...document.querySelectorAll(".view-line span")];
          const texts = spans.map((span) => getComputedStyle(span, "::after").content);
          return texts.find((text) => text.includes("“"));
        }),
      "the words behind the line",
    );
    await shoot(page, "file");
    return shown;
  });

  await step(page, "sideBar", async () => {
    await page.locator('.activitybar .action-label[aria-label^="ccdash"]').click();
    for (const name of ["Active Sessions", "This File", "Features"]) await rows(page, name).first().waitFor();
    const texts = {};
    for (const name of ["Active Sessions", "This File", "Features"]) texts[name] = await rows(page, name).allInnerTexts();
    await shoot(page, "side-bar");
    return texts;
  });

  await step(page, "transcript", async () => {
    await rows(page, "Active Sessions").filter({ hasText: task.live.title.slice(0, 30) }).first().click();
    const frame = await transcript(page, task.live.title);
    await frame.locator(".entry.user").first().waitFor();
    await shoot(page, "transcript");
    return { texts: await frame.locator(".entry").allInnerTexts(), facts: await frame.locator("#facts").innerText() };
  });

  await step(page, "tail", async () => {
    const frame = await transcript(page, task.live.title);
    appendFileSync(task.live.log, task.live.more);
    const added = frame.locator(".entry", { hasText: task.live.said });
    await added.waitFor();
    return { text: await added.innerText(), markup: await frame.locator(".entry img, .entry b, .entry script").count() };
  });

  await step(page, "keys", async () => {
    const frame = await transcript(page, task.live.title);
    await frame.locator("#scroller").focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("n");
    const current = frame.locator(".entry.current.user", { hasText: task.second });
    await current.waitFor();
    const prompt = await current.innerText();
    await frame.locator(".entry.kind-toolCall .head").first().click();
    const input = frame.locator(".entry.kind-toolCall pre.text").first();
    await until(async () => (await input.innerText()).includes(": "), "the input of the tool");
    await shoot(page, "transcript-unfolded");
    return { prompt, input: await input.innerText() };
  });

  await step(page, "long", async () => {
    await command(page, "ccdash: Open Transcript");
    await quick(page).locator("input").first().fill(task.long.title);
    await quick(page).locator(".monaco-list-row", { hasText: task.long.title }).first().waitFor();
    await page.keyboard.press("Enter");
    const frame = await transcript(page, task.long.title);
    await frame.locator(".entry").first().waitFor();
    await frame.locator("#scroller").focus();
    await page.keyboard.press("End");
    await frame.locator(".entry", { hasText: task.long.last }).waitFor();
    const scrolled = await frame.evaluate(async () => {
      const scroller = document.getElementById("scroller");
      const times = [];
      let most = 0;
      for (let n = 0; n < 120; n++) {
        const began = performance.now();
        scroller.scrollTop -= n % 10 === 9 ? 20_000 : 300;
        await new Promise(requestAnimationFrame);
        most = Math.max(most, document.querySelectorAll(".entry").length);
        times.push(performance.now() - began);
      }
      times.sort((a, b) => a - b);
      return { most, p50: times[60], p95: times[114] };
    });
    await until(() => frame.evaluate(() => document.querySelector(".entry.pending") === null), "what is in sight");
    await shoot(page, "transcript-long");
    const first = frame.locator(".entry").first();
    const [size, index] = [await first.getAttribute("aria-setsize"), await first.getAttribute("data-index")];
    return { ...scrolled, size: Number(size), first: Number(index) };
  });

  await step(page, "search", async () => {
    await command(page, "ccdash: Search Sessions and Plans");
    const frame = await searching(page);
    await frame.locator(".example").first().waitFor();
    await shoot(page, "search-empty");
    await frame.locator("#query:focus").waitFor();
    // Each key asks anew, and only the last one is answered.
    await page.keyboard.type(task.search.query, { delay: 20 });
    const hit = frame.locator(".hit", { hasText: task.search.hit }).first();
    await hit.waitFor();
    const found = {
      told: await frame.locator("#told").innerText(),
      titles: await frame.locator(".group .title").allInnerTexts(),
      text: await hit.innerText(),
      marks: await hit.locator("mark").allInnerTexts(),
      markup: await frame.locator(".hit img, .hit b, .hit script").count(),
    };
    await shoot(page, "search");
    await page.keyboard.press("ArrowDown");
    await frame.locator(".hit.current:focus").waitFor();
    await page.keyboard.press("Enter");
    const shown = (await transcript(page, task.live.title)).locator(".entry.current");
    await shown.waitFor();
    await shoot(page, "search-shown");
    return { ...found, shown: await shown.innerText() };
  });

  await step(page, "searchPlan", async () => {
    await command(page, "ccdash: Search Sessions and Plans");
    const frame = await searching(page);
    await frame.locator("#query:focus").waitFor();
    await page.keyboard.type(task.search.plan);
    await frame.locator(".hit", { hasText: "Line" }).first().click();
    await page.locator(".editor-instance .view-line", { hasText: task.plan.task }).first().waitFor();
    const [place] = await page.locator('.statusbar-item[aria-label^="Ln "]').allInnerTexts();
    return { place, tab: await page.locator(".tab.active").innerText() };
  });

  await step(page, "searchWrong", async () => {
    await command(page, "ccdash: Search Sessions and Plans");
    const frame = await searching(page);
    await frame.locator("#query:focus").waitFor();
    await page.keyboard.type("in:nowhere rain");
    const failed = frame.locator("#told.failed");
    await failed.waitFor();
    const text = await failed.innerText();
    await shoot(page, "search-failed");
    await page.keyboard.press("Escape");
    await frame.locator("#help").waitFor();
    return { text, left: await frame.locator("#query").inputValue() };
  });

  await step(page, "setStatus", async () => {
    const before = readFileSync(task.plan.path, "utf-8");
    const row = (text) => rows(page, "Features").filter({ hasText: text }).first();
    await row(task.plan.feature).locator(".monaco-tl-twistie").click();
    await row(task.plan.phase).locator(".monaco-tl-twistie").click();
    await row(task.plan.task).click({ button: "right" });
    const item = page.locator(".monaco-menu .action-label", { hasText: "Set Status" });
    const list = quick(page).locator(".monaco-list-row", { hasText: task.plan.status });
    // A menu takes no click in its first moments.
    await until(async () => {
      if (await item.isVisible()) await item.click({ timeout: 1_000 }).catch(() => undefined);
      return list.isVisible();
    }, "the statuses");
    await shoot(page, "set-status");
    await quick(page).locator("input").first().fill(task.plan.status);
    await page.keyboard.press("Enter");
    await until(() => readFileSync(task.plan.path, "utf-8") !== before, "the new status in the file");
    await row(task.plan.task).filter({ hasText: task.plan.status }).waitFor();
    return { before, after: readFileSync(task.plan.path, "utf-8") };
  });

  await step(page, "plan", async () => {
    await rows(page, "Features").filter({ hasText: task.plan.task }).first().click();
    await page.locator(".codelens-decoration").filter({ hasText: task.plan.status }).first().waitFor();
    await shoot(page, "plan");
    return page.locator(".codelens-decoration").allInnerTexts();
  });

  await step(page, "overview", async () => {
    await page.locator(".statusbar-item", { hasText: "live" }).click();
    await quick(page).locator(".monaco-list-row").first().waitFor();
    await shoot(page, "overview");
    const texts = await quick(page).locator(".monaco-list-row").allInnerTexts();
    await page.keyboard.press("Escape");
    return texts;
  });

  await step(page, "back", async () => {
    // Its page was gone while it was hidden.
    await page.locator(".tab", { hasText: task.long.title }).click();
    const frame = await transcript(page, task.long.title);
    await frame.locator(".entry:not(.pending)").nth(2).waitFor();
    return Number(await frame.locator(".entry").first().getAttribute("data-index"));
  });

  await step(page, "walkthrough", async () => {
    await command(page, "Welcome: Open Walkthrough");
    await quick(page).locator("input").first().fill("Get Started with ccdash");
    await quick(page).locator(".monaco-list-row", { hasText: "ccdash" }).first().waitFor();
    await page.keyboard.press("Enter");
    await page.locator(".getting-started-step").nth(2).waitFor();
    const read = (frame) => frame.getByText("Nothing leaves this machine").isVisible().catch(() => false);
    await until(async () => (await Promise.all(page.frames().map(read))).includes(true), "the page beside the step");
    await shoot(page, "walkthrough");
    return page.locator(".getting-started-step .step-title").allInnerTexts();
  });

  await step(page, "restart", async () => {
    process.kill(task.daemon.pid);
    // The extension starts another one.
    const pid = await until(() => {
      try {
        const told = JSON.parse(execFileSync("ccdash", ["status", "--json"], { stdio: ["ignore", "pipe", "ignore"] }));
        return told.pid !== task.daemon.pid && told.pid;
      } catch {
        return null;
      }
    }, "another daemon");
    await command(page, "ccdash: Overview");
    await quick(page).locator(".monaco-list-row", { hasText: task.prompt }).waitFor();
    await page.keyboard.press("Escape");
    return pid;
  });
});
