// Copies the third-party files that the console uses out of node_modules into src/troth/office/static/vendor/, each
// with a .gz beside it. Run by `npm run build` after `npm ci`. What it writes is git-ignored.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const vendor = join(here, "..", "src", "troth", "office", "static", "vendor");
const packages = join(here, "node_modules");

/** The top-level rules of a style sheet, as [prelude, block] pairs. */
function* rules(css) {
  let start = 0, depth = 0, open = 0, quote = "";
  for (let i = 0; i < css.length; i++) {
    const c = css[i];
    if (quote) { if (c === "\\") i++; else if (c === quote) quote = ""; }
    else if (c === '"' || c === "'") quote = c;
    else if (c === "{") { if (depth++ === 0) open = i; }
    else if (c === "}" && --depth === 0) {
      yield [css.slice(start, open), css.slice(open, i + 1)];
      start = i + 1;
    }
  }
}

/**
 * Tabler knows light and dark by an attribute only. A page marked `auto` is to follow the system without a script, so
 * each rule for `[data-bs-theme=dark]` gets a twin for `[data-bs-theme=auto]` inside a media query.
 */
function followSystem(css) {
  const twins = [];
  for (const [prelude, block] of rules(css)) {
    if (prelude.trimStart().startsWith("@")) continue;
    const selectors = prelude.split(",").filter((one) => one.includes("[data-bs-theme=dark]") && !one.includes(":not("));
    const mine = selectors.filter((one) => !one.includes("[data-bs-theme=light]"));
    if (mine.length) twins.push(mine.map((one) => one.replaceAll("=dark]", "=auto]")).join(",") + block);
  }
  return `${css}\n@media (prefers-color-scheme:dark){${twins.join("")}}`;
}

async function put(name, text) {
  await writeFile(join(vendor, name), text);
  await writeFile(join(vendor, `${name}.gz`), gzipSync(text, { level: 9 }));
}

async function source(...path) {
  const text = await readFile(join(packages, ...path), "utf8");
  return text.replace(/^@charset "UTF-8";/, "").replace(/\/[/*]# sourceMappingURL=.*$/m, "");
}

await rm(vendor, { recursive: true, force: true });
await mkdir(vendor, { recursive: true });
const tabler = followSystem(await source("@tabler", "core", "dist", "css", "tabler.min.css"));
// In a layer of its own, so that the console's few rules win without fighting over specificity.
await put("tabler.css", `@layer tabler{${tabler}}`);
await put("htmx.js", await source("htmx.org", "dist", "htmx.min.js"));
await put(
  "LICENCES.txt",
  (await Promise.all(
    [["@tabler/core"], ["htmx.org"]].map(async ([name]) => {
      const told = JSON.parse(await readFile(join(packages, name, "package.json"), "utf8"));
      const licence = await readFile(join(packages, name, "LICENSE"), "utf8").catch(() => told.license);
      return `${told.name} ${told.version}\n\n${licence}\n`;
    }),
  )).join("\n----\n\n"),
);
console.log(`built ${vendor}`);
