/** What is sold: over time, by design, by counterparty, by department and person. */

import { placeOf } from "../figures/days";
import { averageOrder, overTime, type Sold, total } from "../figures/sales";
import { designName, partyName, personName } from "../figures/shop";
import type { Look } from "../state/look";
import { Bars } from "../ui/bars";
import { Chart } from "../ui/chart";
import { type ColumnOf, Figure, Open } from "../ui/figure";
import * as as from "../ui/formats";
import { bucketName, departmentOf, fromColumn, ratesSaid, salesOfBucket, salesWhere } from "./common";
import { brought, itself, ranked, rankedBars, rankedColumns, restOf, TOP } from "./ranked";

interface Bucket extends Sold {
  readonly place: number;
}

export function SalesOverTime({ look }: { look: Look }) {
  const { shop, sales, buckets, currency } = look;
  const { code, title } = currency;
  const amounts = look.amounts("sales_order");
  const unrated = look.before?.unrated ?? 0;
  // What lacks orders in one of the two is not more or less than the other.
  const before = unrated === 0 ? look.before : null;
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
  const opening = (place: number) => salesOfBucket(look, place);
  const rows: Bucket[] = sums.map((sum, place) => ({ ...sum, place }));
  const columns: ColumnOf<Bucket>[] = [
    fromColumn(look),
    { label: "Orders", kind: "count", value: ({ orders }) => orders, open: ({ place }) => opening(place) },
    { label: "Units", kind: "count", value: ({ units }) => units },
    { label: "Revenue", kind: "money", value: ({ revenue }) => revenue, open: ({ place }) => opening(place) },
    { label: "Average order", kind: "money", value: averageOrder },
  ];
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
          ? unrated === 0
            ? "."
            : `; not compared with the period before, as ${as.counted(unrated, "order")} of the two ${unrated === 1 ? "has" : "have"} no rate.`
          : compared.theirs.orders === 0
            ? `; nothing in the period before${days}.`
            : change === null
              ? `; the period before came to ${as.shortMoney(0, code)}${days}.`
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
        {measuresOf(code).map((measure) => (
          <Multiple
            key={measure.id}
            look={look}
            measure={measure}
            value={measure.of(all)}
            delta={deltaOf(measure.of, compared)}
            sums={sums}
            earlier={earlier}
            opening={opening}
          />
        ))}
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

/** What is measured of sales over time, and how it is written. */
interface Measure {
  readonly id: "revenue" | "orders" | "units" | "average";
  readonly name: string;
  readonly of: (sold: Sold) => number | null;
  readonly short: (value: number) => string;
  readonly tick: (value: number) => string;
  readonly full: (value: number) => string;
}

function measuresOf(code: string): readonly Measure[] {
  const money = {
    short: (value: number) => as.shortMoney(value, code),
    tick: (value: number) => as.roundMoney(value, code),
    full: (value: number) => as.money(value, code),
  };
  const count = (what: string) => ({
    short: as.shortCount,
    tick: as.roundCount,
    full: (value: number) => as.counted(value, what),
  });
  return [
    { id: "revenue", name: "Revenue", of: (sold) => sold.revenue, ...money },
    { id: "orders", name: "Orders", of: (sold) => sold.orders, ...count("order") },
    { id: "units", name: "Units", of: (sold) => sold.units, ...count("bag") },
    { id: "average", name: "Average order", of: averageOrder, ...money },
  ];
}

/** One of the small charts: a measure of each stretch of days, and of the period before. */
function Multiple(props: {
  look: Look;
  measure: Measure;
  value: number | null;
  delta: string | null;
  sums: readonly Sold[];
  earlier: readonly Sold[] | null;
  opening: (place: number) => () => void;
}) {
  const { look, measure, value, delta, sums, earlier, opening } = props;
  const current = placeOf(look.buckets, look.shop.today);
  return (
    <div class="multiple" id={`sales-${measure.id}`}>
      <p class="measure">
        <span>{measure.name}</span> <b data-value={value ?? ""}>{value === null ? "–" : measure.short(value)}</b>
        {delta === null ? null : <span class="delta">{delta}</span>}
      </p>
      <Chart
        label={`${measure.name} over time.`}
        height={150}
        buckets={look.buckets}
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
}

/** How much a measure of this period is above that of the one before; null where there is nothing to compare. */
function deltaOf(of: (sold: Sold) => number | null, compared: { ours: Sold; theirs: Sold } | null): string | null {
  const value = compared === null ? null : of(compared.ours);
  return compared === null || value === null ? null : as.difference(value, of(compared.theirs));
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
            <bdi>{as.brief(first.name)}</bdi> leads with {brought(first, look)}
            {rows.length > TOP && typeof ten?.toHere === "number"
              ? `; the ten best bring ${as.share(ten.toHere)} of it.`
              : "."}
          </>
        )
      }
      view="report.sales_by_design"
      code={look.currency.code}
      rates={ratesSaid(look, [["sales_order", look.sales]])}
      columns={rankedColumns("Design", "design_id")}
      rows={rows}
    >
      <Bars bars={rankedBars(look, rows)} rest={restOf(look, rows, "designs")} />
    </Figure>
  );
}

export function Counterparties({ look }: { look: Look }) {
  const rows = ranked(look, "counterparty_id", itself, (key) => partyName(look.shop, key));
  const [first] = rows;
  const half = rows.findIndex(({ toHere }) => toHere !== null && toHere >= 0.5) + 1;
  return (
    <Figure
      id="counterparties"
      question="Who buys, and on whom do we depend?"
      sentence={
        first === undefined ? (
          "Nobody bought."
        ) : (
          <>
            <bdi>{as.brief(first.name)}</bdi> brings {brought(first, look)}
            {half === 0 ? ", the most of " : `; half of it comes from ${as.count(half)} of `}
            {as.counted(rows.length, "customer")}.
          </>
        )
      }
      view="report.sales_by_counterparty"
      code={look.currency.code}
      rates={ratesSaid(look, [["sales_order", look.sales]])}
      columns={rankedColumns("Counterparty", "counterparty_id")}
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
            <bdi>{as.brief(first.name)}</bdi> sells the most: {brought(first, look)},{" "}
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
  const columns = rankedColumns("Person", "staff_id");
  return (
    <Figure
      id="staff"
      question="Who sells?"
      sentence={
        first === undefined ? (
          "Nobody sold."
        ) : (
          <>
            <bdi>{as.brief(first.name)}</bdi> sells the most: {brought(first, look)},{" "}
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
