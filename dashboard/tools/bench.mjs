// Times the page on a folder of data: node tools/bench.mjs DATA
//
// Beside the time on the wall stands what the page's thread took of the processor: a machine that does other work too
// makes the first longer, not the second.
import { launch } from "../test/browser.mjs";
import { serve } from "../test/server.mjs";

const TIMES = 5;
const FILTERS = ["#period=all", "#period=52w", "#period=all&counterparty=5", "#period=all&currency=EUR", "#period=all"];

const server = await serve(process.argv[2]);
const browser = await launch();
const rows = { answer: [], everything: [], filter: [] };
let memory = 0;
for (let time = 0; time < TIMES; time++) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(300_000);
  const session = await context.newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const processor = async () =>
    1000 * (await session.send("Performance.getMetrics")).metrics.find(({ name }) => name === "TaskDuration").value;
  await page.addInitScript(() => {
    window.seen = {};
    new MutationObserver(() => {
      for (const [name, selector] of [
        ["answer", ".answer .big"],
        ["everything", "#figures"],
      ]) {
        if (window.seen[name] === undefined && document.querySelector(selector)) {
          requestAnimationFrame(() =>
            setTimeout(() => {
              window.seen[name] ??= performance.now();
            }),
          );
        }
      }
    }).observe(document, { childList: true, subtree: true });
  });
  await page.goto(server.url);
  await page.waitForFunction(() => window.seen.answer !== undefined);
  const answered = await processor(); // and a little of what comes behind
  await page.waitForFunction(() => window.seen.everything !== undefined);
  const seen = await page.evaluate(() => window.seen);
  rows.answer.push({ wall: seen.answer, processor: answered });
  rows.everything.push({ wall: seen.everything, processor: await processor() });
  for (const filter of FILTERS) {
    const before = await processor();
    const wall = await page.evaluate(async (hash) => {
      const start = performance.now();
      location.hash = hash;
      await new Promise((done) => addEventListener("hashchange", done, { once: true }));
      await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
      return performance.now() - start;
    }, filter);
    await page.waitForTimeout(100);
    rows.filter.push({ wall, processor: (await processor()) - before });
  }
  memory = await page.evaluate(() => performance.memory.usedJSHeapSize / 1e6);
  await context.close();
}
const median = (values) => values.sort((one, other) => one - other)[Math.floor(values.length / 2)];
for (const [name, all] of Object.entries(rows)) {
  const wall = median(all.map((row) => row.wall));
  const taken = all.map((row) => row.processor).filter((value) => value !== undefined);
  console.log(
    `${name.padEnd(12)} ${wall.toFixed(0).padStart(6)} ms${taken.length ? `, ${median(taken).toFixed(0)} ms of the processor` : ""}`,
  );
}
console.log(`memory       ${memory.toFixed(0).padStart(6)} MB`);
await browser.close();
server.close();
