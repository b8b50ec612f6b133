// The first way in: one button starts a throw-away Redis, breaks it and ends at the diagnosis; leaving removes it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { recorded, startBrowser, startRedoubt, visit } from "./harness.mjs";

let redoubt, browser;

before(async () => {
  redoubt = await startRedoubt();
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await redoubt?.stop();
});

test("one button goes from the start page to the diagnosis of SC-001", { timeout: 150_000 }, async () => {
  const { page, problems, close } = await visit(browser, redoubt.url, "/", { lang: "en" });
  await recorded("demo", page, redoubt, async () => {
    await page.getByRole("button", { name: "Reproduce an OOM incident" }).click();
    await page.getByText("SC-001 is running").waitFor();
    await page.waitForURL(/\/analyze\/[\w-]+$/, { timeout: 120_000 });
    assert.equal(await page.getByTestId("failure-mode").innerText(), "oom-noeviction");

    await page.goto(`${redoubt.url}/monitor?instance=demo`);
    await page.getByRole("button", { name: "Leave the demo" }).click();
    await page.waitForURL((url) => url.pathname === "/start");
    const { instances } = await (await fetch(`${redoubt.url}/api/v1/monitor/status`)).json();
    assert.deepEqual(instances, []);
    assert.deepEqual(problems, []);
  });
  await close();
});
