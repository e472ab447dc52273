/** What is sold. Revenue is units times unit price, in minor units of the orders' currency, or converted: `amounts`. */

import { type Buckets, type Places, placeOf } from "./days";
import type { Selection } from "./select";
import type { PurchaseOrders, SalesOrders } from "./shop";
import { Counts } from "./statistics";

export interface Sold {
  orders: number;
  units: number;
  revenue: number;
}
export interface SoldBy<K> extends Sold {
  readonly key: K;
}

/** The revenue of an order on average, in minor units, a half rounded away from zero; null without orders. */
export function averageOrder({ orders, revenue }: Sold): number | null {
  if (orders === 0) return null;
  const rounded = Math.round(Math.abs(revenue) / orders);
  return revenue < 0 ? 0 - rounded : rounded; // and no -0
}

export function total(orders: SalesOrders, amounts: Float64Array, selection: Selection): Sold {
  const sold = nothing();
  for (let at = 0; at < selection.length; at++) add(sold, orders, amounts, selection[at] as number);
  return sold;
}

/** A sum for each stretch of days; report.sales_by_day. */
export function overTime(orders: SalesOrders, amounts: Float64Array, selection: Selection, buckets: Buckets): Sold[] {
  const sums = buckets.starts.map(nothing);
  for (let at = 0; at < selection.length; at++) {
    const row = selection[at] as number;
    const place = placeOf(buckets, orders.day[row] as number);
    if (place >= 0) add(sums[place] as Sold, orders, amounts, row);
  }
  return sums;
}

/** The values of a column, each once, and of each row the place of its value among them. */
interface Values {
  readonly each: readonly number[];
  readonly places: Int32Array;
}

const known = new WeakMap<Int32Array, Values>();

/** A column by its values: an array by place is quicker than a Map, and a key itself may be of any size, and below 0. */
export function valuesOf(column: Int32Array): Values {
  const held = known.get(column);
  if (held !== undefined) return held;
  const placeOfValue = new Map<number, number>();
  const places = column.map((value) => {
    const place = placeOfValue.get(value) ?? placeOfValue.size;
    placeOfValue.set(value, place);
    return place;
  });
  const values = { each: [...placeOfValue.keys()], places };
  known.set(column, values);
  return values;
}

/**
 * A sum for each key, the highest revenue first; report.sales_by_design, _by_staff, _by_counterparty, _by_country.
 *
 * The orders are summed by a column of theirs; keys are made of its values, and are the same for some.
 */
export function soldBy<K>(
  orders: SalesOrders,
  amounts: Float64Array,
  selection: Selection,
  column: Int32Array,
  keyOf: (value: number) => K,
): SoldBy<K>[] {
  const { each, places } = valuesOf(column);
  const sums = each.map(nothing);
  for (let at = 0; at < selection.length; at++) {
    const row = selection[at] as number;
    add(sums[places[row] as number] as Sold, orders, amounts, row);
  }
  const byKey = new Map<K, SoldBy<K>>();
  sums.forEach((sum, place) => {
    if (sum.orders === 0) return;
    const key = keyOf(each[place] as number);
    const all = byKey.get(key) ?? { key, ...nothing() };
    all.orders += sum.orders;
    all.units += sum.units;
    all.revenue += sum.revenue;
    byKey.set(key, all);
  });
  return [...byKey.values()].sort((one, other) => other.revenue - one.revenue || compare(one.key, other.key));
}

/** A part of all; null where all, for what was taken back, comes to nothing or less, and so has no parts. */
export function shareOf(part: number, all: number): number | null {
  return all > 0 ? part / all : null;
}

/** Each one's share in all, and the shares up to it; report.sales_by_counterparty. */
export function shares(sums: readonly Sold[]): { share: number | null; toHere: number | null }[] {
  const all = sums.reduce((sum, { revenue }) => sum + revenue, 0);
  let before = 0;
  return sums.map(({ revenue }) => {
    before += revenue;
    return { share: shareOf(revenue, all), toHere: shareOf(before, all) };
  });
}

export interface LeadTime {
  readonly orders: number;
  readonly median: number | null;
  readonly ninety: number | null;
}

/** Days from orders to their agreed delivery, for each place that a column's values have; report.agreed_lead_times. */
export function leadTimes(
  orders: SalesOrders,
  selection: Selection,
  count: number,
  column: Int32Array,
  places: Places,
): { all: LeadTime; each: LeadTime[] } {
  const all = new Counts();
  const each = Array.from({ length: count }, () => new Counts());
  const { day, delivery_day } = orders;
  for (let at = 0; at < selection.length; at++) {
    const row = selection[at] as number;
    const place = placeOf(places, column[row] as number);
    if (place >= 0) (each[place] as Counts).add((delivery_day[row] as number) - (day[row] as number));
  }
  for (const counts of each) all.addAll(counts);
  return { all: timeOf(all), each: each.map(timeOf) };
}

function timeOf(counts: Counts): LeadTime {
  return { orders: counts.size, median: counts.percentile(0.5), ninety: counts.percentile(0.9) };
}

export interface Traded {
  revenue: number;
  cost: number;
}

/** Revenue beside cost, quantity times unit price, for each stretch of days; report.purchases_against_sales. */
export function tradedOverTime(
  sales: SalesOrders,
  revenue: Float64Array,
  sold: Selection,
  purchases: PurchaseOrders,
  cost: Float64Array,
  bought: Selection,
  buckets: Buckets,
): Traded[] {
  const sums = buckets.starts.map((): Traded => ({ revenue: 0, cost: 0 }));
  for (let at = 0; at < sold.length; at++) {
    const row = sold[at] as number;
    const place = placeOf(buckets, sales.day[row] as number);
    if (place >= 0) (sums[place] as Traded).revenue += revenue[row] as number;
  }
  for (let at = 0; at < bought.length; at++) {
    const row = bought[at] as number;
    const place = placeOf(buckets, purchases.day[row] as number);
    if (place >= 0) (sums[place] as Traded).cost += cost[row] as number;
  }
  return sums;
}

export interface BoughtFrom {
  readonly key: number;
  orders: number;
  items: number;
  cost: number;
}

/** What is bought from whom, the highest cost first; report.purchases_by_counterparty. */
export function boughtBy(purchases: PurchaseOrders, amounts: Float64Array, selection: Selection): BoughtFrom[] {
  const sums = new Map<number, BoughtFrom>();
  for (const row of selection) {
    const key = purchases.counterparty_id[row] as number;
    let sum = sums.get(key);
    if (sum === undefined) {
      sum = { key, orders: 0, items: 0, cost: 0 };
      sums.set(key, sum);
    }
    sum.orders++;
    sum.items += purchases.quantity[row] as number;
    sum.cost += amounts[row] as number;
  }
  return [...sums.values()].sort((one, other) => other.cost - one.cost || one.key - other.key);
}

function nothing(): Sold {
  return { orders: 0, units: 0, revenue: 0 };
}

function add(sum: Sold, orders: SalesOrders, amounts: Float64Array, row: number): void {
  sum.orders++;
  sum.units += orders.units[row] as number;
  sum.revenue += amounts[row] as number;
}

function compare<K>(one: K, other: K): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
