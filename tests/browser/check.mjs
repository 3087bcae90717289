// Looks at pages and feeds as people do, in Chromium: node check.mjs ADDRESS PLAN
//
// PLAN is JSON: { "pages": [{ "path", "status" }], "feeds": [{ "path", "titles", "rightToLeft" }], "feedPages": [{ "path", "title" }] }. Every fault is printed;
// the exit code is 1 if there is one. GAZETTED_NODE_MODULES names the folder that playwright-core and axe-core are in. With
// GAZETTED_SCREENSHOTS, what is seen is written to that folder.

import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { delimiter, join, resolve } from "node:path";

const require = createRequire(join(resolve(process.env.GAZETTED_NODE_MODULES), "x.js"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const [base, plan] = [process.argv[2], JSON.parse(process.argv[3])];
const screenshots = process.env.GAZETTED_SCREENSHOTS;
const WIDTHS = [320, 390, 1280];
const HEIGHT = 900;

const faults = [];
const fault = (where, what) => faults.push(`${where}: ${what}`);

// A page that reports what it loads and what it complains of.
async function open(context, path, status, origin = base) {
  const page = await context.newPage();
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !url.startsWith("data:")) fault(path, `asks for ${url}`);
  });
  page.on("console", (message) => {
    // The browser itself complains of a page that says 404 or 410.
    const isOwn = status !== 200 && message.location().url === origin + path;
    if (["error", "warning"].includes(message.type()) && !isOwn) fault(path, `console: ${message.text()}`);
  });
  page.on("pageerror", (error) => fault(path, `script: ${error}`));
  const answer = await page.goto(origin + path);
  if (answer.status() !== status) fault(path, `answers ${answer.status()}, not ${status}`);
  return page;
}

async function photograph(page, path, look, fullPage = true) {
  if (!screenshots) return;
  const name = decodeURIComponent(path).replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "") || "front";
  mkdirSync(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `${name}.${look}.png`), fullPage });
}

async function overflow(page, where) {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  if (content > window) fault(where, `is ${content} pixels wide in a window of ${window}`);
}

async function accessibility(page, where) {
  await page.evaluate(axe);
  const { passes, violations } = await page.evaluate(() => window.axe.run(document, { preload: false }));
  if (passes.length < 10) fault(where, `only ${passes.length} rules had anything to look at`);
  for (const { id, help, nodes } of violations) {
    fault(where, `${id} (${help}): ${nodes.map((node) => node.html).slice(0, 3).join(" ")}`);
  }
}

// Who uses a keyboard gets to the text with one key, and sees where that leads.
async function skipLink(page, where) {
  await page.keyboard.press("Tab");
  const box = await page.evaluate(() => {
    const { width, height } = document.activeElement.getBoundingClientRect();
    return { isSkip: document.activeElement.className === "skip", width, height };
  });
  if (!box.isSkip || box.width < 24 || box.height < 24) fault(where, `the first stop is ${JSON.stringify(box)}`);
  await page.keyboard.press("Enter");
  const hash = await page.evaluate(() => location.hash);
  if (hash !== "#main-content") fault(where, `the link over the top leads to ${hash}`);
}

async function checkPage(context, { path, status }) {
  const page = await open(context, path, status);
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme });
    for (const width of WIDTHS) {
      const where = `${path} (${scheme}, ${width})`;
      await page.setViewportSize({ width, height: HEIGHT });
      await overflow(page, where);
      if (width !== 320) await photograph(page, path, `${scheme}.${width}`);
      if (width === 390) await accessibility(page, where);
    }
  }
  await accessibility(page, `${path} (dark, 1280)`);
  await skipLink(page, path);
  await page.emulateMedia({ media: "print", colorScheme: "light" });
  await photograph(page, path, "print");
  await page.close();
}

// What a feed shows: the texts that have a box, and which way they go.
const look = () => {
  const root = document.documentElement;
  const shown = [...root.querySelectorAll("*")].filter((element) => element.getClientRects().length > 0);
  const text = (element) => element.textContent.trim();
  const titles = shown.filter((element) => element.localName === "title" && /^(item|entry)$/.test(element.parentNode.localName));
  const edges = titles.map((element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    const [words, box] = [range.getBoundingClientRect(), element.getBoundingClientRect()];
    return box.right - words.right < words.left - box.left ? "right" : "left";
  });
  return {
    notice: getComputedStyle(root, "::before").content,
    titles: titles.map(text),
    edges,
    names: [...new Set(shown.map((element) => element.localName))],
    raw: shown.filter((element) => element.childElementCount === 0).map(text).filter((words) => /<\/?p>|urn:/.test(words)),
    size: (parseFloat(getComputedStyle(root).fontSize) * screen.width) / innerWidth,
  };
};

const SHOWN = [
  "rss", "channel", "item", "title", "link", "description", "pubDate", "creator", "enclosure",
  "feed", "entry", "subtitle", "published", "summary", "author", "name",
];

// Browsers that do not state what a request is for get the feed itself; those that show it as XML apply its style.
const asXml = createServer(async (request, response) => {
  const answer = await fetch(base + request.url);
  const type = answer.headers.get("content-type");
  const headers = { "content-type": /rss|atom/.test(type) ? "application/xml; charset=utf-8" : type };
  for (const name of ["content-security-policy", "x-content-type-options"]) headers[name] = answer.headers.get(name) ?? "";
  response.writeHead(answer.status, headers).end(Buffer.from(await answer.arrayBuffer()));
});
await new Promise((listening) => asXml.listen(0, "127.0.0.1", listening));
const xmlBase = `http://127.0.0.1:${asXml.address().port}`;

// Who opens a feed gets a page about it, which leads to its articles and shows its source.
async function checkFeedPage(context, { path, title }) {
  const page = await open(context, path, 200);
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: HEIGHT });
    await overflow(page, `${path} (${width})`);
    if (width !== 320) await photograph(page, path, `page.${width}`);
  }
  await accessibility(page, path);
  await page.click(`.entries a >> text=${title}`);
  await page.waitForURL(/\/articles\//);
  const heading = await page.textContent("h1");
  if (heading.trim() !== title) fault(path, `leads to ${heading}`);
  await page.goBack();
  await page.click("a[href$='?raw']");
  await page.waitForURL(/\?raw$/);
  const source = await page.textContent("body");
  if (!/^(<\?xml|\{)/.test(source)) fault(path, `shows as its source ${source.slice(0, 50)}`);
  await page.close();
}

async function checkFeed(browser, { path, titles, rightToLeft }) {
  const context = await browser.newContext();
  const page = await open(context, path, 200, xmlBase);
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme });
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 2 * HEIGHT });
      await overflow(page, `${path} (${scheme}, ${width})`);
      // A document that may run no script cannot be measured for a picture of the whole.
      if (width !== 320) await photograph(page, path, `${scheme}.${width}`, false);
    }
  }
  const seen = await page.evaluate(look);
  if (!/web feed.*subscribe/i.test(seen.notice)) fault(path, `does not say what it is: ${seen.notice}`);
  if (seen.titles.join("\n") !== titles.join("\n")) fault(path, `shows ${JSON.stringify(seen.titles)}`);
  const unknown = seen.names.filter((name) => !SHOWN.includes(name));
  if (unknown.length > 0) fault(path, `shows ${unknown}`);
  if (seen.raw.length > 0) fault(path, `shows what machines want: ${seen.raw}`);
  seen.titles.forEach((title, index) => {
    const edge = rightToLeft.includes(title) ? "right" : "left";
    if (seen.edges[index] !== edge) fault(path, `${title} is not at the ${edge}`);
  });
  await context.close();
  // A phone lays out XML for a desk, and makes it small.
  const phone = await browser.newContext({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  const small = await open(phone, path, 200, xmlBase);
  const { size } = await small.evaluate(look);
  if (size < 14) fault(path, `has letters of ${size} pixels on a phone`);
  await photograph(small, path, "phone", false);
  await phone.close();
}

const args = ["--disable-background-networking", "--disable-component-update"];
// A browser has no sandbox for root, as in many containers.
if (process.getuid() === 0) args.push("--no-sandbox");
const executablePath = process.env.PATH.split(delimiter).map((folder) => join(folder, "chromium")).find(existsSync);
const browser = await chromium.launch({ executablePath, args });
try {
  const context = await browser.newContext();
  for (const page of plan.pages) await checkPage(context, page);
  for (const feed of plan.feeds) await checkFeed(browser, feed);
  for (const page of plan.feedPages) await checkFeedPage(context, page);
} finally {
  await browser.close();
  asXml.close();
}
console.log(faults.join("\n"));
process.exitCode = faults.length > 0 ? 1 : 0;
