/** What a person looks at: the shop, the filter, and the rows that pass it. */

import type { FactName } from "../data/schemas";
import { type Buckets, bucketsOf, dayOf, shifted } from "../figures/days";
import { ALL, UNRATED } from "../figures/rates";
import { among, type Filter, type Selection, selectPurchases, selectSales } from "../figures/select";
import type { Currency, Shop } from "../figures/shop";
import { amounts } from "../figures/worth";
import type { Address, Period } from "./address";

const WEEKS: Partial<Record<Period, number>> = { "4w": 4, "13w": 13, "52w": 52 };

/** The same number of days before what is looked at. */
export interface Before {
  readonly sales: Selection;
  /** Those of what is looked at, so much earlier. */
  readonly buckets: Buckets;
  /** What is compared, of this period and of the one before: today is not over, and so in neither. */
  readonly these: Selection;
  readonly those: Selection;
  /** Whether today is left out of them. */
  readonly withoutToday: boolean;
  /** Orders of both that are not in them, because they have no rate: then the two are not alike. */
  readonly unrated: number;
}

export interface Look {
  readonly shop: Shop;
  /** The currency of all amounts; `shop.reporting` where they are converted. */
  readonly currency: Currency;
  /** What each row is worth in it, in minor units. */
  readonly amounts: (fact: FactName) => Float64Array;
  readonly filter: Filter;
  readonly buckets: Buckets;
  readonly sales: Selection;
  readonly purchases: Selection;
  /** Null where the shop was not open for all of it, or where no day of what is looked at is over. */
  readonly before: Before | null;
}

/** Null where the shop has sold, bought and paid nothing. */
export function lookAt(shop: Shop, address: Address): Look | null {
  const currency = currencyOf(shop, address);
  if (currency === undefined) return null;
  const [from, to] = daysOf(shop, address);
  const filter: Filter = {
    from,
    to,
    currency: currency.id,
    department: address.department,
    counterparty: address.counterparty,
    design: address.design,
  };
  const buckets = bucketsOf(from, to);
  const sales = selectSales(shop, filter);
  return {
    shop,
    currency,
    amounts: (fact) => amounts(shop, fact, currency.id),
    filter,
    buckets,
    sales,
    purchases: selectPurchases(shop, filter),
    before: beforeOf(shop, filter, buckets, sales),
  };
}

function beforeOf(shop: Shop, filter: Filter, buckets: Buckets, sales: Selection): Before | null {
  const { from, to } = filter;
  const length = to - from + 1;
  const last = Math.min(to, shop.today - 1);
  if (from - length < shop.firstDay || last < from) return null;
  const earlier = selectSales(shop, { ...filter, from: from - length, to: from - 1 });
  const { day } = shop.sales_order;
  return {
    sales: earlier,
    buckets: shifted(buckets, -length),
    these: among(sales, (row) => (day[row] as number) <= last),
    those: among(earlier, (row) => (day[row] as number) <= last - length),
    withoutToday: last < to,
    unrated: filter.currency === ALL ? unratedOf(shop, { ...filter, from: from - length, to: last }, length) : 0,
  };
}

/** The orders without a rate of two periods behind each other, each as long as the second is so far. */
function unratedOf(shop: Shop, both: Filter, length: number): number {
  const { day } = shop.sales_order;
  const within = (row: number) =>
    (day[row] as number) >= both.from + length || (day[row] as number) <= both.to - length;
  return among(selectSales(shop, { ...both, currency: UNRATED }), within).length;
}

/** The currency of an address: where none was chosen all of them converted, or the most used if there are no rates. */
function currencyOf(shop: Shop, address: Address): Currency | undefined {
  if (shop.currencies.length === 0) return undefined;
  const chosen = shop.currencies.find(({ code }) => code === address.currency);
  return chosen ?? shop.reporting ?? shop.currencies[0];
}

/** The period of an address: where none was chosen the last weeks, or all time if nothing was sold in them. */
export function periodOf(shop: Shop, address: Address): Period {
  return address.period ?? (shop.lastSale > shop.today - 7 * 13 ? "13w" : "all");
}

/** The first and the last day of an address's period. A period of weeks ends today; two days may be in either order. */
export function daysOf(shop: Shop, address: Address): [number, number] {
  const period = periodOf(shop, address);
  const weeks = WEEKS[period];
  if (weeks !== undefined) return [shop.today - 7 * weeks + 1, shop.today];
  if (period === "custom" && address.from !== null && address.to !== null) {
    const [one, other] = [dayOf(address.from), dayOf(address.to)];
    return [Math.min(one, other), Math.max(one, other)];
  }
  return [shop.firstDay, shop.lastDay];
}
