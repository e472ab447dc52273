/** What is sold: over time, by design, by counterparty, by person, by place. */

import { placeOf } from "../figures/days";
import { averageOrder, type LeadTime, leadTimes, overTime, type Sold, shares, soldBy, total } from "../figures/sales";
import { designName, partyName, personName } from "../figures/shop";
import type { Look } from "../state/look";
import { type Bar, Bars } from "../ui/bars";
import { Chart } from "../ui/chart";
import { type ColumnOf, Figure, Open } from "../ui/figure";
import * as as from "../ui/formats";
import { WorldMap } from "../ui/map";
import {
  bucketName,
  countryOf,
  DAYS_COLUMNS,
  DaysChart,
  departmentOf,
  fromColumn,
  ratesSaid,
  salesWhere,
} from "./common";

/** So many bars are shown; the table has all. */
const TOP = 10;

interface Bucket extends Sold {
  readonly place: number;
}

export function SalesOverTime({ look }: { look: Look }) {
  const { shop, sales, buckets, before, currency } = look;
  const { code, title } = currency;
  const amounts = look.amounts("sales_order");
  const sums = overTime(shop.sales_order, amounts, sales, buckets);
  const earlier = before === null ? null : overTime(shop.sales_order, amounts, before.sales, before.buckets);
  const all = total(shop.sales_order, amounts, sales);
  const compared =
    before === null
      ? null
      : {
          ours: total(shop.sales_order, amounts, before.these),
          theirs: total(shop.sales_order, amounts, before.those),
        };
  const opening = (place: number) =>
    salesWhere(
      `Sales orders, ${bucketName(look, place)}, ${title}`,
      (row, those) => placeOf(those.buckets, those.shop.sales_order.day[row] as number) === place,
    );
  const rows: Bucket[] = sums.map((sum, place) => ({ ...sum, place }));
  const current = placeOf(buckets, shop.today);
  const columns: ColumnOf<Bucket>[] = [
    fromColumn(look),
    { label: "Orders", kind: "count", value: ({ orders }) => orders, open: ({ place }) => opening(place) },
    { label: "Units", kind: "count", value: ({ units }) => units },
    { label: "Revenue", kind: "money", value: ({ revenue }) => revenue, open: ({ place }) => opening(place) },
    { label: "Average order", kind: "money", value: averageOrder },
  ];
  const measures = [
    {
      id: "revenue",
      name: "Revenue",
      of: (sold: Sold) => sold.revenue,
      short: (value: number) => as.shortMoney(value, code),
      tick: (value: number) => as.roundMoney(value, code),
      full: (value: number) => as.money(value, code),
    },
    {
      id: "orders",
      name: "Orders",
      of: (sold: Sold) => sold.orders,
      short: as.shortCount,
      tick: as.roundCount,
      full: (value: number) => as.counted(value, "order"),
    },
    {
      id: "units",
      name: "Units",
      of: (sold: Sold) => sold.units,
      short: as.shortCount,
      tick: as.roundCount,
      full: (value: number) => as.counted(value, "bag"),
    },
    {
      id: "average",
      name: "Average order",
      of: averageOrder,
      short: (value: number) => as.shortMoney(value, code),
      tick: (value: number) => as.roundMoney(value, code),
      full: (value: number) => as.money(value, code),
    },
  ] as const;
  const change = compared === null ? null : as.difference(compared.ours.revenue, compared.theirs.revenue);
  const days = before?.withoutToday ? ", today left out" : "";
  const sentence =
    all.orders === 0 ? (
      "No orders in this period."
    ) : (
      <>
        <Open onOpen={salesWhere(`Sales orders, ${title}`, () => true)}>{as.counted(all.orders, "order")}</Open> brought{" "}
        {as.money(all.revenue, code)}
        {compared === null
          ? "."
          : change === null
            ? `; nothing in the period before${days}.`
            : `, ${change === as.SAME ? "about as much as" : `${change} on`} the period before (${as.shortMoney(compared.theirs.revenue, code)})${days}.`}
      </>
    );
  return (
    <Figure
      id="sales"
      question="How are sales going?"
      sentence={sentence}
      view="report.sales_by_day"
      code={code}
      rates={ratesSaid(look, [["sales_order", look.sales]])}
      columns={columns}
      rows={sales.length === 0 ? [] : rows}
      wide
    >
      <div class="multiples">
        {measures.map((measure) => {
          const value = measure.of(all);
          const delta = deltaOf(measure.of, compared);
          return (
            <div key={measure.id} class="multiple" id={`sales-${measure.id}`}>
              <p class="measure">
                <span>{measure.name}</span>{" "}
                <b data-value={value ?? ""}>{value === null ? "–" : measure.short(value)}</b>
                {delta === null ? null : <span class="delta">{delta}</span>}
              </p>
              <Chart
                label={`${measure.name} over time.`}
                height={150}
                buckets={buckets}
                legend={false}
                whole={measure.id === "orders" || measure.id === "units"}
                series={[
                  {
                    name: measure.name,
                    mark: measure.id === "average" ? "line" : "column",
                    tone: "accent",
                    values: sums.map(measure.of),
                  },
                  ...(earlier === null
                    ? []
                    : [
                        {
                          name: "The period before",
                          mark: "line" as const,
                          tone: "pale" as const,
                          values: earlier.map(measure.of),
                        },
                      ]),
                ]}
                tick={measure.tick}
                full={measure.full}
                nameOf={(place) => bucketName(look, place) + (place === current ? ", so far" : "")}
                open={(place) => opening(place)()}
              />
            </div>
          );
        })}
        {earlier === null ? null : (
          <p class="legend">
            <span class="key accent column">this period</span>
            <span class="key pale line">the period before</span>
          </p>
        )}
      </div>
    </Figure>
  );
}

/** How much a measure of this period is above that of the one before; null where there is nothing to compare. */
function deltaOf(of: (sold: Sold) => number | null, compared: { ours: Sold; theirs: Sold } | null): string | null {
  const value = compared === null ? null : of(compared.ours);
  return compared === null || value === null ? null : as.difference(value, of(compared.theirs));
}

interface Ranked extends Sold {
  readonly name: string;
  readonly share: number;
  readonly toHere: number;
  readonly open: () => void;
}

/** Sales by a key that is made of a column, in order; each opens its rows. */
function ranked<K extends string | number>(
  look: Look,
  column: "design_id" | "counterparty_id" | "staff_id" | "location_id",
  keyOf: (value: number, those: Look) => K,
  nameOf: (key: K) => string,
): Ranked[] {
  const { sales_order } = look.shop;
  const sums = soldBy(sales_order, look.amounts("sales_order"), look.sales, sales_order[column], (value) =>
    keyOf(value, look),
  );
  const parts = shares(sums);
  return sums.map((sum, place) => {
    const name = nameOf(sum.key);
    return {
      ...sum,
      ...(parts[place] ?? { share: 0, toHere: 0 }),
      name,
      open: salesWhere(
        `Sales orders: ${name}, ${look.currency.title}`,
        (row, those) => keyOf(those.shop.sales_order[column][row] as number, those) === sum.key,
      ),
    };
  });
}

const itself = (value: number) => value;

function rankedColumns(label: string): ColumnOf<Ranked>[] {
  return [
    { label, kind: "text", value: ({ name }) => name },
    { label: "Orders", kind: "count", value: ({ orders }) => orders, open: ({ open }) => open },
    { label: "Units", kind: "count", value: ({ units }) => units },
    { label: "Revenue", kind: "money", value: ({ revenue }) => revenue, open: ({ open }) => open },
    { label: "Share", kind: "share", value: ({ share }) => share },
    { label: "Share to here", kind: "share", value: ({ toHere }) => toHere },
  ];
}

function rankedBars(look: Look, rows: readonly Ranked[], top = TOP): Bar[] {
  return rows.slice(0, top).map((row, place) => ({
    key: place,
    name: row.name,
    value: row.revenue,
    text: as.shortMoney(row.revenue, look.currency.code),
    aside: as.share(row.share),
    open: row.open,
  }));
}

function restOf(look: Look, rows: readonly Ranked[], many: string, top = TOP): string | null {
  const rest = rows.slice(top);
  if (rest.length === 0) return null;
  const revenue = rest.reduce((sum, row) => sum + row.revenue, 0);
  return `${as.count(rest.length)} more ${many}: ${as.shortMoney(revenue, look.currency.code)}`;
}

export function Designs({ look }: { look: Look }) {
  const rows = ranked(look, "design_id", itself, (key) => designName(look.shop, key));
  const [first] = rows;
  const ten = rows[Math.min(TOP, rows.length) - 1];
  return (
    <Figure
      id="designs"
      question="Which designs sell?"
      sentence={
        first === undefined ? (
          "No design was sold."
        ) : (
          <>
            <bdi>{first.name}</bdi> leads with {as.share(first.share)} of revenue
            {rows.length > TOP && ten !== undefined ? `; the ten best bring ${as.share(ten.toHere)} of it.` : "."}
          </>
        )
      }
      view="report.sales_by_design"
      code={look.currency.code}
      rates={ratesSaid(look, [["sales_order", look.sales]])}
      columns={rankedColumns("Design")}
      rows={rows}
    >
      <Bars bars={rankedBars(look, rows)} rest={restOf(look, rows, "designs")} />
    </Figure>
  );
}

export function Counterparties({ look }: { look: Look }) {
  const rows = ranked(look, "counterparty_id", itself, (key) => partyName(look.shop, key));
  const [first] = rows;
  const half = rows.findIndex(({ toHere }) => toHere >= 0.5) + 1;
  return (
    <Figure
      id="counterparties"
      question="Who buys, and on whom do we depend?"
      sentence={
        first === undefined ? (
          "Nobody bought."
        ) : (
          <>
            <bdi>{first.name}</bdi> brings {as.share(first.share)} of revenue; half of it comes from {as.count(half)} of{" "}
            {as.counted(rows.length, "customer")}.
          </>
        )
      }
      view="report.sales_by_counterparty"
      code={look.currency.code}
      rates={ratesSaid(look, [["sales_order", look.sales]])}
      columns={rankedColumns("Counterparty")}
      rows={rows}
    >
      <Bars bars={rankedBars(look, rows)} rest={restOf(look, rows, "customers")} />
    </Figure>
  );
}

export function Departments({ look }: { look: Look }) {
  const rows = ranked(
    look,
    "staff_id",
    (id, those) => departmentOf(those, id),
    (name) => name,
  );
  const [first] = rows;
  return (
    <Figure
      id="departments"
      question="Which departments sell?"
      sentence={
        first === undefined ? (
          "No department sold."
        ) : (
          <>
            <bdi>{first.name}</bdi> sells the most: {as.share(first.share)} of revenue,{" "}
            {as.counted(first.orders, "order")}.
          </>
        )
      }
      view="report.sales_by_staff"
      code={look.currency.code}
      rates={ratesSaid(look, [["sales_order", look.sales]])}
      columns={rankedColumns("Department")}
      rows={rows}
    >
      <Bars bars={rankedBars(look, rows)} rest={restOf(look, rows, "departments")} />
    </Figure>
  );
}

export function Staff({ look }: { look: Look }) {
  const rows = ranked(look, "staff_id", itself, (key) => personName(look.shop, key));
  const [first] = rows;
  const columns = rankedColumns("Person");
  return (
    <Figure
      id="staff"
      question="Who sells?"
      sentence={
        first === undefined ? (
          "Nobody sold."
        ) : (
          <>
            <bdi>{first.name}</bdi> sells the most: {as.share(first.share)} of revenue,{" "}
            {as.counted(first.orders, "order")}.
          </>
        )
      }
      view="report.sales_by_staff"
      code={look.currency.code}
      rates={ratesSaid(look, [["sales_order", look.sales]])}
      columns={columns}
      rows={rows}
    >
      <Bars bars={rankedBars(look, rows)} rest={restOf(look, rows, "people")} />
    </Figure>
  );
}

interface Country extends Ranked {
  readonly median: number | null;
  readonly ninety: number | null;
}

export function Deliveries({ look }: { look: Look }) {
  const { shop, currency } = look;
  const sums = ranked(
    look,
    "location_id",
    (id, those) => countryOf(those, id),
    (name) => name,
  );
  const countryAt = new Map(sums.map(({ name }, place) => [name, place]));
  // For each location the place of its country: an array by key, for a hundred thousand look-ups.
  const ids = [...shop.places.keys()];
  const places = new Int32Array(ids.reduce((most, id) => Math.max(most, id), 0) + 1).fill(-1);
  for (const id of ids) places[id] = countryAt.get(countryOf(look, id)) ?? -1;
  const { sales_order } = shop;
  const times = leadTimes(sales_order, look.sales, sums.length, sales_order.location_id, { from: 0, places });
  const rows: Country[] = sums.map((sum, place) => ({ ...sum, ...(times.each[place] as LeadTime) }));
  const [first] = rows;
  const columns: ColumnOf<Country>[] = [
    ...(rankedColumns("Country").slice(0, 5) as ColumnOf<Country>[]),
    ...DAYS_COLUMNS,
  ];
  return (
    <Figure
      id="countries"
      question="Where do the bags go?"
      sentence={
        first === undefined ? (
          "Nothing is to be delivered."
        ) : (
          <>
            To {as.counted(rows.length, "country", "countries")}; most to <bdi>{first.name}</bdi>:{" "}
            {as.share(first.share)} of revenue.
          </>
        )
      }
      view="report.sales_by_country"
      code={currency.code}
      rates={ratesSaid(look, [["sales_order", look.sales]])}
      columns={columns}
      rows={rows}
      wide
    >
      <div class="beside">
        <WorldMap
          label="A map of the countries that orders go to; the table has the numbers."
          spots={rows.map((row) => ({
            country: row.name,
            value: row.revenue,
            text: `${as.shortMoney(row.revenue, currency.code)}, ${as.counted(row.orders, "order")}`,
            open: row.open,
          }))}
        />
        <Bars bars={rankedBars(look, rows, 8)} rest={restOf(look, rows, "countries", 8)} />
      </div>
    </Figure>
  );
}

export function LeadTimes({ look }: { look: Look }) {
  const { shop, sales, buckets, currency } = look;
  const { all, each } = leadTimes(shop.sales_order, sales, buckets.starts.length, shop.sales_order.day, buckets);
  const rows = each.map((time, place) => ({ ...time, place }));
  const opening = (place: number) =>
    salesWhere(
      `Sales orders, ${bucketName(look, place)}, ${currency.title}`,
      (row, those) => placeOf(those.buckets, those.shop.sales_order.day[row] as number) === place,
    );
  return (
    <Figure
      id="lead-times"
      question="How soon do we promise to deliver?"
      sentence={
        all.orders === 0
          ? "No orders in this period."
          : `Half of the orders are to arrive within ${as.days(all.median)}, nine of ten within ${as.days(all.ninety)}.`
      }
      note="As agreed with customers: the source does not say when a delivery was made."
      view="report.agreed_lead_times"
      code={currency.code}
      rates={ratesSaid(look, [["sales_order", look.sales]])}
      columns={[
        fromColumn(look),
        { label: "Orders", kind: "count", value: ({ orders }) => orders, open: ({ place }) => opening(place) },
        ...DAYS_COLUMNS,
      ]}
      rows={sales.length === 0 ? [] : rows}
      wide
    >
      <DaysChart
        look={look}
        label="Days from an order to its agreed delivery, over time."
        rows={rows}
        opening={(place) => opening(place)}
      />
    </Figure>
  );
}
