// What a user sees where the command is not installed.
import { drive, shoot, step } from "./browser.mjs";

await drive(async (page) => {
  await step(page, "message", async () => {
    const toast = page.locator(".notification-toast", { hasText: "ccdash" }).first();
    await toast.waitFor();
    await shoot(page, "not-installed");
    return { text: await toast.innerText(), buttons: await toast.locator(".monaco-button").allInnerTexts() };
  });

  await step(page, "statusBar", async () => {
    const item = page.locator(".statusbar-item", { hasText: "ccdash" });
    await item.waitFor();
    return (await item.innerText()).trim();
  });
});
