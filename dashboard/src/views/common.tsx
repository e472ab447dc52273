/** What the sections have in common. */

import type { FactName } from "../data/schemas";
import { placeOf } from "../figures/days";
import { selectOther } from "../figures/money";
import { ALL, UNRATED } from "../figures/rates";
import { ratesUsed } from "../figures/rates-used";
import { among, type Selection, selectPurchases, selectSales } from "../figures/select";
import { open } from "../state/app";
import type { Look } from "../state/look";
import { Chart } from "../ui/chart";
import { type ColumnOf, Open } from "../ui/figure";
import * as as from "../ui/formats";

/** Opens the rows of a fact that a pick finds in what is looked at. */
export function rowsOf(title: string, fact: FactName, pick: (look: Look) => Selection): () => void {
  return () => open({ kind: "rows", title, fact, pick });
}

/** Opens the sales orders that are looked at and pass. */
export function salesWhere(title: string, passes: (row: number, look: Look) => boolean): () => void {
  return rowsOf(title, "sales_order", (look) => among(look.sales, (row) => passes(row, look)));
}

/** Opens the sales orders of a stretch of days. */
export function salesOfBucket(look: Look, place: number): () => void {
  return salesWhere(
    `Sales orders, ${bucketName(look, place)}, ${look.currency.title}`,
    (row, those) => placeOf(those.buckets, those.shop.sales_order.day[row] as number) === place,
  );
}

/** Opens the purchase orders that are looked at and pass. */
export function purchasesWhere(title: string, passes: (row: number, look: Look) => boolean): () => void {
  return rowsOf(title, "purchase_order", (look) => among(look.purchases, (row) => passes(row, look)));
}

type Choice = "period" | "currency" | "department" | "counterparty" | "design";

/** Says which of the filters that are set do not concern a figure; null where all do. */
export function unfiltered(look: Look, those: readonly Choice[]): string | null {
  const isSet = (name: Choice) => {
    if (name === "period") return true;
    if (name === "currency") return look.currency.id !== ALL && look.shop.currencies.length > 1;
    return look.filter[name] !== null;
  };
  const set = those.filter(isSet);
  return set.length === 0 ? null : `Whatever the ${set.join(" or ")}.`;
}

/**
 * Says whose days' rates some rows were converted by; null where nothing is converted.
 *
 * `leftOut` counts the rows that are missing for want of a rate; of orders they are known here.
 */
export function ratesSaid(
  look: Look,
  parts: readonly (readonly [FactName, Selection])[],
  leftOut = () => parts.reduce((sum, [fact]) => sum + unrated(look, fact), 0),
): string | null {
  const { currency } = look;
  if (currency.id !== ALL) return null;
  const out = leftOut();
  const none = out === 0 ? "" : `${as.counted(out, "row")} without a rate ${out === 1 ? "is" : "are"} left out.`;
  return `${converted(look, parts)} ${none}`.trim() || null;
}

function converted({ shop, currency }: Look, parts: readonly (readonly [FactName, Selection])[]): string {
  if (parts.every(([, selection]) => selection.length === 0)) return "";
  const { rows, first, last, earlier } = ratesUsed(shop, parts);
  if (rows === 0) return `All of it was in ${currency.code} already.`;
  const days = first === last ? as.day(first) : `${as.day(first)} to ${as.day(last)}`;
  const some = earlier === 0 ? "" : `; ${as.count(earlier)} of ${as.counted(rows, "row")} by an earlier day's`;
  return `In ${currency.code} by the rates of ${days}${some}.`;
}

/** How many orders of what is looked at have no rate; many figures ask. */
function unrated(look: Look, fact: FactName): number {
  const known = unratedOf.get(look) ?? new Map<FactName, number>();
  unratedOf.set(look, known);
  let count = known.get(fact);
  if (count === undefined) {
    const filter = { ...look.filter, currency: UNRATED };
    count = (fact === "sales_order" ? selectSales(look.shop, filter) : selectPurchases(look.shop, filter)).length;
    known.set(fact, count);
  }
  return count;
}

const unratedOf = new WeakMap<Look, Map<FactName, number>>();

/** Says how many open payments are in no sum of what is due, in whichever currency; nothing where there are none. */
export function OtherKinds({ look }: { look: Look }) {
  const pick = (those: Look) => selectOther(those.shop, those.filter.counterparty);
  const count = pick(look).length;
  if (count === 0) return null;
  return (
    <p class="other-kinds">
      <Open onOpen={rowsOf("Open payments of another kind", "payment", pick)}>{as.counted(count, "open payment")}</Open>{" "}
      of another kind {count === 1 ? "is" : "are"} counted neither as owed to us nor as owed by us.
    </p>
  );
}

/** What the stretch of days at a place is called. */
export function bucketName(look: Look, place: number): string {
  const { unit, starts, end } = look.buckets;
  return as.stretch(unit, starts[place] ?? 0, starts[place + 1] ?? end);
}

/** The column that says which stretch of days a row is of. */
export function fromColumn(look: Look): ColumnOf<{ readonly place: number }> {
  return {
    label: "From",
    kind: "day",
    value: ({ place }) => look.buckets.starts[place] ?? null,
    text: ({ place }) => bucketName(look, place),
  };
}

/** How many days half of some orders, and nine of ten, took or take; null where there are none. */
interface Days {
  readonly median: number | null;
  readonly ninety: number | null;
}

export const DAYS_COLUMNS: readonly ColumnOf<Days>[] = [
  { label: "Median days", kind: "days", value: ({ median }) => median },
  { label: "9 of 10 within, days", kind: "days", value: ({ ninety }) => ninety },
];

/** Days over time: a row for each stretch. */
export function DaysChart(props: {
  look: Look;
  label: string;
  rows: readonly Days[];
  opening: (place: number) => () => void;
}) {
  const { look, label, rows, opening } = props;
  return (
    <Chart
      height={150}
      label={label}
      buckets={look.buckets}
      series={[
        { name: "Nine of ten", mark: "line", tone: "pale", values: rows.map(({ ninety }) => ninety) },
        { name: "Median", mark: "line", tone: "accent", values: rows.map(({ median }) => median) },
      ]}
      tick={(value) => `${as.count(value)} d`}
      whole
      full={as.days}
      open={(place) => opening(place)()}
    />
  );
}

export function departmentOf(look: Look, staff: number): string {
  return look.shop.people.get(staff)?.department ?? "Unknown department";
}
export function countryOf(look: Look, location: number): string {
  return look.shop.places.get(location)?.country ?? "Unknown country";
}
