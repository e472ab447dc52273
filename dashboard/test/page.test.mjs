// What the page promises, in a real browser, on a snapshot that the publisher wrote. Called by tests/integration/dashboard.
//
// DATA is the folder of data; EXPECTED a JSON file: what PostgreSQL says of the same warehouse, as of each snapshot.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { isPublished } from "../src/data/digest.ts";
import { bucketsOf } from "../src/figures/days.ts";
import { convert } from "../src/figures/rates.ts";
import { csvOf } from "../src/ui/csv.ts";
import { launch } from "./browser.mjs";
import { serve } from "./server.mjs";

const DATA = process.env.DATA;
const EXPECTED = JSON.parse(readFileSync(process.env.EXPECTED, "utf8"));
const NOW = EXPECTED.snapshots.at(-1);
const THEN = EXPECTED.snapshots[0];
const LATEST = JSON.parse(readFileSync(join(DATA, "latest.json"), "utf8"));
const CHECKED = Date.parse(LATEST.status.checked_at);
const MOMENTS = JSON.parse(readFileSync(join(DATA, "moments", `${LATEST.days.at(-1)}.json`), "utf8")).moments;
const OLDER = MOMENTS.find(({ batch }) => batch === THEN.batch) ?? MOMENTS[0];
const AXE = readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");
const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };
/** After so long, in milliseconds, a look at the page is another visit. */
const LATER = 2 * 3_600_000;
const CODES = [...new Set(NOW.orders.map(({ currency }) => currency))];

let browser;
let server;
/** What the server says of a path below data/ for once. */
const answers = new Map();
const complaints = [];

before(async () => {
  server = await serve(DATA, (path) => answers.get(path));
  browser = await launch();
});
after(async () => {
  await browser?.close();
  server?.close();
});

/** Open the page as somebody who has never been here, a minute after the last run. */
async function open(hash = "", { viewport = DESKTOP, scheme = "light", at = CHECKED + 60_000, context } = {}) {
  const own =
    context ?? (await browser.newContext({ viewport, colorScheme: scheme, locale: "en-GB", timezoneId: "UTC" }));
  const page = await own.newPage();
  page.setDefaultTimeout(30_000);
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(server.url) && !url.startsWith("blob:")) complaints.push(`request to ${url}`);
  });
  await page.clock.setFixedTime(at);
  await page.goto(server.url + hash);
  return page;
}

async function shown(hash, options) {
  const page = await open(hash, options);
  await page.waitForSelector("#figures");
  return page;
}

/** Go to another address in the open page, once it has gone back from a drawer that was closed. */
async function go(page, hash) {
  await page.waitForFunction(() => history.state === null || document.querySelector("dialog") !== null);
  await page.evaluate((to) => {
    location.hash = to;
  }, hash);
  await drawn(page);
}

/** Wait until what has changed is drawn. */
const drawn = (page) =>
  page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));

/** Show the table of every figure. */
async function showTables(page) {
  await page.evaluate(() => {
    for (const button of document.querySelectorAll('.tools button[aria-pressed="false"]')) button.click();
  });
  await page.waitForSelector("#sales table");
}

/** Every figure's table: its rows, each a list of its cells' values. */
const tables = (page) =>
  page.evaluate(() =>
    Object.fromEntries(
      Array.from(document.querySelectorAll(".figure"), (figure) => [
        figure.id,
        Array.from(figure.querySelectorAll("tbody tr"), (row) =>
          Array.from(row.querySelectorAll("td"), ({ dataset }) =>
            dataset.value === "" ? null : Number.isNaN(Number(dataset.value)) ? dataset.value : Number(dataset.value),
          ),
        ),
      ]),
    ),
  );

const dayOf = (text) => Date.parse(text) / 86_400_000;
const isoDay = (day) => new Date(day * 86_400_000).toISOString().slice(0, 10);
const sum = (rows, of) => rows.reduce((all, row) => all + of(row), 0);
const sorted = (rows) => rows.map((row) => JSON.stringify(row)).sort();
// Of many months a few, the first and the last among them.
const months = [...new Set(NOW.orders.concat(NOW.purchases).map(({ day }) => day.slice(0, 7)))]
  .sort()
  .filter((_, place, all) => all.length < 8 || place % 5 === 0 || place === all.length - 1);
const lastDay = (month) =>
  isoDay(dayOf(new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)), 0)).toISOString().slice(0, 10)));
const monthly = (name, month, code) =>
  NOW.views[name].filter((row) => row.month === `${month}-01` && (row.currency ?? code) === code);

/** A name as the view has it: the page tells those that several have apart by their keys. */
const unkeyed = (name) => name.replace(/ #-?\d+$/, "");

/** A share as the view rounds it. */
const rounded = (share) => Math.round(share * 1e6) / 1e6;

test("every figure of a month is what its view says, in each currency", async () => {
  const page = await shown("#period=all");
  await showTables(page);
  for (const month of months) {
    for (const code of CODES) {
      await go(page, `#period=custom&from=${month}-01&to=${lastDay(month)}&currency=${code}`);
      const found = await tables(page);
      const at = `${month} ${code}`;
      const sold = sum(found.sales, ([, , , revenue]) => revenue);
      const [traded = { revenue: 0, cost: 0 }] = monthly("purchases_against_sales", month, code);
      assert.equal(sold, traded.revenue, at);
      assert.equal(
        sum(found.purchases, ([, revenue]) => revenue),
        traded.revenue,
        at,
      );
      assert.equal(
        sum(found.purchases, ([, , cost]) => cost),
        traded.cost,
        at,
      );
      for (const [start, orders, units, revenue, average] of found.sales) {
        const days = NOW.views.sales_by_day.filter(({ day, currency }) => dayOf(day) === start && currency === code);
        assert.deepEqual(
          [orders, units, revenue, average],
          days.length === 0 ? [0, 0, 0, null] : [days[0].orders, days[0].units, days[0].revenue, days[0].average_order],
          `${at} ${isoDay(start)}`,
        );
      }
      const ranked = (rows) => sorted(rows.map(([name, orders, units, revenue]) => [name, orders, units, revenue]));
      const same = (id, view, nameOf, rows = found[id]) =>
        assert.deepEqual(
          ranked(rows),
          sorted(monthly(view, month, code).map((row) => [nameOf(row), row.orders, row.units, row.revenue])),
          `${at} ${id}`,
        );
      same("designs", "sales_by_design", (row) => `${row.design} #${row.design_id}`);
      same("countries", "sales_by_country", (row) => row.country);
      const people = found.staff.map(([name, ...rest]) => [unkeyed(name), ...rest]);
      same("staff", "sales_by_staff", (row) => row.staff, people);
      const departments = Object.groupBy(monthly("sales_by_staff", month, code), ({ department }) => department);
      assert.deepEqual(
        ranked(found.departments),
        sorted(
          Object.entries(departments).map(([name, rows]) => [
            name,
            sum(rows, ({ orders }) => orders),
            sum(rows, ({ units }) => units),
            sum(rows, ({ revenue }) => revenue),
          ]),
        ),
        `${at} departments`,
      );
      assert.deepEqual(
        sorted(found.suppliers.map(([name, orders, items, cost]) => [unkeyed(name), orders, items, cost])),
        sorted(
          monthly("purchases_by_counterparty", month, code).map((row) => [
            row.counterparty,
            row.orders,
            row.items,
            row.cost,
          ]),
        ),
        `${at} suppliers`,
      );
      const times = monthly("order_to_payment_days", month, code);
      assert.equal(
        sum(found["payment-times"], ([, paid]) => paid),
        times[0]?.paid ?? 0,
        `${at} paid`,
      );
      assert.equal(
        sum(found["payment-times"], ([, , open]) => open),
        times[0]?.not_paid ?? 0,
        `${at} not paid`,
      );
      const leads = monthly("lead_times", month, code).map((row) => [
        row.country,
        row.median_days,
        row.ninety_percent_days,
      ]);
      assert.deepEqual(
        sorted(found.countries.map((row) => [row[0], row[5], row[6]])),
        sorted(leads),
        `${at} lead times`,
      );
    }
  }
  await page.context().close();
});

test("figures of all time are what their views say: concentration, money due, the usual, quality", async () => {
  const page = await shown("#period=all");
  await showTables(page);
  for (const code of CODES) {
    await go(page, `#period=all&currency=${code}`);
    const found = await tables(page);
    const mine = (name) => NOW.views[name].filter(({ currency }) => currency === code);
    assert.deepEqual(
      found.counterparties.map(([name, orders, units, revenue, share, here]) => [
        unkeyed(name),
        orders,
        units,
        revenue,
        rounded(share),
        rounded(here),
      ]),
      mine("sales_by_counterparty").map((row) => [
        row.counterparty,
        row.orders,
        row.units,
        row.revenue,
        row.share,
        row.share_to_here,
      ]),
    );
    for (const [id, view] of [
      ["receipts-due", "receipts_due_by_age"],
      ["payments-due", "payments_due_by_age"],
    ]) {
      assert.deepEqual(
        sorted(
          found[id]
            .filter((row) => row[1] > 0)
            .map(([age, count, amount, oldest]) => [age, count, amount, isoDay(oldest)]),
        ),
        sorted(mine(view).map((row) => [row.age, row.payments, row.amount, row.oldest])),
        `${code} ${id}`,
      );
      // What is due today is in this age, and is not overdue.
      const named = await page.$$eval(`#${id} [data-value="0-30"]`, (all) => all.map(({ textContent }) => textContent));
      assert.deepEqual(named, found[id].length === 0 ? [] : ["Due today, or up to 30 days overdue"]);
    }
    const values = (selector) => page.$$eval(selector, (all) => all.map(({ dataset }) => Number(dataset.value)));
    for (const [id, view] of [
      ["#due-in", "receipts_due_by_age"],
      ["#due-out", "payments_due_by_age"],
    ]) {
      assert.deepEqual(await values(`${id} .big`), [sum(mine(view), ({ amount }) => amount)], `${code} ${id}`);
    }
    // What is overdue may come to nothing or less, as credit notes do, and is overdue all the same.
    const overdue = NOW.overdue.filter((row) => row.currency === code && row.direction === "in");
    assert.deepEqual(
      await values("#due-in .overdue"),
      overdue.map(({ amount }) => amount),
      code,
    );
    for (const { payments } of overdue) {
      const receipts = sum(mine("receipts_due_by_age"), (row) => row.payments);
      assert.match(
        await page.textContent("#due-in .overdue"),
        new RegExp(` overdue, ${payments.toLocaleString("en-GB")} of ${receipts.toLocaleString("en-GB")} receipt`),
      );
    }
    const elsewhere = await page.$$eval("#due-in .elsewhere span:last-child", (all) =>
      all.map(({ textContent }) => textContent),
    );
    const others = NOW.overdue.filter((row) => row.currency !== code && row.direction === "in");
    // Beside all in one currency is each for itself, of which this does not know.
    if (code !== "all")
      assert.equal(elsewhere.filter((said) => said !== "nothing overdue").length, others.length, elsewhere.join());
    // What is overdue is a part of all only where it is between nothing and all.
    const open = sum(mine("receipts_due_by_age"), ({ amount }) => amount);
    const late = sum(overdue, ({ amount }) => amount);
    const shares = await page.$$eval("#due-in .meter", (all) =>
      all.map(({ ariaLabel }) => Number.parseFloat(ariaLabel)),
    );
    const part = open === 0 ? 0 : Math.round((1000 * late) / open) / 10;
    assert.deepEqual(shares, late >= 0 && late <= open ? [part] : [], code);
    const usual = NOW.usual.find(({ currency }) => currency === code);
    assert.deepEqual(await values("#yesterday .big"), [usual.revenue]);
    assert.deepEqual(await values("#yesterday .usual"), usual.median === null ? [] : [usual.median]);
    const allTimes = NOW.payment_times.find(({ currency }) => currency === code);
    if (allTimes?.median_days !== undefined && allTimes.median_days !== null) {
      const said = await page.textContent("#payment-times .sentence");
      assert.match(
        said,
        new RegExp(
          `within ${allTimes.median_days} days? of the order and nine of ten within ${allTimes.ninety_percent_days} day`,
        ),
      );
    }
    if (code !== CODES[0]) continue;
    assert.deepEqual(
      found.lag.map(([day, batches, rowsIn, versions, deleted, quarantined]) => [
        isoDay(day),
        batches,
        rowsIn,
        versions,
        deleted,
        quarantined,
      ]),
      NOW.views.loads_by_day.map((row) => [
        row.day,
        row.batches,
        row.rows_in,
        row.versions,
        row.deleted,
        row.quarantined,
      ]),
    );
    const waiting = Object.groupBy(found.quarantine, ([table]) => table);
    for (const [table, rows] of Object.entries(Object.groupBy(NOW.waiting, ({ star_table }) => star_table))) {
      assert.equal(
        sum(waiting[table], (row) => row[3]),
        rows.filter(({ stale }) => stale).length,
        table,
      );
    }
    const stale = NOW.waiting.filter(({ stale: shown }) => shown).length;
    assert.ok(
      (await page.textContent("#quarantine .sentence")).includes(
        NOW.waiting.length === 0
          ? "every row"
          : `: ${NOW.waiting.length - stale} missing here, ${stale} still shown as`,
      ),
    );
    if (EXPECTED.wide) assert.ok((await page.textContent("#quarantine table")).includes(EXPECTED.wide));
    assert.deepEqual(
      sorted(Object.entries(waiting).map(([table, rows]) => [table, sum(rows, (row) => row[2])])),
      sorted(NOW.views.quarantine_by_table.map((row) => [row.star_table, row.quarantined])),
    );
    assert.deepEqual(
      sorted(found.drift.map(([what, batch]) => [what, batch])),
      sorted(NOW.views.source_changes.map((row) => [row.what, row.batch])),
    );
  }
  await page.context().close();
});

test("an open payment of another kind is in no sum of what is owed, and each of these says so and opens it", async () => {
  const wanted = NOW.neither_in_nor_out.length;
  const page = await shown("#period=all");
  const places = ["#due-in", "#due-out", "#receipts-due", "#payments-due"];
  const text = wanted === 1 ? "1 open payment of another kind is" : `${wanted} open payments of another kind are`;
  for (const place of places) {
    const said = await page.$$eval(`${place} .other-kinds`, (all) => all.map(({ textContent }) => textContent));
    assert.deepEqual(said, wanted === 0 ? [] : [`${text} counted neither as owed to us nor as owed by us.`], place);
    if (wanted === 0) continue;
    await page.click(`${place} .other-kinds button`);
    assert.equal(await page.$eval(".drawer .summary b", ({ dataset }) => Number(dataset.value)), wanted);
    await page.keyboard.press("Escape");
  }
  await page.context().close();
});

test("filters narrow the figures as WHERE does, and the address keeps them", async () => {
  const page = await shown("#period=all");
  const total = () => page.$eval("#sales-revenue b", ({ dataset }) => Number(dataset.value || 0));
  const [code] = CODES;
  const order = NOW.orders.find(({ currency }) => currency === code);
  const expected = (passes) =>
    sum(
      NOW.orders.filter((row) => row.currency === code && passes(row)),
      ({ revenue }) => revenue,
    );
  await page.check(
    `input[name=currency] >> nth=${await page.$$eval("input[name=currency]", (all, wanted) => all.findIndex((each) => each.parentElement.textContent === wanted), code)}`,
    { force: true },
  );
  assert.equal(
    await total(),
    expected(() => true),
  );
  await page.selectOption("#department", order.department);
  assert.equal(
    await total(),
    expected((row) => row.department === order.department),
  );
  await page.selectOption("#counterparty", String(order.counterparty_id));
  const both = (row) => row.department === order.department && row.counterparty_id === order.counterparty_id;
  assert.equal(await total(), expected(both));
  await page.selectOption("#design", String(order.design_id));
  assert.equal(
    await total(),
    expected((row) => both(row) && row.design_id === order.design_id),
  );
  // The cards say which of the filters they leave alone.
  const notes = await page.$$eval(".card > .note", (all) => all.map(({ textContent }) => textContent));
  assert.deepEqual(notes, [
    "Whatever the period or department or design.",
    "Whatever the period or department or design.",
    "Whatever the department or counterparty or design.",
  ]);
  // Where nothing of theirs is open in a currency, there is nothing to say of it.
  const sums = await page.$$eval(".elsewhere li button", (all) => all.map(({ textContent }) => textContent));
  assert.deepEqual(
    sums.filter((text) => /^\D*0$/.test(text)),
    [],
  );
  const hash = new URL(page.url()).hash;
  assert.match(hash, /department=.*counterparty=.*design=/);
  const again = await shown(hash, { context: page.context() });
  assert.equal(await again.$eval("#sales-revenue b", ({ dataset }) => Number(dataset.value)), await total());
  await page.click("text=Clear");
  await page.selectOption("#period", "4w");
  const today = dayOf(NOW.as_of_day);
  const within = (from, to) => (row) => dayOf(row.day) >= from && dayOf(row.day) <= to;
  assert.equal(await total(), expected(within(today - 27, today)));
  // A period is compared with the one before, of the same length; today is not over, and is in neither.
  await go(page, `#period=custom&from=${isoDay(today - 1)}&to=${isoDay(today)}&currency=${code}`);
  assert.equal(await total(), expected(within(today - 1, today)));
  const [now, earlier] = [today - 1, today - 3].map((day) => expected(within(day, day)));
  const delta = (await page.textContent("#sales-revenue .delta")).replace("−", "-").replace(/[+,]/g, "");
  assert.equal(Number.parseInt(delta, 10), Math.round((100 * (now - earlier)) / earlier));
  assert.match(await page.textContent("#sales .sentence"), /the period before .*, today left out\.$/);
  // Of a month that is not all in the period its row has the days that are; it is named and exported as these.
  const year = Number(NOW.as_of_day.slice(0, 4)) - 2;
  let to = today;
  while (!isoDay(to).endsWith("-20")) to++;
  await go(page, `#period=custom&from=${year}-12-20&to=${isoDay(to)}&currency=${code}`);
  await showTables(page);
  const { sales } = await tables(page);
  const names = await page.$$eval("#sales tbody td:first-child", (all) => all.map(({ textContent }) => textContent));
  assert.deepEqual(
    [sales[0], sales[1]].map(([from]) => isoDay(from)),
    [`${year}-12-20`, `${year + 1}-01-01`],
  );
  assert.match(`${names[0]}, ${names[1]}`, new RegExp(`^20\\s?–\\s?31 Dec ${year}, January ${year + 1}$`));
  assert.match(names.at(-1), /^1\s?–\s?20 \w+ \d+$/);
  assert.equal(
    sum(sales, ([, , , revenue]) => revenue),
    expected(() => true),
  );
  await page.context().close();
});

test("what makes no sense in an address is as if it were not there, and who is not there is said to be unknown", async () => {
  const page = await shown("#period=all");
  const total = () => page.$eval("#sales-revenue b", ({ dataset }) => Number(dataset.value));
  const all = await total();
  for (const odd of [
    "period=custom&from=0001-01-01&to=9999-12-31",
    "period=custom&from=2024-02-31&to=2024-03-31",
    "period=all&currency=XXX&asof=2026-13-45&row=payment-x",
    "period=all&currency=__proto__&counterparty=--1&design=1e3&asof=yesterday",
  ]) {
    await go(page, `#${odd}`);
    assert.equal(await total(), all, odd);
  }
  assert.match(await page.textContent(".filters"), /__proto__, not known here/);
  // Two days are in either order, and what is typed into a field is taken once it is a day that somebody may mean.
  const [from, to] = [isoDay(dayOf(NOW.as_of_day) - 3), NOW.as_of_day];
  await go(page, `#period=custom&from=${from}&to=${to}`);
  const stretch = await page.textContent(".filters .days");
  await go(page, `#period=custom&from=${to}&to=${from}`);
  assert.equal(await page.textContent(".filters .days"), stretch);
  const address = new URL(page.url()).hash;
  for (const typed of ["0002-11-30", "0202-11-30", "20266-11-30"]) {
    await page.$eval(
      "input[type=date] >> nth=1",
      (field, day) => {
        field.value = day;
        field.dispatchEvent(new Event("change"));
      },
      typed,
    );
    assert.deepEqual([new URL(page.url()).hash, await page.textContent(".filters .days")], [address, stretch], typed);
  }
  // Years that a mistyped day brings are drawn as years.
  await go(page, "#period=custom&from=1900-03-01&to=2199-06-30");
  assert.equal(await total(), all);
  assert.match(await page.textContent("#sales-revenue"), /19\d\d/);
  await showTables(page);
  const { sales } = await tables(page);
  assert.deepEqual(
    [0, 1].map((place) => isoDay(sales[place][0])),
    ["1900-03-01", "1901-01-01"],
  );
  const years = await page.$$eval("#sales tbody td:first-child", (all) => all.map(({ textContent }) => textContent));
  assert.deepEqual([years[0], years[1], years.at(-1)], ["1 Mar – 31 Dec 1900", "1901", "1 Jan – 30 Jun 2199"]);
  const nobody = Object.entries({ counterparty: 4_000_000, design: 4_000_000, department: "Nowhere" });
  for (const [filter, value] of nobody) {
    await go(page, `#period=all&${filter}=${value}`);
    const said = await page.$eval(`#${filter}`, (select) => select.selectedOptions[0]?.textContent);
    assert.match(said, new RegExp(`^#?${value}, not known here$`));
    assert.equal(await page.textContent("#sales .sentence"), "No orders in this period.");
  }
  await page.context().close();
});

test("a key may be less than nothing or of ten digits, in a filter and in a row's address", {
  skip: !EXPECTED.extreme,
}, async () => {
  const page = await shown("#period=all");
  for (const key of EXPECTED.extreme) {
    for (const filter of ["design", "counterparty"]) {
      const rows = NOW.orders.filter((row) => row[`${filter}_id`] === key);
      assert.ok(rows.length > 0);
      for (const code of new Set(rows.map(({ currency }) => currency))) {
        await go(page, `#period=all&currency=${code}&${filter}=${key}`);
        assert.equal(
          await page.$eval("#sales-revenue b", ({ dataset }) => Number(dataset.value)),
          sum(
            rows.filter(({ currency }) => currency === code),
            ({ revenue }) => revenue,
          ),
          `${filter} ${key} ${code}`,
        );
      }
    }
    await go(page, `#period=all&row=sales_order-${key}`);
    await page.waitForFunction(
      (title) => document.querySelector(".drawer h2")?.textContent === title,
      `Sales order ${key}`,
    );
    assert.ok((await page.textContent(".drawer .versions")).includes(` #${key}Units`));
  }
  await page.context().close();
});

test("customers and people of one name are told apart by their keys", { skip: !EXPECTED.extreme }, async () => {
  const page = await shown("#period=all");
  await showTables(page);
  const choices = await page.$$eval("#counterparty option", (all) => all.map(({ textContent }) => textContent));
  const { staff, counterparties } = await tables(page);
  for (const names of [choices, staff.map(([name]) => name), counterparties.map(([name]) => name)]) {
    assert.deepEqual([...new Set(names)], names);
  }
  const [key] = EXPECTED.extreme;
  assert.ok(choices.some((name) => name.endsWith(` #${key}`)));
  await page.context().close();
});

test("three clicks lead from a figure to the rows, the versions and the batch", async () => {
  const { id, versions } = NOW.changed_order;
  const order = NOW.orders.find((row) => row.id === id);
  const page = await shown(`#period=all&currency=${order.currency}`);
  await page.click("#sales .sentence button");
  const rows = NOW.orders.filter(({ currency }) => currency === order.currency);
  assert.equal(await page.$eval(".drawer .summary b", ({ dataset }) => Number(dataset.value)), rows.length);
  assert.equal(
    await page.$eval(".drawer .summary span", ({ dataset }) => Number(dataset.value)),
    sum(rows, ({ revenue }) => revenue),
  );
  assert.ok((await page.$$(".drawer .item")).length < 80, "only what is seen is drawn");
  // The row is somewhere down the list: scroll until it is drawn.
  const link = page.locator(".drawer .item button", { hasText: new RegExp(`^${id}$`) });
  for (let top = 0; (await link.count()) === 0 && top < rows.length * 40; top += 400) {
    await page.$eval(".rows", (element, to) => element.scrollTo(0, to), top);
    await page.waitForTimeout(20);
  }
  await link.click();
  await page.waitForSelector(".versions td");
  assert.match(page.url(), new RegExp(`row=sales_order-${id}`));
  const heads = await page.$$eval(".versions thead button", (all) => all.map(({ textContent }) => textContent));
  assert.deepEqual(
    heads,
    versions.map(({ batch }) => `Batch ${batch}`),
  );
  const units = await page.$$eval(".versions tr", (all) =>
    Array.from(all.find((row) => row.querySelector("th").textContent === "Units").querySelectorAll("td"), (cell) => [
      cell.querySelector("bdi").textContent,
      cell.classList.contains("changed"),
    ]),
  );
  assert.deepEqual(
    units,
    versions.map((version, place) => [
      version.units.toLocaleString("en-GB"),
      place > 0 && versions[place - 1].units !== version.units,
    ]),
  );
  await page.click(".versions thead button >> nth=-1");
  const said = await page.textContent(".drawer table");
  const captured = new Date(versions.at(-1).captured_at).toLocaleString("en-GB", {
    dateStyle: "medium",
    timeStyle: "medium",
    timeZone: "UTC",
  });
  assert.ok(said.includes(captured), `${said} does not say ${captured}`);
  // What is blank on the sheet is the sheet; beside it is a way out.
  await page.mouse.click(DESKTOP.width - 40, DESKTOP.height - 40);
  assert.equal(await page.textContent(".drawer h2"), `Batch ${versions.at(-1).batch}`);
  await page.mouse.click(40, DESKTOP.height - 40);
  assert.equal(await page.locator("dialog").count(), 0);
  // A row that is gone can be named still.
  await go(page, `#row=sales_order-${NOW.deleted_order}`);
  await page.waitForSelector(".versions td");
  assert.match(await page.textContent(".drawer"), /gone from the source/);
  await page.context().close();
  // Who comes by a link to a row goes back to the shop.
  const linked = await shown(`#period=all&row=sales_order-${NOW.deleted_order}`);
  await linked.waitForSelector(".versions td");
  await linked.evaluate(() => history.back());
  await linked.waitForFunction(() => document.querySelector("dialog") === null);
  assert.equal(new URL(linked.url()).hash, "#period=all");
  await linked.context().close();
});

test("a row whose change waits in quarantine is shown as it last could be, and said to be so", {
  skip: !EXPECTED.waiting,
}, async () => {
  const page = await shown("#period=all");
  for (const [key, said] of EXPECTED.waiting) {
    const { batch } = NOW.waiting.find((row) => row.star_table === "fact_sales_order" && row.key === key);
    await go(page, `#period=all&row=sales_order-${key}`);
    await page.waitForFunction(
      (title) =>
        document.querySelector(".drawer h2")?.textContent === title &&
        !document.querySelector(".drawer .summary").textContent.startsWith("Reading"),
      `Sales order ${key}`,
    );
    assert.equal(await page.textContent(".drawer .summary"), said.replace("BATCH", `batch ${batch}`));
    await page.click(".drawer .summary button");
    assert.equal(await page.textContent(".drawer h2"), `Batch ${batch}`);
    await page.keyboard.press("Escape");
  }
  // Before its change it was as the source had it.
  const [[edited]] = EXPECTED.waiting;
  await go(page, `#period=all&asof=${OLDER.captured_at}&row=sales_order-${edited}`);
  await page.waitForSelector(".drawer .summary >> text=As it was entered; it has not changed since.");
  await page.context().close();
});

/** Choose another day as long as the moments of one are read: what comes then is not shown. */
async function changeTheDay(page) {
  const before = isoDay(dayOf(LATEST.days.at(-1)) - 1);
  answers.set("latest.json", latestAs({ days: [before, ...LATEST.days] }));
  answers.set(`moments/${before}.json`, JSON.stringify({ format: 1, moments: [{ ...MOMENTS[0], batch: 7_777 }] }));
  await page.evaluate(() => window.dispatchEvent(new Event("online")));
  await page.waitForSelector(`.box input[min="${before}"]`);
  let release;
  const late = new Promise((resolve) => {
    release = resolve;
  });
  await page.route(`**/moments/${before}.json`, (route) => late.then(() => route.continue()));
  await page.fill(".box input", before);
  await page.waitForSelector(".box >> text=Reading the moments");
  await page.fill(".box input", LATEST.days.at(-1));
  await page.waitForSelector(".moments button");
  await Promise.all([page.waitForResponse(new RegExp(`moments/${before}`)), release()]);
  await drawn(page);
  assert.doesNotMatch(await page.textContent(".moments"), /7,777/);
  await page.fill(".box input", "");
  assert.match(await page.textContent(".box"), /Choose a day\./);
  await page.fill(".box input", LATEST.days.at(-1));
  answers.clear();
}

/** Leave the drawer over an old moment: it is a step to go back from, and none that is left behind when it is closed. */
async function goBackFromTheDrawer(page) {
  const steps = await page.evaluate(() => history.length);
  for (const leave of [() => page.evaluate(() => history.back()), () => page.keyboard.press("Escape")]) {
    await page.click("#sales .sentence button");
    await page.click(".drawer .item button");
    await page.waitForURL(/row=/);
    await leave();
    await page.waitForFunction(() => history.state === null && !location.hash.includes("row="));
    assert.equal(await page.locator("dialog").count(), 0);
    assert.equal(await page.locator("#as-of-banner").count(), 1);
  }
  assert.equal(await page.evaluate(() => history.length), steps + 1);
}

test("a moment can be chosen, is in the address, and shows the shop as it was", async () => {
  const page = await shown("#period=all");
  await page.click("#as-of");
  await page.waitForSelector(".moments button");
  await changeTheDay(page);
  await page.click(".moments li:last-child button");
  await page.waitForSelector("#as-of-banner");
  await page.waitForFunction(
    (wanted) => document.querySelector("#as-of-banner")?.textContent.includes(wanted),
    new Date(THEN.captured_at).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium", timeZone: "UTC" }),
  );
  const check = async (where) => {
    for (const code of CODES) {
      await go(where, new URL(where.url()).hash.replace(/&currency=\w+/, "").concat(`&currency=${code}`));
      const expected = sum(
        THEN.orders.filter(({ currency }) => currency === code),
        ({ revenue }) => revenue,
      );
      assert.equal(await where.$eval("#sales-revenue b", ({ dataset }) => Number(dataset.value || 0)), expected, code);
    }
  };
  await check(page);
  assert.match(page.url(), /asof=\d{4}-\d\d-\d\dT/);
  await goBackFromTheDrawer(page);
  const sent = await shown(new URL(page.url()).hash);
  await check(sent);
  await sent.context().close();
  await page.click("text=Back to now");
  await page.waitForFunction(() => document.querySelector("#as-of-banner") === null);
  await page.waitForFunction(
    (wanted) => document.querySelector("#as-of")?.textContent === wanted,
    new Date(NOW.captured_at).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium", timeZone: "UTC" }),
  );
  // Who wants less deletes moments: the last day before has the shop then.
  const noted = complaints.length;
  const later = isoDay(dayOf(NOW.as_of_day) + 2);
  answers.set("latest.json", latestAs({ days: [...LATEST.days, later] }));
  const thinned = await shown(`#asof=${later}`, { context: page.context() });
  assert.equal(await thinned.locator("[id^=trouble]").count(), 0);
  answers.clear();
  complaints.length = noted;
  const early = await open("#asof=2001-01-01", { context: page.context() });
  await early.waitForSelector("#state-too-old");
  await page.context().close();
});

test("of a day on which batches were undone, each moment shows what was captured by then", async () => {
  const day = LATEST.days.at(-1);
  const undone = { batch: LATEST.batch + 2, captured_at: OLDER.captured_at, manifest: OLDER.manifest };
  const newest = { batch: LATEST.batch, captured_at: LATEST.captured_at, manifest: LATEST.manifest };
  answers.set(`moments/${day}.json`, JSON.stringify({ format: 1, moments: [newest, undone] }));
  const page = await shown(`#asof=${LATEST.captured_at}`);
  const named = (moment) =>
    new Date(moment).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium", timeZone: "UTC" });
  assert.ok((await page.textContent("#as-of-banner")).includes(named(LATEST.captured_at)));
  answers.clear();
  await page.context().close();
});

test("a look at a batch that was undone is no look at what is there now", async () => {
  const page = await shown("");
  await page.evaluate((batch) => {
    localStorage.setItem("totes.seen", JSON.stringify({ batch, at: 0 }));
  }, LATEST.batch + 2);
  await page.reload();
  await page.waitForSelector("#since >> text=/first look/");
  const visit = await shown("", { context: page.context(), at: CHECKED + LATER });
  await visit.waitForSelector("#since >> text=/Nothing has changed/");
  await page.context().close();
});

test("an old moment is shown as one as long as the newest is not here, and only then is that seen", async () => {
  const noted = complaints.length;
  const page = await shown(`#period=all&asof=${OLDER.captured_at}`);
  answers.set(LATEST.manifest, 500);
  await page.click("text=Back to now");
  await page.waitForSelector("#trouble-unreachable");
  assert.equal(new URL(page.url()).hash, "#period=all");
  assert.match(await page.textContent("#as-of-banner"), /as it was on/);
  assert.doesNotMatch(await page.textContent("header.top"), /checked/);
  answers.clear();
  await page.click("#trouble-unreachable button");
  await page.waitForSelector("#as-of-banner", { state: "detached" });
  assert.match(await page.textContent("header.top"), /checked/);
  assert.match(await page.textContent("#since"), /first look/);
  const visit = await shown("#period=all", { context: page.context(), at: CHECKED + LATER });
  assert.match(await visit.textContent("#since"), /Nothing has changed/);
  await page.context().close();
  complaints.length = noted;
});

test("today is the day of the last look at the source, of an old moment the day of its batch", async () => {
  const [code] = CODES;
  const next = CHECKED + 86_400_000;
  answers.set("latest.json", statusAs({ checked_at: new Date(next).toISOString() }));
  const page = await shown(`#period=4w&currency=${code}`, { at: next + 60_000 });
  const check = async (today) => {
    const as = (options) => new Date(today * 86_400_000).toLocaleDateString("en-GB", { timeZone: "UTC", ...options });
    const weekday = new Date((today - 1) * 86_400_000).toLocaleDateString("en-GB", {
      weekday: "long",
      timeZone: "UTC",
    });
    const date = new Date((today - 1) * 86_400_000).toLocaleDateString("en-GB", {
      day: "numeric",
      month: "short",
      timeZone: "UTC",
    });
    assert.equal(await page.textContent("#yesterday h3"), `Sold on ${weekday}, ${date} (UTC)`);
    const sold = NOW.orders.filter(({ day, currency }) => dayOf(day) === today - 1 && currency === code);
    assert.equal(
      await page.$eval("#yesterday .big", ({ dataset }) => Number(dataset.value)),
      sum(sold, ({ revenue }) => revenue),
    );
    const day = as({ day: "numeric", month: "short", year: "numeric" });
    assert.ok((await page.textContent(".filters .days")).endsWith(`– ${day}`));
    assert.ok((await page.textContent("#receipts-due .sentence")).endsWith(`overdue as of ${day}.`));
  };
  await check(Math.floor(next / 86_400_000));
  await go(page, `#period=4w&currency=${code}&asof=${LATEST.captured_at}`);
  await check(dayOf(NOW.as_of_day));
  answers.clear();
  await page.context().close();
});

test("the CSV is what is shown, with a name like a formula made harmless", async () => {
  const page = await shown("#period=all");
  await showTables(page);
  const save = async (button) => {
    const [download] = await Promise.all([page.waitForEvent("download"), page.click(button)]);
    return readFileSync(await download.path(), "utf8")
      .replace("\ufeff", "")
      .trim()
      .split("\r\n");
  };
  const { counterparties } = await tables(page);
  const lines = await save("#counterparties .tools button:has-text('CSV')");
  assert.equal(lines.length, counterparties.length + 1);
  assert.match(lines[0], /^Counterparty,Orders,Units,Revenue \([A-Z]{3}\),Share,Share to here,counterparty_id$/);
  const [name, orders, units, revenue] = counterparties.find(([each]) => /^[\w ]+$/.test(each));
  assert.ok(
    lines.some((line) => line.startsWith([name, orders, units, revenue / 100].join(","))),
    lines.join("\n"),
  );
  assert.ok(
    lines.every((line) => !/(^|,)"?[=+@]/.test(line)),
    lines.join("\n"),
  );
  const lost = (await save("#quarantine .tools button")).slice(1);
  const keys = lost.map((line) => line.match(/,(-?\d+),(?:yes|no),/)?.[1]);
  assert.deepEqual(keys.map(Number).sort(), NOW.waiting.map(({ key }) => key).sort());
  if (EXPECTED.wide) assert.ok(keys.includes(EXPECTED.wide), keys.join());
  await page.click("#sales .sentence button");
  const rows = await save(".drawer .summary button");
  assert.equal(rows.length - 1, await page.$eval(".drawer .summary b", ({ dataset }) => Number(dataset.value)));
  // Names are in the order of the reader's language.
  await page.click(".rows .head button:has-text('Customer')");
  const names = await page.$$eval(".item [role=cell]:nth-child(3)", (all) => all.map(({ textContent }) => textContent));
  assert.deepEqual(names, [...names].sort(new Intl.Collator("en-GB").compare));
  // Where a comma is in a number, a semicolon ends a cell.
  assert.equal(csvOf(["name"], [["a;=1+1;b"]]), 'name\r\n"a;=1+1;b"\r\n');
  assert.equal(csvOf(["key"], [["-5"], ["-5+2"]]), "key\r\n-5\r\n'-5+2\r\n");
  await page.context().close();
});

test("names that are HTML, SQL or right-to-left are text", async () => {
  const page = await shown("#period=all");
  await showTables(page);
  for (const code of CODES) {
    await go(page, `#period=all&currency=${code}`);
    const text = await page.evaluate(() => document.querySelector("#counterparties table").textContent);
    for (const name of EXPECTED.hostile) {
      if (NOW.orders.some((row) => row.currency === code && row.counterparty === name))
        assert.ok(text.includes(name), name);
    }
  }
  // A table has all of a long name, and breaks it; a title and a sentence have its beginning.
  const long = EXPECTED.hostile.find((name) => name.length > 1_000);
  const { currency } = NOW.orders.find(({ counterparty }) => counterparty === long) ?? {};
  if (currency !== undefined) {
    await go(page, `#period=all&currency=${currency}`);
    assert.ok((await page.$eval("#counterparties .scroll", ({ scrollWidth }) => scrollWidth)) < 1_000);
    await page.click(`#counterparties tr:has-text("${long}") button`);
    assert.match(await page.textContent(".drawer h2"), /^Sales orders: W{79}…, /);
    await page.keyboard.press("Escape");
  }
  assert.equal(await page.locator("img, script:not([src]), b b, marquee").count(), 0);
  assert.equal(await page.evaluate(() => window.harmed), undefined);
  await page.context().close();
});

test("numbers and dates are as the reader writes them", async () => {
  for (const [locale, timezoneId, zone] of [
    ["de-DE", "Europe/Berlin", "ME(S)?Z"],
    ["en-AU", "Australia/Sydney", "AE[SD]T"], // where a dollar is not that of the United States
  ]) {
    const context = await browser.newContext({ viewport: DESKTOP, locale, timezoneId });
    const page = await shown("#period=all", { context });
    for (const code of CODES) {
      await go(page, `#period=all&currency=${code}`);
      const revenue = sum(
        NOW.orders.filter(({ currency }) => currency === code),
        (row) => row.revenue,
      );
      const money = new Intl.NumberFormat(locale, { style: "currency", currency: code });
      assert.ok(
        (await page.textContent("#sales .sentence")).includes(money.format(revenue / 100)),
        `${locale} ${code}`,
      );
    }
    const moment = new Date(NOW.captured_at).toLocaleString(locale, {
      dateStyle: "medium",
      timeStyle: "medium",
      timeZone: timezoneId,
    });
    assert.equal(await page.textContent("#as-of"), moment);
    assert.match(await page.textContent("header.top p"), new RegExp(`^As of ${moment} ${zone} · `));
    await context.close();
  }
});

test("the keyboard reaches everything: a chart by arrows, a dialog left by Escape", async () => {
  const page = await shown("#period=all");
  await page.focus("#sales-revenue .plot");
  await page.keyboard.press("End");
  const said = await page.textContent("#sales-revenue .readout");
  assert.match(said, /\d, so far/);
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog.drawer");
  assert.ok(await page.evaluate(() => document.querySelector("dialog").contains(document.activeElement)));
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("dialog").count(), 0);
  await page.waitForFunction(() => document.activeElement.classList.contains("plot")); // the focus comes back
  // Of each page in the drawer the heading has the focus; a list that is gone back to is as it was left.
  await page.click("#sales .sentence button");
  await page.click(".rows .head button:has-text('Value')");
  const place = () => page.$eval(".rows", ({ scrollTop }) => scrollTop);
  const order = () => page.$$eval("[aria-sort=descending]", (all) => all.map(({ textContent }) => textContent));
  const focused = () => page.evaluate(() => document.activeElement.textContent);
  assert.deepEqual(await order(), ["Value ↓"]);
  // At once: the browser says that something was scrolled with its next frame, and a busy one draws few.
  const opened = await page.$eval(".rows", (element) => {
    element.scrollTo(0, 120);
    const button = element.querySelector(".item button");
    button.click();
    return button.textContent;
  });
  await page.waitForSelector(".versions td");
  assert.match(await focused(), /^Sales order \d+$/);
  await page.click("text=‹ Back");
  await page.waitForSelector(".rows");
  assert.equal(await focused(), opened);
  assert.deepEqual([await place(), await order()], [120, ["Value ↓"]]);
  // The row that has the focus keeps it, however far the list is scrolled.
  for (const to of [2_000, 0, 100_000]) {
    await page.$eval(".rows", (element, top) => element.scrollTo(0, top), to);
    await drawn(page);
    assert.equal(await focused(), opened, `scrolled to ${to}`);
  }
  await page.context().close();
});

test("lines stand out from the paper, light and dark; what is printed is dark on white", async () => {
  for (const scheme of ["light", "dark"]) {
    const page = await shown("#period=all", { scheme });
    const contrast = await page.evaluate(() => {
      const luminance = (name) => {
        const sample = document.body.appendChild(document.createElement("i"));
        sample.style.color = `var(${name})`;
        const [red, green, blue] = getComputedStyle(sample)
          .color.match(/\d+/g)
          .map((part) => part / 255)
          .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05;
      };
      const [less, more] = [luminance("--pale"), luminance("--paper")].sort((one, other) => one - other);
      return more / less;
    });
    assert.ok(contrast >= 3, `${scheme}: ${contrast}`);
    // What is said by a colour alone is there from the first, on paper, and where the machine has colours of its own.
    const said = (selector) =>
      page.evaluate(
        ([which, pseudo]) =>
          (({ visibility, backgroundColor, printColorAdjust }) => ({ visibility, backgroundColor, printColorAdjust }))(
            getComputedStyle(document.querySelector(which), pseudo),
          ),
        [selector.split("::")[0], selector.includes("::") ? "::before" : null],
      );
    const coloured = [".bar.accent", ".bar.late", ".meter span", ".key::before", ".choice :checked + span"];
    const here = await Promise.all(coloured.map((selector) => said(selector)));
    for (const { visibility, printColorAdjust } of here) {
      assert.deepEqual([visibility, printColorAdjust], ["visible", "exact"], scheme);
    }
    await page.emulateMedia({ forcedColors: "active" });
    assert.deepEqual(await Promise.all(coloured.map((selector) => said(selector))), here, scheme);
    await page.emulateMedia({ forcedColors: "none", media: "print" });
    const styleOf = (selector, property) =>
      page.$eval(selector, (element, name) => getComputedStyle(element)[name], property);
    assert.equal(await styleOf(".figures > h2", "breakAfter"), "avoid");
    // Chromium does not keep together what lies in a grid, or in a column of a flexible box.
    for (const selector of [".figures", ".figure", ".beside"]) {
      assert.equal(await styleOf(selector, "display"), "block", selector);
    }
    const colours = () => [
      getComputedStyle(document.documentElement).backgroundColor,
      getComputedStyle(document.body).color,
    ];
    for (const theme of ["auto", "dark"]) {
      await page.evaluate((chosen) => {
        document.documentElement.dataset.theme = chosen;
      }, theme);
      assert.deepEqual(await page.evaluate(colours), ["rgb(255, 255, 255)", "rgb(30, 29, 27)"], `${scheme} ${theme}`);
    }
    await page.context().close();
  }
});

test("a list is printed once and whole, without the page below it, and is then as it was", async () => {
  const page = await shown("#period=all");
  const whole = await page.$eval("#sales .sentence button", ({ textContent }) => Number.parseInt(textContent, 10));
  await page.click("#sales .sentence button");
  const rows = () => page.locator(".drawer .item").count();
  await page.evaluate(() => {
    window.addEventListener("beforeprint", () =>
      queueMicrotask(() => {
        window.printed = document.querySelectorAll(".drawer .item").length;
      }),
    );
  });
  const sheets = async () => (await page.pdf({ format: "A4" })).toString("latin1").match(/\/Type \/Page\b/g).length;
  const long = await sheets();
  assert.equal(await page.evaluate(() => window.printed), whole);
  assert.ok(long <= Math.ceil(whole / 20), `${long} sheets`);
  assert.ok((await rows()) < whole);
  await page.click(".drawer .item button");
  await page.waitForSelector(".versions td");
  assert.equal(await sheets(), 1);
  await page.context().close();
});

test("axe finds nothing, light and dark, on a desktop and a phone, with charts, tables, rows, versions and dialogs", async () => {
  for (const [viewport, scheme, further] of [
    [DESKTOP, "light", true],
    [DESKTOP, "dark", false],
    [PHONE, "light", false],
    [PHONE, "dark", true],
  ]) {
    const page = await shown("#period=all", { viewport, scheme });
    await page.evaluate(AXE);
    const check = async (what, within) => {
      const { violations } = await page.evaluate(
        (where) => window.axe.run(where, { resultTypes: ["violations"], rules: { "target-size": { enabled: true } } }),
        within ?? "html",
      );
      const found = violations.map(
        ({ id, nodes }) =>
          `${id}: ${nodes
            .slice(0, 3)
            .map(({ html }) => html.slice(0, 160))
            .join(" | ")}`,
      );
      assert.deepEqual(found, [], `${viewport.width} ${scheme} ${what}`);
    };
    assert.ok(
      await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth),
      `${viewport.width}: nothing is wider than the screen`,
    );
    const cut = await page.$$eval("#receipts-due .name", (all) =>
      all.filter((name) => name.scrollWidth > name.clientWidth).map(({ textContent }) => textContent),
    );
    assert.deepEqual(cut, [], `${viewport.width}: the ages are not cut`);
    await check("charts");
    if (further) {
      await showTables(page);
      await check("table", "#sales");
      await check("table", "#receipts-due");
      await page.click("#sales .sentence button");
      await check("rows", "dialog");
      await page.click(".drawer .item button");
      await page.waitForSelector(".versions td");
      await check("versions", "dialog");
      await page.keyboard.press("Escape");
      await page.click("#as-of");
      await page.waitForSelector(".moments button");
      await check("moments", "dialog");
    }
    await page.context().close();
  }
});

test("the keyboard goes to nothing that the filters hide, on a screen that is wide, low or narrow", async () => {
  const page = await shown("#period=all", { viewport: { width: 1280, height: 720 } });
  for (const viewport of [page.viewportSize(), { width: 844, height: 390 }, { width: 765, height: 900 }]) {
    await page.setViewportSize(viewport);
    if (viewport.width === 765) await go(page, "#period=custom&from=2000-01-01&to=2099-12-31"); // more lines of filters
    await drawn(page);
    const [stops, hidden] = await page.evaluate(() => {
      const filters = document.querySelector(".filters");
      const all = [...document.querySelectorAll("#page :is(button, [tabindex='0'])")].reverse();
      const covered = all.filter((each) => {
        each.focus();
        return !filters.contains(each) && each.getBoundingClientRect().top < filters.getBoundingClientRect().bottom;
      });
      const above = [...document.querySelectorAll(".top button")];
      return [all.length, covered.filter((each) => !above.includes(each)).map(({ outerHTML }) => outerHTML)];
    });
    assert.ok(stops > 50, `${stops} stops`);
    assert.deepEqual(hidden, [], `${viewport.width} x ${viewport.height}`);
  }
  await page.context().close();
});

test("a phone has room for long names and many currencies, a finger reads a chart, and letters are as large as set", async () => {
  const context = await browser.newContext({
    viewport: { width: 360, height: 740 },
    hasTouch: true,
    locale: "en-GB",
    timezoneId: "UTC",
  });
  const page = await shown("#period=all", { context });
  const devtools = await context.newCDPSession(page);
  // A finger that is drawn along a chart reads it, and what it has read stays; so does a tap.
  const chart = page.locator("#lag .plot");
  await chart.scrollIntoViewIfNeeded();
  const { x, y, width } = await chart.boundingBox();
  const touch = (type, at) =>
    devtools.send("Input.dispatchTouchEvent", {
      type,
      touchPoints: at === undefined ? [] : [{ x: x + at, y: y + 60 }],
    });
  const readout = () => page.textContent("#lag .readout");
  const nothing = await readout();
  await touch("touchStart", width - 20);
  assert.notEqual(await readout(), nothing, "a tap");
  for (const at of [width - 60, width - 100]) await touch("touchMove", at);
  await touch("touchEnd");
  assert.notEqual(await readout(), nothing, "a finger that is lifted");
  // Nothing is wider than the screen.
  await page.click("#sales .sentence button");
  await page.evaluate(() => {
    for (const name of document.querySelectorAll("bdi")) name.textContent = "x".repeat(160);
    const choice = document.querySelector(".choice");
    for (let more = 0; more < 8; more++) choice.append(choice.lastElementChild.cloneNode(true));
  });
  const widths = () =>
    page.evaluate(() =>
      [document.documentElement, ...document.querySelectorAll(".drawer, .filters")].map(
        ({ scrollWidth, clientWidth }) => scrollWidth - clientWidth,
      ),
    );
  assert.deepEqual(await widths(), [0, 0, 0]);
  const close = await page.locator(".drawer .close").boundingBox();
  assert.ok(close.x + close.width <= 360, `the way out is at ${close.x}`);
  await devtools.send("Page.setFontSizes", { fontSizes: { standard: 24 } });
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).fontSize), "22.5px");
  await context.close();
});

const latestAs = (change) => JSON.stringify({ ...LATEST, ...change });
const statusAs = (change) => latestAs({ status: { ...LATEST.status, ...change } });

test("each state of life is said: nothing yet, another format, a failed run, old numbers, a lost file, a differing warehouse", async () => {
  const noted = complaints.length;
  const state = async (answer, selector, words, options = {}) => {
    answers.clear();
    for (const [path, said] of Object.entries(answer)) answers.set(path, said);
    const page = await open(options.hash, options);
    await page.waitForSelector(selector);
    assert.match(await page.textContent(selector), words);
    const figures = await page.locator("#figures").count();
    await page.context().close();
    answers.clear();
    return figures;
  };
  assert.equal(await state({ "latest.json": 404 }, "#state-empty", /Nothing has been published/), 0);
  assert.equal(await state({ "latest.json": 500 }, "#state-unreachable", /answers 500/), 0);
  assert.equal(await state({ "latest.json": latestAs({ format: 2 }) }, "#state-format", /format 2/), 0);
  await state(
    { "latest.json": statusAs({ failed: { at: LATEST.captured_at, step: "Transform" } }) },
    "#failed",
    /failed at Transform/,
  );
  // By the moment and not by its age, which a screen reader would say every minute.
  const checked = new Date(CHECKED).toLocaleString("en-GB", {
    dateStyle: "medium",
    timeStyle: "medium",
    timeZone: "UTC",
  });
  await state({}, "#stale", new RegExp(`are of ${checked}: nothing newer has been published`), {
    at: CHECKED + 20 * 60_000,
  });
  await state(
    { "latest.json": statusAs({ verified: { at: LATEST.captured_at, equal: false, batch: 1, differences: 3 } }) },
    "#unequal",
    /3 rows of the warehouse differ/,
  );
  // Sales may rest for a night: the last comparison is newer than what the snapshot knows of.
  const verified = { at: LATEST.status.checked_at, equal: false, batch: 1, differences: 3 };
  await state({ "latest.json": statusAs({ verified }) }, "#trust .sentence", /ago .*: 3 differences\.$/);
  const manifest = JSON.parse(readFileSync(join(DATA, LATEST.manifest), "utf8"));
  const [part, { sha }] = Object.entries(manifest.tables.sales_order.parts)[0];
  assert.equal(
    await state({ [`files/sales_order/${part}-${sha}.parquet`]: 404 }, "#state-missing, #trouble-missing", /whole/),
    0,
  );
  // A file that is none is named, and one that is read later is not waited for.
  const fileOf = (table) => {
    const [[name, { sha: digest }]] = Object.entries(manifest.tables[table].parts);
    return `files/${table}/${name}-${digest}.parquet`;
  };
  const html = "<!doctype html><title>Sign in to the network</title>";
  const none = (table) => new RegExp(`${fileOf(table)} is not what was published`);
  assert.equal(await state({ [fileOf("payment")]: html }, "#state-unreachable", none("payment")), 0);
  const later = "body:has(.answer):not(:has(main > .state)) #trouble-unreachable";
  assert.equal(await state({ [fileOf("purchase_order")]: html }, later, none("purchase_order")), 0);
  // As long as it is not here, nobody can say that there is no such order.
  const linked = { hash: "#row=purchase_order-1" };
  await state({ [fileOf("purchase_order")]: null }, ".drawer .summary", /^Reading the earlier months…$/, linked);
  await state({ [fileOf("purchase_order")]: html }, ".drawer .summary:has(button)", none("purchase_order"), linked);
  // An order of the last months is here, whatever has become of the others.
  const order = Math.max(...NOW.orders.map(({ id }) => id));
  const recent = { hash: `#row=sales_order-${order}` };
  await state({ [fileOf("purchase_order")]: html }, ".drawer .summary", /^As it was entered|^Version/, recent);
  // So is a whole file that is another one's.
  const [[other, { sha: otherSha }]] = Object.entries(manifest.tables.sales_order.parts).slice(1);
  const another = readFileSync(join(DATA, "files", "sales_order", `${other}-${otherSha}.parquet`));
  await state({ [fileOf("sales_order")]: another }, "#state-unreachable, #trouble-unreachable", none("sales_order"));
  // What makes no sense is not drawn, and a page that is blank says nothing.
  const nonsense = JSON.stringify({ ...manifest, as_of_day: "1 Jan 2026" });
  const named = `manifests/${createHash("sha256").update(nonsense).digest("hex")}.json`;
  const odd = { "latest.json": latestAs({ manifest: named }), [named]: nonsense };
  assert.equal(await state(odd, "#state-broken", /cannot be shown/), 0);
  complaints.length = noted; // the browser itself reports each answer that is no 200
});

test("what a browser would keep for a year in the place of a file is asked for again, and put right", async () => {
  const manifest = JSON.parse(readFileSync(join(DATA, LATEST.manifest), "utf8"));
  const [[part, { sha }]] = Object.entries(manifest.tables.payment.parts);
  const asked = new Map([LATEST.manifest, `files/payment/${part}-${sha}.parquet`].map((path) => [`/data/${path}`, 0]));
  const forAYear = { "Cache-Control": "public, max-age=31536000, immutable" };
  const own = await serve(DATA, undefined, ({ url }, response) => {
    if (!asked.has(url)) return false;
    asked.set(url, asked.get(url) + 1);
    response
      .writeHead(200, forAYear)
      .end(asked.get(url) === 1 ? "<!doctype html>" : readFileSync(join(DATA, url.slice(5))));
    return true;
  });
  const context = await browser.newContext({ locale: "en-GB", timezoneId: "UTC" });
  try {
    for (const _ of ["first it is broken", "then it is kept"]) {
      const page = await context.newPage();
      await page.goto(own.url);
      await page.waitForSelector("#figures");
      assert.deepEqual([...asked.values()], [2, 2]);
    }
  } finally {
    await context.close();
    own.close();
  }
});

test("a file is known by its digest, and where none can be computed by its length", async () => {
  const body = new TextEncoder().encode("what was published").buffer;
  const other = new TextEncoder().encode("what was unlisted.").buffer;
  const path = `files/payment/2026-11-${createHash("sha256").update(Buffer.from(body)).digest("hex").slice(0, 16)}.parquet`;
  const said = async () => [
    await isPublished(path, body, body.byteLength),
    await isPublished(path, other, body.byteLength),
    await isPublished(path, body, body.byteLength + 1),
  ];
  assert.deepEqual(await said(), [true, false, false]);
  Object.defineProperty(crypto, "subtle", { value: undefined, configurable: true });
  try {
    assert.deepEqual(await said(), [true, true, false]);
  } finally {
    delete crypto.subtle;
  }
});

test("a server that does not answer is given up, and it is not said that nothing was published", async () => {
  const noted = complaints.length;
  const page = await shown("#period=all", { at: CHECKED + 20 * 60_000 });
  assert.match(await page.textContent("#stale"), /nothing newer has been published/);
  answers.set("latest.json", null);
  await Promise.all([
    page.waitForRequest(/latest\.json/),
    page.evaluate(() => window.dispatchEvent(new Event("online"))),
  ]);
  await page.clock.fastForward(25_000);
  await page.waitForSelector("#trouble-unreachable:has-text('does not answer')");
  assert.match(await page.textContent("#stale"), /nothing newer could be read/);
  answers.clear();
  await page.context().close();
  complaints.length = noted;
});

test("a newer snapshot is taken up without losing the place, and what has changed since the last look is said", async () => {
  answers.set(
    "latest.json",
    latestAs({ manifest: OLDER.manifest, batch: OLDER.batch, captured_at: OLDER.captured_at }),
  );
  const page = await shown("#period=all");
  assert.match(await page.textContent("#since"), /first look/);
  await page.click("#sales .sentence button");
  const place = await page.evaluate(() => scrollY);
  const before = await page.textContent(".drawer .summary b");
  answers.clear();
  // A tab that stays open has another visit when somebody comes back to it.
  await page.clock.setFixedTime(CHECKED + LATER);
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await page.waitForFunction((text) => document.querySelector(".drawer .summary b").textContent !== text, before);
  assert.equal(await page.locator("dialog.drawer").count(), 1);
  assert.equal(await page.evaluate(() => scrollY), place);
  // The connection goes: what is shown stays, and the page says so.
  const noted = complaints.length;
  await page.context().setOffline(true);
  await page.evaluate(() => window.dispatchEvent(new Event("online")));
  await page.waitForSelector("#trouble-unreachable", { state: "attached" });
  assert.equal(await page.locator("#figures").count(), 1);
  await page.context().setOffline(false);
  await page.evaluate(() => window.dispatchEvent(new Event("online")));
  await page.waitForSelector("#trouble-unreachable", { state: "detached" });
  complaints.length = noted;
  // The same visit in another tab: the same has changed. One is written as one: "1 row gone".
  const visit = await shown("#period=all", { context: page.context(), at: CHECKED + LATER + 60_000 });
  const changes = (tab) => tab.$$eval("#since li", (all) => all.map(({ textContent }) => textContent));
  const said = await changes(visit);
  assert.deepEqual(await changes(page), said);
  const expected = Object.entries(NOW.since)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => {
      const words = name.replaceAll("_", " ");
      return `${count} ${count === 1 ? words.replace(/(order|purchase|payment|row)s/, "$1") : words}`;
    });
  assert.deepEqual([...said].sort(), expected.sort());
  // Each but what is gone opens its rows.
  for (let place = 0; place < said.length; place++) {
    const button = visit.locator(`#since li >> nth=${place} >> button`);
    assert.equal(await button.count(), said[place].endsWith("gone") ? 0 : 1, said[place]);
    if ((await button.count()) === 0) continue;
    await button.click();
    assert.equal(
      await visit.$eval(".drawer .summary b", ({ dataset }) => Number(dataset.value)),
      Number.parseInt(said[place], 10),
      said[place],
    );
    await visit.keyboard.press("Escape");
  }
  await visit.clock.setFixedTime(CHECKED + 2 * LATER);
  await visit.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await visit.waitForSelector("#since >> text=/Nothing has changed/");
  await page.context().close();
});

test("money is converted row by row, says whose days' rates it used, and opens the rows with rate and day", {
  skip: !EXPECTED.rated,
}, async () => {
  const { folder, orders } = EXPECTED.rated;
  const said = new Map();
  const own = await serve(folder, (path) => said.get(path));
  const context = await browser.newContext({ viewport: DESKTOP, locale: "en-GB", timezoneId: "UTC" });
  const page = await context.newPage();
  await page.goto(`${own.url}#period=all`);
  await page.waitForSelector("#figures");
  assert.equal(
    await page.$eval("input[name=currency]:checked", ({ parentElement }) => parentElement.textContent),
    "All, in GBP",
  );
  const rated = orders.filter(({ converted }) => converted !== null);
  const minor = (text) => Math.round(Number(text) * 100);
  assert.ok(rated.length < orders.length, "some have no rate");
  assert.equal(
    await page.$eval("#sales-revenue b", ({ dataset }) => Number(dataset.value)),
    sum(rated, ({ converted }) => minor(converted)),
  );
  const used = rated.filter(({ rate_day }) => rate_day !== null);
  const earlier = used.filter(({ day, rate_day }) => day !== rate_day);
  assert.ok(earlier.length > 0 && earlier.length < used.length);
  const shownDay = (text) =>
    new Date(text).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
  const days = used.map(({ rate_day }) => rate_day).sort();
  assert.equal(
    await page.textContent("#sales .rates"),
    `In GBP by the rates of ${shownDay(days[0])} to ${shownDay(days.at(-1))}; ${earlier.length} of ${used.length} rows by an earlier day's. ${orders.length - rated.length} rows without a rate are left out.`,
  );
  const [download] = await Promise.all([page.waitForEvent("download"), page.click('#sales button[aria-label^="CSV"]')]);
  assert.match(readFileSync(await download.path(), "utf8"), /Revenue \(converted into GBP\)/);
  await page.click("#sales .sentence button");
  assert.equal(
    await page.$eval(".drawer .summary span", ({ dataset }) => Number(dataset.value)),
    sum(rated, ({ converted }) => minor(converted)),
  );
  const [rows] = await Promise.all([page.waitForEvent("download"), page.click(".drawer .summary button")]);
  const [head, ...lines] = readFileSync(await rows.path(), "utf8")
    .replace("\ufeff", "")
    .trim()
    .split("\r\n");
  const names = head.split(",");
  const at = (name) => names.indexOf(name);
  const cells = new Map(
    lines.map((line) => [
      Number(line.split(",")[0]),
      line.match(/("([^"]|"")*"|[^,]*)(,|$)/g).map((each) => each.replace(/,$/, "")),
    ]),
  );
  for (const each of rated) {
    const found = cells.get(each.id);
    assert.deepEqual(
      [found[at("Currency")], Number(found[at("Value")]), Number(found[at("Converted (GBP)")]), found[at("Rate of")]],
      [each.currency, Number(each.value), Number(each.converted), each.rate_day ?? ""],
      `order ${each.id}`,
    );
    if (each.rate_day !== null) assert.equal(found[at("Rate")], each.rate);
  }
  await page.keyboard.press("Escape");
  const euros = orders.filter(({ currency }) => currency === "EUR");
  await page.check("input[name=currency] >> nth=-1", { force: true });
  await page.goto(`${own.url}#period=all&currency=EUR`);
  await page.waitForSelector("#figures");
  assert.equal(
    await page.$eval("#sales-revenue b", ({ dataset }) => Number(dataset.value)),
    sum(euros, ({ value }) => minor(value)),
  );
  assert.equal(await page.locator(".rates").count(), 0);
  // Of the first day some have no rate. To leave them out of one of two days that are compared would tell of a rise.
  const [first, second, third] = [0, 1, 2].map((later) =>
    isoDay(Math.min(...orders.map(({ day }) => dayOf(day))) + later),
  );
  const compared = async (day, currency) => {
    await go(page, `#period=custom&from=${day}&to=${day}&currency=${currency}`);
    return [await page.textContent("#sales .sentence"), await page.locator("#sales :is(.delta, .legend)").count()];
  };
  const [unlike, drawn] = await compared(second, "all");
  const without = orders.filter(({ day, converted }) => day === first && converted === null).length;
  assert.ok(unlike.endsWith(`; not compared with the period before, as ${without} orders of the two have no rate.`));
  assert.equal(drawn, 0);
  for (const [day, currency] of [
    [third, "all"],
    [second, "EUR"],
  ]) {
    const [alike, shown] = await compared(day, currency);
    assert.match(alike, / the period before \(/);
    assert.ok(shown > 1, currency);
  }
  // Neither is a day a week later compared with the first one.
  const latest = JSON.parse(readFileSync(join(folder, "latest.json"), "utf8"));
  const status = { ...latest.status, checked_at: `${isoDay(dayOf(first) + 8)}T12:00:00Z` };
  said.set("latest.json", JSON.stringify({ ...latest, status }));
  const week = await context.newPage();
  await week.goto(`${own.url}#currency=all`);
  await week.waitForSelector("#figures");
  assert.match(
    await week.textContent("#yesterday"),
    new RegExp(`not compared, as ${without} orders of these \\w+days `),
  );
  assert.equal(await week.locator("#yesterday :is(.usual, .delta)").count(), 0);
  await week.close();
  // Of the receipts as well it is said how many are left out.
  await showTables(page);
  const receipts = async (currency) => {
    await go(page, `#period=all&currency=${currency}`);
    return sum((await tables(page))["payment-times"], ([, paid, open]) => paid + open);
  };
  let each = 0;
  for (const code of new Set(orders.map(({ currency }) => currency))) each += await receipts(code);
  const out = each - (await receipts("all"));
  assert.ok(out > 0);
  assert.match(
    await page.textContent("#payment-times .rates"),
    new RegExp(`${out} rows without a rate are left out\\.$`),
  );
  // Of nothing there are no rates to tell of, and nothing of what is there goes.
  await go(page, "#period=custom&from=1999-01-01&to=1999-01-02&currency=all");
  assert.equal(await page.textContent("#sales .sentence"), "No orders in this period.");
  assert.equal(await page.locator("#sales .rates").count(), 0);
  const ofOne = euros.find(({ rate_day }) => rate_day !== null);
  await page.goto(`${own.url}#currency=all&row=sales_order-${ofOne.id}`);
  await page.waitForSelector(".versions td");
  const fields = await page.$$eval(".versions tbody tr", (all) =>
    Object.fromEntries(all.map((row) => [row.querySelector("th").textContent, row.querySelector("td").textContent])),
  );
  assert.equal(fields.Rate, ofOne.rate);
  assert.equal(fields["Rate of"], shownDay(ofOne.rate_day));
  assert.equal(fields.Converted, `£${Number(ofOne.converted).toLocaleString("en-GB", { minimumFractionDigits: 2 })}`);
  await context.close();
  own.close();
});

test("an amount is converted to the cent up to the largest that a number holds", () => {
  for (const [minor, text] of [
    [7_865_598_391, "0.5600"],
    [-7_865_598_391, "0.5600"],
    [3, "2.0"],
    [Number.MAX_SAFE_INTEGER, "1.00000000000001"],
    [9_000_000_000_000_001, "2"],
    [4_503_599_627_370_497, "1.5E0"],
  ]) {
    const scaled = BigInt(Math.round(Number(text) * 1e14));
    const half = (2n * BigInt(Math.abs(minor)) * 10n ** 14n + scaled) / (2n * scaled);
    const converted = convert(minor, { value: Number(text), text, day: 1 });
    assert.equal(converted, Math.sign(minor) * Number(half), `${minor} at ${text}`);
  }
});

test("an amount that is not known is no 0: it is shown as none, and no sum has it", {
  skip: !EXPECTED.unknown,
}, async () => {
  const { folder, order } = EXPECTED.unknown;
  const own = await serve(folder);
  const context = await browser.newContext({ viewport: DESKTOP, locale: "en-GB", timezoneId: "UTC" });
  try {
    const page = await context.newPage();
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(`${own.url}#period=all`);
    await page.waitForSelector("#figures");
    const others = EXPECTED.rated.orders.filter(({ id, converted }) => id !== order && converted !== null);
    const all = sum(others, ({ converted }) => Math.round(Number(converted) * 100));
    assert.equal(await page.$eval("#sales-revenue b", ({ dataset }) => Number(dataset.value)), all);
    await page.click("#sales .sentence button");
    assert.equal(await page.$eval(".drawer .summary b", ({ dataset }) => Number(dataset.value)), others.length + 1);
    assert.equal(await page.$eval(".drawer .summary span", ({ dataset }) => Number(dataset.value)), all);
    // Amounts in order: what is not known comes first, or last.
    await page.click(".drawer .head button >> text=Value");
    await page.click(".drawer .head button >> text=Value");
    assert.equal(await page.textContent(".drawer .item button"), String(order));
    const [rows] = await Promise.all([page.waitForEvent("download"), page.click(".drawer .summary button")]);
    const [head, ...lines] = readFileSync(await rows.path(), "utf8").split("\r\n");
    const cells = lines.find((line) => line.startsWith(`${order},`)).match(/("([^"]|"")*"|[^,]*)(,|$)/g);
    for (const name of ["Unit price", "Value", "Converted (GBP)"])
      assert.equal(cells[head.replace("\ufeff", "").split(",").indexOf(name)], ",", name);
    await page.goto(`${own.url}#currency=all&row=sales_order-${order}`);
    await page.waitForSelector(".versions td");
    const fields = await page.$$eval(".versions tbody tr", (found) =>
      Object.fromEntries(
        found.map((row) => [row.querySelector("th").textContent, row.querySelector("td").textContent]),
      ),
    );
    assert.deepEqual([fields["Unit price"], fields.Value, fields.Converted], ["–", "–", "–"]);
    assert.match(await page.textContent(".drawer"), /Payments:#\d+ –, /);
  } finally {
    await context.close();
    own.close();
  }
});

test("two currencies of one code are one choice, whose figures are of both", { skip: !EXPECTED.rated }, async () => {
  const { folder, orders } = EXPECTED.rated;
  const own = await serve(folder);
  const context = await browser.newContext({ viewport: DESKTOP, locale: "en-GB", timezoneId: "UTC" });
  try {
    const page = await context.newPage();
    await page.goto(`${own.url}#period=all`);
    await page.waitForSelector("#figures");
    const choices = await page.$$eval(".filters .choice label", (all) => all.map(({ textContent }) => textContent));
    const codes = [...new Set(orders.map(({ currency }) => currency))];
    assert.deepEqual([...choices].sort(), ["All, in GBP", ...codes].sort());
    for (const code of codes) {
      await page.check(`input[name=currency] >> nth=${choices.indexOf(code)}`, { force: true });
      assert.equal(
        await page.$eval("#sales-revenue b", ({ dataset }) => Number(dataset.value)),
        sum(
          orders.filter(({ currency }) => currency === code),
          ({ value }) => Math.round(Number(value) * 100),
        ),
        code,
      );
    }
  } finally {
    await context.close();
    own.close();
  }
});

test("what an earlier totes has published, with fewer columns, is shown", { skip: !EXPECTED.before }, async () => {
  const own = await serve(EXPECTED.before);
  const context = await browser.newContext({ viewport: DESKTOP, locale: "en-GB", timezoneId: "UTC" });
  try {
    const page = await context.newPage();
    await page.goto(`${own.url}#period=all`);
    await page.waitForSelector("#figures");
    assert.equal(await page.locator("[id^=trouble]").count(), 0);
    assert.match(await page.textContent("#quarantine .sentence"), new RegExp(`^${NOW.waiting.length} rows `));
    assert.ok((await page.textContent("#quarantine table")).includes(EXPECTED.wide));
    await page.goto(`${own.url}#period=all&row=sales_order-${NOW.changed_order.id}`);
    await page.waitForSelector(".versions td");
  } finally {
    await context.close();
    own.close();
  }
});

test("a shop without orders, and one with a single order, are shown", { skip: !EXPECTED.small }, async () => {
  for (const [folder, check] of [
    [EXPECTED.small?.empty, async (page) => page.waitForSelector("#state-no-orders")],
    [
      EXPECTED.small?.one,
      async (page) => {
        await page.waitForSelector("#figures");
        assert.match(await page.textContent("#sales .sentence"), /^1 order /);
      },
    ],
  ]) {
    const own = await serve(folder);
    const context = await browser.newContext({ locale: "en-GB", timezoneId: "UTC" });
    try {
      const page = await context.newPage();
      page.on("pageerror", (error) => complaints.push(String(error)));
      await page.goto(`${own.url}#period=all`);
      await check(page);
    } finally {
      await context.close();
      own.close();
    }
  }
});

/** Modules of the page as they are built, and a shop of tables that have some rows. */
const pure = (async () => {
  const { build } = await import("esbuild");
  const modules = ["data/columns", "data/schemas", "figures/answer", "figures/shop", "state/address", "state/look"];
  const { outputFiles } = await build({
    stdin: {
      contents: modules.map((name) => `export * from "./${name}";`).join("\n"),
      resolveDir: fileURLToPath(new URL("../src", import.meta.url)),
    },
    bundle: true,
    write: false,
    format: "esm",
  });
  const all = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString("base64")}`);
  const table = (name, rows) => {
    const columns = Object.entries(all.SCHEMAS[name]).map(([column, kind]) => [
      column,
      rows.map((row) => row[column] ?? (kind === "text" ? "" : 0)),
    ]);
    return all.concat(all.SCHEMAS[name], [{ rows: rows.length, ...Object.fromEntries(columns) }]);
  };
  const shop = ({ complete = true, parts = {}, ...rows }) => {
    const tables = Object.keys(all.SCHEMAS).map((name) => [name, table(name, rows[name] ?? [])]);
    const manifest = { as_of_day: "2026-11-30", tables: { sales_order: { parts } } };
    return all.shopOf({ ...Object.fromEntries(tables), complete, manifest }, dayOf("2026-11-30"));
  };
  return { ...all, shop };
})();

test("the first answer has the usual and the currency of the last one", async () => {
  const { shop, lookAt, againstUsual, NOWHERE } = await pure;
  // A shop that paused for the summer, and had sold more in another currency before.
  const order = (day, currency_id) => ({ day: dayOf(day), currency_id, units: 1, unit_price: 8_000 });
  const recent = [order("2026-11-29", 1), order("2026-10-18", 1)];
  const earlier = Array.from({ length: 9 }, () => order("2026-06-02", 2));
  const currency = ["GBP", "EUR"].map((code, place) => ({ currency_id: place + 1, code }));
  const parts = { "2026-06": {}, "2026-10": {}, "2026-11": {} };
  const said = (complete, sales_order) => {
    const here = shop({ complete, parts, currency, sales_order });
    const look = lookAt(here, NOWHERE);
    const { before, revenue } = againstUsual(here, look.currency.id, here.today - 1);
    return [look.currency.code, before.length, revenue];
  };
  assert.deepEqual(said(false, recent), ["GBP", 8, 0]);
  assert.deepEqual(said(true, [...earlier, ...recent]), said(false, recent));
});

test("a department without a name can be chosen, and is none in an address", async () => {
  const { shop, parseAddress } = await pure;
  const { people } = shop({ staff: [{ staff_id: 1, name: "Ann" }] });
  assert.equal(people.get(1).department, "No department");
  assert.equal(parseAddress("#department=").department, null);
});

test("a chart has room for the stretches of any two days, and every day is in one", () => {
  for (const [from, to, unit, second] of [
    ["2026-10-26", "2026-11-29", "day", "2026-10-27"],
    ["2026-01-01", "2026-11-29", "week", "2026-01-05"],
    ["1990-01-15", "2026-11-29", "month", "1990-02-01"],
    ["1600-03-05", "2026-11-29", "year", "1601-01-01"],
    ["0024-03-05", "0026-11-29", "month", "0024-04-01"],
    ["0024-03-05", "2026-11-29", "decade", "0030-01-01"],
    ["2024-03-05", "9999-12-31", "century", "2100-01-01"],
    ["0001-01-01", "9999-12-31", "century", "0100-01-01"],
  ]) {
    const buckets = bucketsOf(dayOf(from), dayOf(to));
    const { starts } = buckets;
    assert.deepEqual([buckets.unit, isoDay(starts[0]), isoDay(starts[1])], [unit, from, second]);
    assert.ok(starts.length <= 480, `${starts.length} stretches`);
    const wrong = buckets.places.findIndex((place, day) => {
      const at = buckets.from + day;
      return at < starts[place] || at >= (starts[place + 1] ?? buckets.end);
    });
    assert.deepEqual([wrong, buckets.end], [-1, dayOf(to) + 1]);
  }
});

test("an order of a far year is shown with all others, at once, and in a chart with room for it", {
  skip: !EXPECTED.far,
}, async () => {
  const { folder, sold } = EXPECTED.far;
  const own = await serve(folder);
  const context = await browser.newContext({ viewport: DESKTOP, locale: "en-GB", timezoneId: "UTC" });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(`${own.url}#period=all`);
    await page.waitForSelector("#figures");
    await showTables(page);
    for (const code of new Set(sold.map(({ currency }) => currency))) {
      await go(page, `#period=all&currency=${code}`);
      const { sales } = await tables(page);
      const last = dayOf("9999-12-31");
      for (const [place, [start, ...found]] of sales.entries()) {
        const end = sales[place + 1]?.[0] ?? last + 1;
        const those = sold.filter(({ day, currency }) => currency === code && dayOf(day) >= start && dayOf(day) < end);
        const of = (name) => sum(those, (row) => row[name]);
        assert.deepEqual(found.slice(0, 3), [of("orders"), of("units"), of("revenue")], `${code} ${isoDay(start)}`);
        if (those.length === 1) assert.equal(found[3], those[0].average_order, `${code} ${isoDay(start)}`);
      }
      const names = await page.$$eval("#sales tbody td:first-child", (all) =>
        all.map(({ textContent }) => textContent.replace(/\s/g, " ")),
      );
      assert.deepEqual(
        [names.length, names[0], names[1], names.at(-1)],
        [100, "5 Mar 24 – 31 Dec 99", "100 – 199", "9900 – 9999"],
      );
    }
    // What comes to less than nothing has no parts; two that come to nothing together were sold all the same.
    await go(page, "#period=custom&from=1990-05-05&to=1990-05-05&currency=GBP");
    const { designs } = await tables(page);
    assert.deepEqual(
      designs.map(([, orders, , revenue, share, toHere]) => [orders, revenue, share, toHere]),
      [
        [1, 0, null, null],
        [1, -1, null, null],
      ],
    );
    const said = (figure) => page.textContent(`#${figure} .sentence`);
    assert.equal(await said("designs"), `${designs[0][0]} leads with £0.`);
    assert.match(
      await said("counterparties"),
      / brings (£0, the most of 2 customers|-£0.01, the most of 1 customer)\.$/,
    );
    assert.match(await said("staff"), /: (£0, 1|-£0.01, 2) orders?\.$/);
    await go(page, `${new URL(page.url()).hash}&design=${designs[0][0].split("#").at(-1)}`);
    assert.equal(await said("purchases"), "£0 sold, £0 bought: the same.");
    // Its year can be looked at alone, also by an address.
    const [{ orders, currency }] = sold.filter(({ day }) => day.startsWith("0024"));
    await go(page, `#period=custom&from=0012-01-01&to=9999-12-31&currency=${currency}`);
    await page.fill("input[type=date] >> nth=1", "0025-01-01");
    await page.reload();
    assert.match(await page.textContent("#sales .sentence"), new RegExp(`^${orders} order`));
  } finally {
    await context.close();
    own.close();
  }
});

/**
 * A user pool, an identity pool and a bucket that know one person, who has to choose a password first.
 *
 * The bucket refuses everything with the code `refusing.code`, as long as there is one, and the credentials that ended
 * as `refusing.ended`; where `refusing.busy` is set, nobody signs in or goes on, and where `refusing.over` is, no session
 * is refreshed.
 */
function aws() {
  const asked = [];
  const refusing = { code: null, ended: null, busy: false, over: false };
  let exchanges = 0;
  const token = (lives) => `h.${Buffer.from(JSON.stringify({ exp: CHECKED / 1000 + lives })).toString("base64url")}.s`;
  let password = "first-Password-1";
  const lives = 900;
  const said = {
    InitiateAuth: ({ AuthFlow, AuthParameters }) => {
      if (AuthFlow === "REFRESH_TOKEN_AUTH")
        return refusing.over ? null : { AuthenticationResult: { IdToken: token(lives) } };
      if (AuthParameters.PASSWORD !== password) return null;
      if (password.startsWith("first")) {
        return {
          ChallengeName: "NEW_PASSWORD_REQUIRED",
          Session: "s1",
          ChallengeParameters: { USER_ID_FOR_SRP: "u-1" },
        };
      }
      return { AuthenticationResult: { IdToken: token(lives), RefreshToken: "r" } };
    },
    RespondToAuthChallenge: ({ ChallengeResponses, Session }) => {
      if (ChallengeResponses.USERNAME !== "u-1" || Session !== "s1") return null;
      password = ChallengeResponses.NEW_PASSWORD;
      return { AuthenticationResult: { IdToken: token(lives), RefreshToken: "r" } };
    },
    GetId: ({ Logins }) => (Logins["cognito-idp.eu-west-2.amazonaws.com/pool"] ? { IdentityId: "i-1" } : null),
    GetCredentialsForIdentity: () => ({
      Credentials: {
        AccessKeyId: "AK",
        SecretKey: "SK",
        SessionToken: `ST${++exchanges}`,
        Expiration: CHECKED / 1000 + 3600,
      },
    }),
  };
  const also = (request, response) => {
    const { pathname, origin } = new URL(request.url, `http://${request.headers.host}`);
    const json = (status, body) => {
      response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
      return true;
    };
    if (pathname === "/config.json") {
      const endpoints = { users: `${origin}/users`, identities: `${origin}/identities`, objects: `${origin}/objects` };
      const pool = { user_pool: "pool", user_pool_client: "client", identity_pool: "identities" };
      return json(200, {
        shop: "Bags & Co",
        data: { kind: "s3", region: "eu-west-2", bucket: "b", prefix: "data/", ...pool, endpoints },
      });
    }
    if (request.method === "POST") {
      const target = request.headers["x-amz-target"].split(".")[1];
      asked.push(target);
      let body = "";
      request.on("data", (piece) => {
        body += piece;
      });
      request.on("end", () => {
        if (refusing.busy) return json(400, { __type: "TooManyRequestsException", message: "Rate exceeded" });
        const found = said[target](JSON.parse(body));
        return json(found === null ? 400 : 200, found ?? { message: "Incorrect username or password." });
      });
      return true;
    }
    if (!pathname.startsWith("/objects/b/data/")) return false;
    const { authorization = "", "x-amz-security-token": session } = request.headers;
    if (
      !/^AWS4-HMAC-SHA256 Credential=AK\/\d{8}\/eu-west-2\/s3\/aws4_request/.test(authorization) ||
      !/^ST\d+$/.test(session)
    ) {
      return json(403, {});
    }
    const file = join(DATA, pathname.slice("/objects/b/data/".length));
    const refused = (code) => response.writeHead(403).end(`<Error><Code>${code}</Code></Error>`);
    if (session === refusing.ended) response.writeHead(400).end("<Error><Code>ExpiredToken</Code></Error>");
    else if (refusing.code !== null) refused(refusing.code);
    else if (existsSync(file)) response.writeHead(200).end(readFileSync(file));
    else refused("AccessDenied");
    return true;
  };
  return { asked, also, refusing };
}

test("where there is a sign-in, nothing is read without one; the first password is replaced by one's own", async () => {
  const { asked, also, refusing } = aws();
  const own = await serve(DATA, undefined, also);
  const context = await browser.newContext({ viewport: DESKTOP, locale: "en-GB", timezoneId: "UTC" });
  const noted = complaints.length;
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(30_000);
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.clock.setFixedTime(CHECKED + 60_000);
    await page.goto(own.url);
    await page.waitForSelector(".sign-in");
    assert.equal(await page.title(), "Bags & Co");
    await page.evaluate(AXE);
    const { violations } = await page.evaluate(() => window.axe.run("html", { resultTypes: ["violations"] }));
    assert.deepEqual(violations, []);
    assert.deepEqual(asked, []);
    await page.fill("input[type=email]", "somebody@example.com");
    await page.fill("input[type=password]", "wrong");
    await page.click(".sign-in button");
    await page.waitForSelector("[role=alert]");
    assert.match(await page.textContent("[role=alert]"), /Incorrect/);
    await page.fill("input[type=password]", "first-Password-1");
    await page.click(".sign-in button");
    await page.waitForSelector("text=Choose a password of your own");
    await page.fill("input[type=password]", "my-Own-Password-2");
    await page.click(".sign-in button");
    await page.waitForSelector("#figures");
    // A tab that is loaded again is signed in still; a token that has ended is refreshed.
    await page.clock.setFixedTime(CHECKED + 1_000_000);
    await page.reload();
    await page.waitForSelector("#figures");
    assert.ok(asked.includes("RespondToAuthChallenge"));
    // Of what is not there a bucket says that access is denied; whatever else it says is no empty shop.
    for (const [code, sentence] of [
      ["AccessDenied", "Nothing has been published yet"],
      ["RequestTimeTooSkewed", "The clock of this computer is wrong"],
      ["InvalidToken", "refuses latest.json: InvalidToken"],
    ]) {
      refusing.code = code;
      await page.reload();
      await page.waitForSelector(`text=${sentence}`);
    }
    refusing.code = null;
    // Who asks too often is signed in still, and credentials that have ended are replaced.
    refusing.busy = true;
    await page.reload();
    await page.waitForSelector("text=Rate exceeded");
    refusing.busy = false;
    await page.reload();
    await page.waitForSelector("#figures");
    const exchanged = () => asked.filter((target) => target === "GetCredentialsForIdentity").length;
    const before = exchanged();
    refusing.ended = `ST${before}`;
    await Promise.all([
      page.waitForResponse((response) => response.url().endsWith("latest.json") && response.ok()),
      page.evaluate(() => window.dispatchEvent(new Event("online"))),
    ]);
    assert.equal(exchanged(), before + 1);
    assert.equal(await page.locator("[id^=trouble]").count(), 0);
    // A session that ends says so, and what a screen reader reads is where the person is.
    const focused = () => page.evaluate(() => document.activeElement.textContent);
    refusing.over = true;
    await page.clock.setFixedTime(CHECKED + 9_000_000);
    await page.evaluate(() => window.dispatchEvent(new Event("online")));
    assert.equal(await page.textContent(".sign-in [role=alert]"), "The session is over.");
    assert.equal(await focused(), "Sign in");
    refusing.over = false;
    await page.fill("input[type=email]", "somebody@example.com");
    await page.fill("input[type=password]", "my-Own-Password-2");
    await page.click(".sign-in button");
    await page.waitForSelector("#figures");
    assert.equal(await focused(), "Bags & Co");
    await page.click("text=Sign out");
    await page.waitForSelector(".sign-in");
    assert.equal(await page.locator("[role=alert]").count(), 0);
    assert.equal(await page.locator("#figures").count(), 0);
    assert.deepEqual(complaints.slice(noted), []);
  } finally {
    await context.close();
    own.close();
  }
});

test("a page that cannot begin says so, and one in a browser that keeps nothing begins", async () => {
  const begun = async (instead, selector, script) => {
    const { also } = aws();
    const own = await serve(
      DATA,
      undefined,
      (request, response) => instead(request.url, response) || also(request, response),
    );
    const context = await browser.newContext({ locale: "en-GB", timezoneId: "UTC" });
    try {
      const page = await context.newPage();
      if (script !== undefined) await page.addInitScript(script);
      await page.goto(own.url);
      // What is shown after a while.
      await page.evaluate(() => {
        for (const each of document.getAnimations()) each.finish();
      });
      await page.waitForSelector(selector);
    } finally {
      await context.close();
      own.close();
    }
  };
  const fails = (pattern) => (url, response) => pattern.test(url) && Boolean(response.writeHead(503).end());
  await begun(
    (url, response) => url === "/config.json" && Boolean(response.writeHead(200).end("{}")),
    "text=could not begin",
  );
  await begun(fails(/sign-in/), "text=could not begin");
  await begun(fails(/app-/), "text=could not be loaded");
  await begun(fails(/^$/), ".sign-in", () =>
    Object.defineProperty(window, "sessionStorage", {
      get() {
        throw new DOMException("denied", "SecurityError");
      },
    }),
  );
});

test("a page that does not learn where the data is says why, and begins as soon as it does", async () => {
  let instead = 503;
  const own = await serve(DATA, undefined, ({ url }, response) => {
    if (url !== "/config.json" || instead === null) return false;
    if (typeof instead === "number") response.writeHead(instead).end();
    else response.writeHead(200).end(instead);
    return true;
  });
  const context = await browser.newContext({ locale: "en-GB", timezoneId: "UTC" });
  try {
    const page = await context.newPage();
    await page.clock.install();
    await page.goto(own.url);
    const comes = async (selector) => {
      while ((await page.locator(selector).count()) === 0) await page.clock.runFor(61_000);
    };
    for (const [answer, words] of [
      [503, "The server answers 503 for config.json"],
      [404, "config.json is missing beside this page"],
      ["<!doctype html>", "config.json beside this page, which says where the data is, is no JSON"],
    ]) {
      instead = answer;
      await comes(`#page >> text=${words}`);
    }
    await context.setOffline(true);
    await comes("#page >> text=does not answer. The page looks again by itself.");
    await context.setOffline(false);
    instead = null;
    await comes("#figures");
  } finally {
    await context.close();
    own.close();
  }
});

test("the page weighs less than 200 KB, and says nothing to others and nothing in the console", () => {
  const dist = fileURLToPath(new URL("../dist", import.meta.url));
  assert.ok(existsSync(join(dist, "index.html")));
  const bytes = readdirSync(dist).reduce(
    (all, file) => all + gzipSync(readFileSync(join(dist, file)), { level: 9 }).length,
    0,
  );
  assert.ok(bytes < 200_000, `${bytes} bytes`);
  assert.deepEqual(complaints, []);
});
