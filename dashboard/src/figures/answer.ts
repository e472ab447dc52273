/** What a person wants to know first: yesterday against the usual, and what has changed since the last look. */

import { placeOf } from "./days";
import { ALL, UNRATED } from "./rates";
import { overTime, type Sold } from "./sales";
import { among, type Selection, select } from "./select";
import { oncePerShop, type Shop } from "./shop";
import { median } from "./statistics";
import { amounts, rowsIn } from "./worth";

/** With so many of the same weekday before it is a day compared. */
export const WEEKS = 8;

export interface Usual {
  readonly day: number;
  readonly sold: Sold;
  /** The same weekday of the weeks before, the earliest first; without those before the shop's first order. */
  readonly before: readonly { readonly day: number; readonly sold: Sold }[];
  /** The medians of those; null where there are none. */
  readonly revenue: number | null;
  readonly orders: number | null;
  /** Orders of all these days that are not in them, because they have no rate: then the days are not alike. */
  readonly unrated: number;
}

/** A day's sales beside the median of the same weekday in the eight weeks before; report.sales_by_day. */
export function againstUsual(shop: Shop, currency: number, day: number): Usual {
  const known = usuals(shop);
  const key = `${currency} ${day}`;
  const held = known.get(key) ?? usualOf(shop, currency, day);
  known.set(key, held);
  return held;
}

const usuals = oncePerShop(() => new Map<string, Usual>());

function usualOf(shop: Shop, currency: number, day: number): Usual {
  const first = day - 7 * WEEKS;
  const { sales_order } = shop;
  const inCurrency = rowsIn(shop, "sales_order", currency);
  const selection = select(
    sales_order.rows,
    (row) => inCurrency[row] === 1 && (sales_order.day[row] as number) >= first,
  );
  const days = Array.from({ length: WEEKS + 1 }, (_, week) => first + 7 * week);
  const places = new Int32Array(day - first + 1).fill(-1);
  days.forEach((value, place) => {
    places[value - first] = place;
  });
  const sums = overTime(sales_order, amounts(shop, "sales_order", currency), selection, {
    unit: "day",
    starts: days,
    end: day + 1,
    from: first,
    places,
  });
  const all = days.map((value, place) => ({ day: value, sold: sums[place] as Sold }));
  const before = all.slice(0, -1).filter((each) => each.day >= shop.firstDay);
  return {
    day,
    sold: sums.at(-1) as Sold,
    before,
    revenue: median(before.map(({ sold }) => sold.revenue)),
    orders: median(before.map(({ sold }) => sold.orders)),
    unrated: currency === ALL ? unratedOn(shop, places, first) : 0,
  };
}

/** How many orders of the days that have a place have no rate. */
function unratedOn(shop: Shop, places: Int32Array, first: number): number {
  const { day, rows } = shop.sales_order;
  const unrated = rowsIn(shop, "sales_order", UNRATED);
  return select(rows, (row) => unrated[row] === 1 && placeOf({ from: first, places }, day[row] as number) >= 0).length;
}

export interface Changes {
  readonly newOrders: Selection;
  readonly changedOrders: Selection;
  readonly newPurchases: Selection;
  readonly changedPurchases: Selection;
  /** Not paid then, or not there; paid now. */
  readonly newlyPaid: Selection;
  /** Not there then, and not paid yet. */
  readonly newlyOpen: Selection;
  /** Any other change: a correction of one that was paid already, too. */
  readonly changedPayments: Selection;
  /** Rows that are gone, of all star tables. */
  readonly gone: number;
}

/** What later batches than one have brought, in every currency. */
export function changesSince(shop: Shop, batch: number): Changes {
  const known = changes(shop);
  const held = known.get(batch) ?? changesOf(shop, batch);
  known.set(batch, held);
  return held;
}

const changes = oncePerShop(() => new Map<number, Changes>());

function changesOf(shop: Shop, batch: number): Changes {
  const { sales_order, purchase_order, payment } = shop;
  const touched = (table: { rows: number; batch: Int32Array }) =>
    select(table.rows, (row) => (table.batch[row] as number) > batch);
  const sales = touched(sales_order);
  const purchases = touched(purchase_order);
  const payments = touched(payment);
  // How many versions a row has tells nothing: one that is new may have been changed since.
  const isNew = (table: { first_batch: Int32Array }) => (row: number) => (table.first_batch[row] as number) > batch;
  const isOld = (table: { first_batch: Int32Array }) => (row: number) => (table.first_batch[row] as number) <= batch;
  const turnedPaid = (row: number) => (payment.paid_since[row] as number) > batch;
  const turnedOpen = (row: number) => payment.paid[row] === 0 && isNew(payment)(row);
  let gone = 0;
  for (let row = 0; row < shop.batch.rows; row++) {
    if ((shop.batch.batch[row] as number) > batch) gone += shop.batch.deleted[row] as number;
  }
  return {
    newOrders: among(sales, isNew(sales_order)),
    changedOrders: among(sales, isOld(sales_order)),
    newPurchases: among(purchases, isNew(purchase_order)),
    changedPurchases: among(purchases, isOld(purchase_order)),
    newlyPaid: among(payments, turnedPaid),
    newlyOpen: among(payments, turnedOpen),
    changedPayments: among(payments, (row) => !turnedPaid(row) && !turnedOpen(row)),
    gone,
  };
}
