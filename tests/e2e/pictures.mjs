// Makes the pictures of docs/images from the running product: a demo server that was filled, and its diagnosis.
//   node tests/e2e/pictures.mjs docs/images
import { join } from "node:path";
import { startBrowser, startRedoubt, until, visit } from "./harness.mjs";

const folder = process.argv[2] ?? ".";
const redoubt = await startRedoubt();
const browser = await startBrowser();

async function call(method, path, body) {
  const reply = await fetch(redoubt.url + path, { method, headers: { "Content-Type": "application/json" }, body: body && JSON.stringify(body) });
  if (!reply.ok) throw new Error(`${method} ${path}: ${await reply.text()}`);
  return reply.json();
}

try {
  const { instance } = await call("POST", "/api/v1/monitor/demo", {});
  await call("POST", `/api/v1/monitor/test/fill-memory?instance=${instance}`);
  await until(
    "the demo server refuses writes",
    async () => (await call("GET", `/api/v1/monitor/test?instance=${instance}`)).faults.some((fault) => fault.error_type === "OOM"),
    { timeoutMs: 120_000, everyMs: 1000 },
  );
  for (const [lang, scheme] of [["ko", "light"], ["en", "light"], ["ko", "dark"], ["en", "dark"]]) {
    const analysis = await call("POST", "/api/v1/monitor/analyze", { instance, lang });
    const end = scheme === "dark" ? "-dark" : "";
    for (const [name, path] of [["analysis", `/analyze/${analysis.id}`], ["monitor", `/monitor?instance=${instance}&range=m5`]]) {
      const { page, close } = await visit(browser, redoubt.url, path, { lang, scheme });
      await page.locator("h1").waitFor();
      await page.waitForTimeout(3000);
      await page.screenshot({ path: join(folder, `${name}-${lang}${end}.png`) });
      await close();
    }
  }
} finally {
  await browser.close();
  await redoubt.stop();
}
