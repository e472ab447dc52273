// Takes the pictures of the README: node tools/pictures.mjs DATA FOLDER ORDER
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { launch } from "../test/browser.mjs";
import { serve } from "../test/server.mjs";

const [data, folder, order] = process.argv.slice(2);
const latest = JSON.parse(readFileSync(join(data, "latest.json"), "utf8"));
const moments = JSON.parse(readFileSync(join(data, "moments", `${latest.days.at(-1)}.json`), "utf8")).moments;
const DESKTOP = { width: 1280, height: 1000 };
const PHONE = { width: 390, height: 844 };
const server = await serve(data);
const browser = await launch();

async function picture(name, hash, { viewport = DESKTOP, scheme = "light", before = async () => {} } = {}) {
  const context = await browser.newContext({
    viewport,
    colorScheme: scheme,
    locale: "en-GB",
    timezoneId: "Europe/London",
  });
  // As somebody who has looked at the first snapshot already.
  await context.addInitScript((seen) => localStorage.setItem("totes.seen", JSON.stringify(seen)), {
    batch: moments[0].batch,
    at: Date.parse(moments[0].captured_at) - 20 * 3_600_000,
  });
  const page = await context.newPage();
  await page.clock.setFixedTime(Date.parse(latest.status.checked_at) + 180_000);
  await page.goto(server.url + hash);
  await page.waitForSelector("#figures");
  await before(page);
  await page.evaluate(() => document.fonts.ready);
  await page.waitForTimeout(300);
  await page.screenshot({ path: join(folder, `${name}.png`) });
  await context.close();
}

await picture("dashboard-light", "");
await picture("dashboard-dark", "#currency=GBP&period=52w", {
  scheme: "dark",
  before: (page) => page.evaluate(() => document.querySelector("#countries").scrollIntoView()),
});
await picture("dashboard-phone", "", { viewport: PHONE });
await picture("dashboard-as-of", `#asof=${moments[0].captured_at}`);
await picture("dashboard-drill", `#row=sales_order-${order}`);
await browser.close();
server.close();
