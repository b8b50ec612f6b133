import { cpSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const here = dirname(fileURLToPath(import.meta.url));
const outDir = resolve(process.env.REDOUBT_WEB_OUT ?? join(here, "dist"));
const server = process.env.REDOUBT_DEV_SERVER ?? "http://127.0.0.1:8000";

// The browsable API page: swagger-ui as its own files in /docs, so that no script stands inside the page.
function apiPage(): Plugin {
  return {
    name: "redoubt-api-page",
    apply: "build",
    closeBundle() {
      const swagger = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
      const target = join(outDir, "docs");
      mkdirSync(target, { recursive: true });
      for (const file of ["swagger-ui-bundle.js", "swagger-ui.css"]) cpSync(join(swagger, file), join(target, file));
      cpSync(join(here, "docs"), target, { recursive: true });
    },
  };
}

export default defineConfig({
  root: here,
  plugins: [react(), apiPage()],
  build: {
    outDir,
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
  },
  server: {
    host: "127.0.0.1",
    proxy: Object.fromEntries(["/api", "/version", "/readyz", "/openapi.json", "/docs"].map((path) => [path, server])),
  },
});
