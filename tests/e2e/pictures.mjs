// Makes the pictures of docs/images from the running product: the diagnosis of a demo server that was filled.
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
  for (const lang of ["ko", "en"]) {
    const analysis = await call("POST", "/api/v1/monitor/analyze", { instance, lang });
    const { page, close } = await visit(browser, redoubt.url, `/analyze/${analysis.id}`, { lang });
    await page.locator("h1").waitFor();
    await page.waitForTimeout(3000);
    await page.screenshot({ path: join(folder, `analysis-${lang}.png`) });
    await close();
  }
} finally {
  await browser.close();
  await redoubt.stop();
}
