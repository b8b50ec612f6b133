// The four screens and the start page: no serious finding of axe-core in either language or scheme, nothing wider than a
// phone, and the ways in that need no server.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessibilityProblems, phone, recorded, startBrowser, startRedis, startRedoubt, visit } from "./harness.mjs";

let redis, redoubt, browser, analysis;

const log = "OOM command not allowed when used memory > 'maxmemory'.\nused_memory:52430000\nmaxmemory:52428800\nmaxmemory_policy:noeviction\n";

before(async () => {
  redis = await startRedis("--maxmemory", "50mb");
  redoubt = await startRedoubt("--connect", `redis://127.0.0.1:${redis.port}`);
  browser = await startBrowser();
  const reply = await fetch(`${redoubt.url}/api/v1/analyze`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ log_text: log, lang: "ko" }),
  });
  assert.equal(reply.status, 200);
  analysis = (await reply.json()).id;
});

after(async () => {
  await browser?.close();
  await redoubt?.stop();
  await redis?.stop();
});

const screens = () => ["/start", "/monitor", "/analyze", `/analyze/${analysis}`, "/search?q=OOM", "/knowledge", "/knowledge/kb-mem-001"];

// The page has loaded: something stands under its heading and nothing is loading any more.
async function settled(page) {
  await page.locator("h1").first().waitFor();
  await page.waitForFunction(() => document.querySelector('[role="status"] + div[style]') === null && document.querySelectorAll("main [class*=bars]").length === 0);
  await page.evaluate(() => document.fonts.ready);
}

for (const [lang, scheme] of [["ko", "light"], ["ko", "dark"], ["en", "light"], ["en", "dark"]]) {
  test(`every screen is accessible: ${lang}, ${scheme}`, { timeout: 90_000 }, async () => {
    const { page, problems, close } = await visit(browser, redoubt.url, "/start", { lang, scheme });
    await recorded(`axe-${lang}-${scheme}`, page, redoubt, async () => {
      for (const path of screens()) {
        await page.goto(redoubt.url + path);
        await settled(page);
        assert.equal(await page.locator("html").getAttribute("lang"), lang);
        assert.deepEqual(await accessibilityProblems(page), [], path);
      }
      assert.deepEqual(problems, []);
    });
    await close();
  });
}

test("nothing is wider than a phone, and the tabs lead everywhere", { timeout: 60_000 }, async () => {
  const { page, close } = await visit(browser, redoubt.url, "/start", { viewport: phone });
  await recorded("phone", page, redoubt, async () => {
    for (const path of screens()) {
      await page.goto(redoubt.url + path);
      await settled(page);
      const [content, width] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
      assert.ok(content <= width, `${path}: ${content} px on ${width} px`);
    }
    const tabs = page.getByRole("navigation").last();
    for (const [name, path] of [["모니터링", "/monitor"], ["분석", "/analyze"], ["검색", "/search"], ["지식", "/knowledge"]]) {
      await tabs.getByRole("link", { name, exact: true }).click();
      await page.waitForURL((url) => url.pathname === path);
    }
  });
  await close();
});

test("from the start page a pasted log is diagnosed with one click", { timeout: 30_000 }, async () => {
  const { page, problems, close } = await visit(browser, redoubt.url, "/");
  await recorded("paste", page, redoubt, async () => {
    await page.getByRole("button", { name: "이 로그 분석하기" }).click();
    await page.waitForURL(/\/analyze\/[\w-]+$/);
    assert.equal(await page.getByTestId("failure-mode").innerText(), "oom-noeviction");
    assert.ok((await page.locator("mark").count()) >= 1, "evidence is marked in the log");
    assert.deepEqual(problems, []);
  });
  await close();
});

test("by keyboard alone one gets to the content and through the menu", { timeout: 30_000 }, async () => {
  const { page, close } = await visit(browser, redoubt.url, "/search");
  await recorded("keyboard", page, redoubt, async () => {
    await settled(page);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("type")), "search");
    await page.keyboard.type("max number of clients reached");
    await page.keyboard.press("Enter");
    await page.locator('[data-entry="kb-conn-001"]').waitFor();
    assert.match(page.url(), /q=max/);
  });
  await close();
});

test("a wrong server is refused in words, with what to do", { timeout: 30_000 }, async () => {
  const { page, close } = await visit(browser, redoubt.url, "/monitor?connect=1", { lang: "en" });
  await recorded("refused", page, redoubt, async () => {
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Port").fill("1");
    await dialog.getByRole("button", { name: "Connect", exact: true }).click();
    const alert = dialog.getByRole("alert");
    await alert.waitFor();
    assert.match(await alert.innerText(), /127\.0\.0\.1:1/);
    assert.match(await alert.innerText(), /Error code \w+/);
  });
  await close();
});

test("an entry is added, found, edited and deleted", { timeout: 60_000 }, async () => {
  const { page, problems, close } = await visit(browser, redoubt.url, "/knowledge", { lang: "en" });
  await recorded("knowledge", page, redoubt, async () => {
    await page.getByRole("link", { name: "Add an entry" }).click();
    await page.getByLabel("Id", { exact: true }).fill("kb-team-042");
    await page.getByLabel("Title · English").fill("Nightly batch fills the cache");
    await page.getByLabel("Symptoms · English").fill("used_memory jumps at 02:00\nwrites are refused until 03:00");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { level: 1, name: "Nightly batch fills the cache" }).waitFor();
    assert.equal(await page.getByText("used_memory jumps at 02:00").count(), 1);

    await page.getByRole("link", { name: "Edit", exact: true }).click();
    await page.getByLabel("Title · English").fill("The nightly batch fills the cache");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { level: 1, name: "The nightly batch fills the cache" }).waitFor();

    await page.goto(`${redoubt.url}/knowledge?q=kb-team`);
    await page.locator('[data-entry="kb-team-042"]').waitFor();
    assert.equal(await page.locator("[data-entry]").count(), 1);

    await page.getByRole("link", { name: "The nightly batch fills the cache" }).click();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.waitForURL((url) => url.pathname === "/knowledge");
    await page.goto(`${redoubt.url}/knowledge?q=kb-team`);
    await page.getByText("No entry matches").waitFor();
    assert.deepEqual(problems, []);
  });
  await close();
});

test("a long list of entries is shown page by page", { timeout: 60_000 }, async () => {
  const entries = Array.from({ length: 120 }, (_, i) => ({ id: `long-list-${String(i).padStart(3, "0")}`, category: "memory", severity: "low", title: `Long list ${i}`, tags: ["long-list"] }));
  const call = (method, path, body) => fetch(`${redoubt.url}/api/v1${path}`, { method, headers: { "Content-Type": "application/json" }, ...(body ? { body: JSON.stringify(body) } : {}) });
  assert.equal((await call("POST", "/knowledge/bulk-import", { entries })).status, 200);
  const { page, problems, close } = await visit(browser, redoubt.url, "/knowledge?tag=long-list", { lang: "en" });
  await recorded("knowledge-pages", page, redoubt, async () => {
    await page.getByText("100 of 120 entries").waitFor();
    assert.equal(await page.locator("[data-entry]").count(), 100);
    await page.getByRole("button", { name: "Show more" }).click();
    await page.getByText(/^120 entries/).waitFor();
    const ids = await page.locator("[data-entry]").evaluateAll((all) => all.map((row) => row.getAttribute("data-entry")));
    assert.deepEqual(ids, entries.map((entry) => entry.id));
    assert.equal(await page.getByRole("button", { name: "Show more" }).count(), 0);
    assert.deepEqual(problems, []);
  });
  await close();
  for (const entry of entries) assert.equal((await call("DELETE", `/knowledge/${entry.id}`)).status, 204);
});

test("the API page works under the strict content policy", { timeout: 30_000 }, async () => {
  const { page, problems, close } = await visit(browser, redoubt.url, "/docs", { lang: "en" });
  await recorded("docs", page, redoubt, async () => {
    await page.getByText("/api/v1/monitor/connect").first().waitFor();
    assert.deepEqual(problems, []);
  });
  await close();
});
