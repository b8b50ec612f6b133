// Real parts for the browser tests: redis-server, redoubt and Chromium, each on a free port of 127.0.0.1, each stopped.
//   REDOUBT_BUILD   build folder with bin/redoubt and share/redoubt/web (default: build/dev)
//   REDOUBT_CACHE   cache with servers/ (default: ~/.cache/redoubt)
//   CHROMIUM        the browser (default: /usr/bin/chromium)
//   REDOUBT_E2E_OUTPUT   where a failing test leaves a picture and redoubt's log (default: the system's temporary folder)
import { execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const here = dirname(fileURLToPath(import.meta.url));
const root = process.env.REDOUBT_ROOT ?? join(here, "../..");
const build = process.env.REDOUBT_BUILD ?? join(root, "build/dev");
const cache = process.env.REDOUBT_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "redoubt");
const output = process.env.REDOUBT_E2E_OUTPUT ?? tmpdir();
const redisBin = join(cache, "servers/redis-7.0.15/bin");

// The packages are those of web/, linked beside this folder or in web/ itself.
const require = createRequire(existsSync(join(here, "node_modules")) ? import.meta.url : join(root, "web/package.json"));
const { chromium } = require("playwright-core");
const axeSource = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

// Calls `check` until it gives something truthy.
export async function until(what, check, { timeoutMs = 20_000, everyMs = 200 } = {}) {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not in ${timeoutMs / 1000} s: ${what}`);
    await sleep(everyMs);
  }
}

function start(program, args, folder) {
  const child = spawn(program, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  const keep = (chunk) => (log = (log + chunk).slice(-400_000));
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.once("error", (error) => keep(String(error)));
  return {
    log: () => log,
    alive: () => child.exitCode === null && child.signalCode === null && child.pid !== undefined,
    async stop() {
      if (child.pid === undefined) return;
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await gone;
      clearTimeout(late);
    },
  };
}

export async function startRedis(...options) {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "redoubt-e2e-redis-"));
  const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--dir", folder, ...options];
  const server = start(join(redisBin, "redis-server"), args, folder);
  const cli = async (...command) => (await promisify(execFile)(join(redisBin, "redis-cli"), ["-p", `${port}`, ...command])).stdout.trim();
  await until(`redis-server answers\n${server.log()}`, () => cli("PING").catch(() => null));
  return {
    port,
    cli,
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function startRedoubt(...options) {
  const port = await freePort();
  const data = mkdtempSync(join(tmpdir(), "redoubt-e2e-"));
  const args = ["serve", "--http", `127.0.0.1:${port}`, "--ui", "off", "--data", data, "--demo-redis", join(redisBin, "redis-server"), ...options];
  const server = start(join(build, "bin/redoubt"), args, data);
  const url = `http://127.0.0.1:${port}`;
  const ready = async () => {
    if (!server.alive()) throw new Error(`redoubt ended:\n${server.log()}`);
    return fetch(`${url}/readyz`).then((reply) => reply.ok, () => false);
  };
  await until("redoubt is ready", ready, { timeoutMs: 40_000 });
  return {
    url,
    log: server.log,
    async stop() {
      await server.stop();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

export async function startBrowser() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
}

export const desktop = { width: 1440, height: 900 };
export const phone = { width: 390, height: 844 };

// A page of its own visitor. Script errors and refused resources on it fail the test at the end.
export async function visit(browser, url, path, { lang = "ko", scheme = "light", viewport = desktop } = {}) {
  const context = await browser.newContext({
    viewport,
    colorScheme: scheme,
    locale: lang === "ko" ? "ko-KR" : "en-US",
    timezoneId: "Asia/Seoul",
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const problems = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => {
    // A reply with an error status is the page's business, not a mistake of the page.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) problems.push(message.text());
  });
  await page.goto(url + path);
  return { page, problems, close: () => context.close() };
}

// Serious and critical findings of axe-core, as lines.
export async function accessibilityProblems(page) {
  // By the debugger: the page's own policy allows no foreign script.
  await page.evaluate(axeSource);
  const results = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return results.violations
    .filter((violation) => ["serious", "critical"].includes(violation.impact))
    .map((violation) => `${violation.id}: ${violation.nodes.map((node) => `${node.target.join(" ")} ${node.failureSummary}`).join(" | ")}`);
}

// Runs `body`; when it fails, leaves a picture of the page and redoubt's log.
export async function recorded(name, page, redoubt, body) {
  try {
    await body();
  } catch (error) {
    await page.screenshot({ path: join(output, `e2e-${name}.png`), fullPage: true }).catch(() => {});
    writeFileSync(join(output, `e2e-${name}.log`), redoubt.log());
    throw error;
  }
}
