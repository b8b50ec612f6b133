// Silencing an alert from its row, and a server's own thresholds, by keyboard as well as by mouse.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessibilityProblems, phone, recorded, startBrowser, startRedis, startRedoubt, until, visit } from "./harness.mjs";

let redis, redoubt, browser;

before(async () => {
  redis = await startRedis("--maxmemory", "50mb");
  redoubt = await startRedoubt("--connect", `redis://127.0.0.1:${redis.port}`);
  browser = await startBrowser();
  await until("the first sample", () => fetch(`${redoubt.url}/api/v1/monitor/metrics`).then((reply) => reply.ok));
  await call("POST", "/monitor/start", { interval: 1 });
});

after(async () => {
  await browser?.close();
  await redoubt?.stop();
  await redis?.stop();
});

async function call(method, path, body) {
  const reply = await fetch(`${redoubt.url}/api/v1${path}`, { method, headers: { "Content-Type": "application/json" }, body: body && JSON.stringify(body) });
  assert.ok(reply.ok, await reply.clone().text());
  return reply.json();
}

const row = (page, rule) => page.locator(`tr[data-rule=${rule}]`);

async function openThresholds(page) {
  await page.locator("h1").waitFor();
  await page.locator("summary").filter({ hasText: "경보 임계값" }).click();
  await row(page, "memory_usage").waitFor();
}

test("a threshold set on the page fires an alert, which its row silences", { timeout: 60_000 }, async () => {
  const { page, problems, close } = await visit(browser, redoubt.url, "/monitor");
  await recorded("settings", page, redoubt, async () => {
    await openThresholds(page);
    await page.getByRole("button", { name: "메모리 사용률 임계값 변경" }).press("Enter");
    const form = page.getByRole("dialog");
    await form.getByLabel("경고 임계값").fill("95");
    await form.getByRole("button", { name: "저장" }).click();
    await form.getByRole("alert").filter({ hasText: "위험 임계값(90%)을 넘습니다" }).waitFor();
    // Key by key: "1." and "2.0" are no numbers yet, and must stay as they are typed.
    for (const typed of ["1.6", "2.05", "1"]) {
      await form.getByLabel("경고 임계값").fill("");
      await form.getByLabel("경고 임계값").focus();
      await page.keyboard.type(typed);
      assert.equal(await form.getByLabel("경고 임계값").inputValue(), `${typed} %`);
    }
    await form.getByLabel("경고 임계값").press("Enter");
    await form.waitFor({ state: "hidden" });
    await row(page, "memory_usage").getByText("경고 1 %").waitFor();

    await page.getByRole("button", { name: "메모리 단편화 임계값 변경" }).press("Enter");
    await form.getByLabel("경고 임계값").focus();
    await page.keyboard.type("2.5");
    await form.getByRole("button", { name: "저장" }).click();
    await form.waitFor({ state: "hidden" });
    const saved = (await call("GET", "/monitor/thresholds")).rules.find((rule) => rule.rule === "fragmentation");
    assert.equal(saved.conditions[0].threshold, 2.5);

    const alert = page.locator("li[data-rule=memory_usage]");
    await alert.getByRole("button", { name: /알림 중지$/ }).press("Enter");
    await page.getByRole("menuitem", { name: "1시간", exact: true }).press("Enter");
    await alert.getByText(/^알림 중지 · .*까지$/).waitFor();
    // A busy machine may add alerts of its own.
    assert.equal((await call("GET", "/monitor/status")).instances[0].alerts.silenced, 1);
    await page.getByRole("menu").waitFor({ state: "hidden" }); // half closed it has parts that belong to nothing
    assert.deepEqual(await accessibilityProblems(page), []);

    await page.getByRole("button", { name: "메모리 사용률 알림 중지 해제" }).press("Enter");
    await page.getByText("중지한 알림이 없습니다.").waitFor();
    await alert.getByText(/^알림 중지 · .*까지$/).waitFor({ state: "detached" });

    await page.getByRole("button", { name: "메모리 사용률 임계값 초기화" }).press("Enter");
    await row(page, "memory_usage").getByText("기본값 사용").waitFor();
    assert.match(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), /메모리 사용률 임계값 변경/);
    await page.locator("li[data-rule=memory_usage][data-state=resolved]").waitFor();
    assert.deepEqual(problems, []);
  });
  await close();
});

test("the thresholds fit a phone", { timeout: 30_000 }, async () => {
  const { page, close } = await visit(browser, redoubt.url, "/monitor", { viewport: phone, scheme: "dark" });
  await recorded("settings-phone", page, redoubt, async () => {
    await openThresholds(page);
    const [content, width] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
    assert.ok(content <= width, `${content} px on ${width} px`);
    assert.deepEqual(await accessibilityProblems(page), []);
  });
  await close();
});
