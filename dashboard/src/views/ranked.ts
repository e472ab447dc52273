/** Sales by design, counterparty, person or place, the greatest first. */

import { type Sold, shares, soldBy } from "../figures/sales";
import type { Look } from "../state/look";
import type { Bar } from "../ui/bars";
import type { ColumnOf } from "../ui/figure";
import * as as from "../ui/formats";
import { salesWhere } from "./common";

/** So many bars are shown; the table has all. */
export const TOP = 10;

export interface Ranked extends Sold {
  readonly key: string | number;
  readonly name: string;
  readonly share: number | null;
  readonly toHere: number | null;
  readonly open: () => void;
}

/** Sales by a key that is made of a column, in order; each opens its rows. */
export function ranked<K extends string | number>(
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
      ...(parts[place] ?? { share: null, toHere: null }),
      name,
      open: salesWhere(
        `Sales orders: ${as.brief(name)}, ${look.currency.title}`,
        (row, those) => keyOf(those.shop.sales_order[column][row] as number, those) === sum.key,
      ),
    };
  });
}

/** How much one brings, as a share where there is one. */
export function brought({ share, revenue }: Ranked, look: Look): string {
  return share === null ? as.shortMoney(revenue, look.currency.code) : `${as.share(share)} of revenue`;
}

export const itself = (value: number) => value;

/** The columns of sales by something; by which key the rows are known, where they have one. */
export function rankedColumns(label: string, key?: string): ColumnOf<Ranked>[] {
  return [
    { label, kind: "text", value: ({ name }) => name },
    { label: "Orders", kind: "count", value: ({ orders }) => orders, open: ({ open }) => open },
    { label: "Units", kind: "count", value: ({ units }) => units },
    { label: "Revenue", kind: "money", value: ({ revenue }) => revenue, open: ({ open }) => open },
    { label: "Share", kind: "share", value: ({ share }) => share },
    { label: "Share to here", kind: "share", value: ({ toHere }) => toHere },
    ...(key === undefined ? [] : [keyColumn(key)]),
  ];
}

/** The key that a program knows a row by. */
export function keyColumn(label: string): ColumnOf<{ readonly key: string | number }> {
  return { label, kind: "count", value: ({ key }) => key, onlyCsv: true };
}

export function rankedBars(look: Look, rows: readonly Ranked[], top = TOP): Bar[] {
  return rows.slice(0, top).map((row, place) => ({
    key: place,
    name: row.name,
    value: row.revenue,
    text: as.shortMoney(row.revenue, look.currency.code),
    ...(row.share === null ? {} : { aside: as.share(row.share) }),
    open: row.open,
  }));
}

export function restOf(look: Look, rows: readonly Ranked[], many: string, top = TOP): string | null {
  const rest = rows.slice(top);
  if (rest.length === 0) return null;
  const revenue = rest.reduce((sum, row) => sum + row.revenue, 0);
  return `${as.count(rest.length)} more ${many}: ${as.shortMoney(revenue, look.currency.code)}`;
}
