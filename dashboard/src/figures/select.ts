/** Which rows a person looks at: one pass over the columns for each filter that changes. */

import type { Shop } from "./shop";
import { rowsIn } from "./worth";

/** What is looked at. A filter that is null lets everything pass; days are included. */
export interface Filter {
  readonly from: number;
  readonly to: number;
  /** A currency, or ALL. */
  readonly currency: number;
  readonly department: string | null;
  readonly counterparty: number | null;
  readonly design: number | null;
}

/** Rows of a table, by their places in it. */
export type Selection = Int32Array;

export function selectSales(shop: Shop, filter: Filter): Selection {
  return selectOrders(shop, "sales_order", filter, shop.sales_order.design_id);
}

/** Purchases have no design: that filter does not concern them. */
export function selectPurchases(shop: Shop, filter: Filter): Selection {
  return selectOrders(shop, "purchase_order", filter, null);
}

/** The rows of a selection that pass. */
export function among(selection: Selection, passes: (row: number) => boolean): Selection {
  // A loop: a typed array's own filter takes five times as long.
  const found = new Int32Array(selection.length);
  let count = 0;
  for (let place = 0; place < selection.length; place++) {
    const row = selection[place] as number;
    if (passes(row)) found[count++] = row;
  }
  return found.slice(0, count);
}

/** The rows of a table that pass, in their order. */
export function select(rows: number, passes: (row: number) => boolean): Selection {
  const found = new Int32Array(rows);
  let count = 0;
  for (let row = 0; row < rows; row++) if (passes(row)) found[count++] = row;
  return found.slice(0, count);
}

/** In one loop, which calls nothing: to ask a function of each row takes five times as long. */
function selectOrders(
  shop: Shop,
  fact: "sales_order" | "purchase_order",
  { from, to, currency, department, counterparty, design }: Filter,
  designs: Int32Array | null,
): Selection {
  const { rows, day, staff_id, counterparty_id } = shop[fact];
  const inCurrency = rowsIn(shop, fact, currency);
  const staff = department === null ? null : staffOf(shop, department);
  const found = new Int32Array(rows);
  let count = 0;
  for (let row = 0; row < rows; row++) {
    if (inCurrency[row] !== 1) continue;
    const on = day[row] as number;
    if (on < from || on > to) continue;
    if (counterparty !== null && counterparty_id[row] !== counterparty) continue;
    if (design !== null && designs !== null && designs[row] !== design) continue;
    if (staff !== null && !staff.has(staff_id[row] as number)) continue;
    found[count++] = row;
  }
  return found.slice(0, count);
}

function staffOf(shop: Shop, department: string): Set<number> {
  return new Set([...shop.people].filter(([, person]) => person.department === department).map(([id]) => id));
}
