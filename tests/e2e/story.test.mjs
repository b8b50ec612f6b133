// The product's story: a real Redis fills up, the chart climbs, one alert warns and turns critical, the diagnosis names
// the cause with its evidence and the fix, and after the clean-up the alert resolves.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { recorded, startBrowser, startRedis, startRedoubt, until, visit } from "./harness.mjs";

let redis, redoubt, browser;

before(async () => {
  redis = await startRedis("--maxmemory", "50mb", "--maxmemory-policy", "noeviction");
  redoubt = await startRedoubt("--allow-test-faults", `127.0.0.1:${redis.port}`);
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await redoubt?.stop();
  await redis?.stop();
});

async function connect(page) {
  await page.getByRole("link", { name: "서버 연결하기" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("호스트").fill("127.0.0.1");
  await dialog.getByLabel("포트").fill(`${redis.port}`);
  await dialog.getByLabel("표시 이름").fill("주문 캐시");
  await dialog.getByLabel("장애 주입 허용 요청").check();
  await dialog.getByRole("button", { name: "연결", exact: true }).click();
  await dialog.getByRole("cell", { name: "INFO", exact: true }).waitFor();
  assert.match(await dialog.locator("pre").innerText(), /^ACL SETUSER /);
  await dialog.getByRole("button", { name: "모니터링 보기" }).click();
  await page.getByRole("heading", { level: 1, name: "주문 캐시" }).waitFor();
}

async function pollEverySecond(page) {
  await page.getByLabel("수집 간격(초)").fill("1");
  await page.getByRole("button", { name: "간격 바꾸기" }).click();
  await page.getByText("1초마다").waitFor();
}

const memoryNow = async (page) => parseFloat(await page.locator('[data-metric="memory_usage_percent"] h2 + span').innerText());

// Memory values as the page showed them, and the severities of each memory alert in the order in which they appeared.
async function watchFilling(page) {
  const values = [];
  const seen = new Map();
  await until(
    "the memory alert is critical and writes are refused",
    async () => {
      const value = await memoryNow(page);
      if (Number.isFinite(value) && value !== values.at(-1)) values.push(value);
      const alerts = page.locator('[data-group="memory"]');
      for (const alert of await alerts.all()) {
        const [severity, state] = await Promise.all([alert.getAttribute("data-severity"), alert.getAttribute("data-state")]);
        if (state === "firing" && seen.get(severity) === undefined) seen.set(severity, await alerts.count());
      }
      const refused = await redis.cli("INFO", "errorstats");
      return seen.has("critical") && refused.includes("errorstat_OOM");
    },
    { timeoutMs: 100_000, everyMs: 150 },
  );
  return { values, severities: [...seen.keys()], most: Math.max(...seen.values()) };
}

async function readDiagnosis(page) {
  await page.getByRole("button", { name: "지금 분석" }).click();
  await page.waitForURL(/\/analyze\/[\w-]+$/);
  await page.getByTestId("failure-mode").waitFor();
  // Open every fold, as a reader would.
  await page.locator("details:not([open]) > summary").evaluateAll((all) => all.forEach((summary) => summary.click()));
  const texts = (selector) => page.locator(selector).allInnerTexts();
  return {
    mode: await page.getByTestId("failure-mode").innerText(),
    marks: (await page.locator("article > header").innerText()).replace(/\s+/g, " "),
    fields: await page.locator("[data-field]").evaluateAll((all) => all.map((item) => item.getAttribute("data-field"))),
    knowledge: await page.locator("[data-knowledge]").evaluateAll((all) => all.map((item) => item.getAttribute("data-knowledge"))),
    sections: await texts("article section[aria-label]"),
    commands: await texts("details pre"),
    order: await page.locator("article section[aria-label]").evaluateAll((all) => all.map((item) => item.getAttribute("aria-label"))),
  };
}

test("a full Redis is seen, diagnosed, and seen to recover", { timeout: 180_000 }, async () => {
  const { page, problems, close } = await visit(browser, redoubt.url, "/");
  await recorded("story", page, redoubt, async () => {
    await page.getByRole("heading", { name: "어디에서 시작할까요?" }).waitFor();
    await connect(page);
    await pollEverySecond(page);
    await until("the memory chart has a value", async () => Number.isFinite(await memoryNow(page)));
    const monitor = page.url();

    await page.getByRole("button", { name: "메모리 채우기" }).click();
    const { values, severities, most } = await watchFilling(page);
    assert.ok(values.length >= 10, `the chart climbs in steps, seen: ${values.join(" ")}`);
    assert.ok(values.filter((value, i) => i > 0 && value < values[i - 1]).length <= 1, `it climbs: ${values.join(" ")}`);
    assert.deepEqual(severities, ["warning", "critical"]);
    assert.equal(most, 1, "one alert, that grows");
    assert.match(await page.getByRole("img", { name: /^메모리 사용률, 최근/ }).getAttribute("aria-label"), /최대 \d/);

    const diagnosis = await readDiagnosis(page);
    assert.equal(diagnosis.mode, "oom-noeviction");
    assert.match(diagnosis.marks, /^심각 메모리/);
    assert.match(diagnosis.marks, /확실 \d+ %|유력 \d+ %/);
    assert.equal(diagnosis.knowledge[0], "kb-mem-001");
    for (const field of ["used_memory", "maxmemory", "maxmemory_policy", "errorstat_OOM"]) {
      assert.ok(diagnosis.fields.includes(field), `${field} is evidence: ${diagnosis.fields.join(" ")}`);
    }
    assert.ok(diagnosis.commands.some((command) => command.startsWith("CONFIG SET maxmemory ")), diagnosis.commands.join("\n"));
    assert.deepEqual(diagnosis.order.slice(0, 4), ["가장 먼저 할 일", "하지 마세요", "핵심 근거", "해결 확인"]);

    await page.goto(monitor);
    await page.getByRole("button", { name: "되돌리기" }).click();
    await page.locator('[data-group="memory"][data-state="resolved"]').waitFor({ timeout: 30_000 });
    assert.equal(await redis.cli("DBSIZE"), "0");
    assert.equal(await redis.cli("CONFIG", "GET", "maxmemory"), `maxmemory\n${50 * 1024 * 1024}`);
    assert.deepEqual(problems, []);
  });
  await close();
});
