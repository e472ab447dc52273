/** What a person looks at: the shop, the filter, and the rows that pass it. */

import type { FactName } from "../data/schemas";
import { type Buckets, bucketsOf, dayOf } from "../figures/days";
import { type Filter, type Selection, selectPurchases, selectSales } from "../figures/select";
import type { Currency, Shop } from "../figures/shop";
import { amounts } from "../figures/worth";
import type { Address, Period } from "./address";

const WEEKS: Partial<Record<Period, number>> = { "4w": 4, "13w": 13, "52w": 52 };

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
  /** The same number of days before; null where the shop was not open for all of them. */
  readonly before: { readonly filter: Filter; readonly sales: Selection; readonly buckets: Buckets } | null;
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
  const length = to - from + 1;
  const earlier: Filter = { ...filter, from: from - length, to: from - 1 };
  const before =
    earlier.from < shop.firstDay
      ? null
      : { filter: earlier, sales: selectSales(shop, earlier), buckets: bucketsOf(earlier.from, earlier.to) };
  return {
    shop,
    currency,
    amounts: (fact) => amounts(shop, fact, currency.id),
    filter,
    buckets: bucketsOf(from, to),
    sales: selectSales(shop, filter),
    purchases: selectPurchases(shop, filter),
    before,
  };
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

/** The first and the last day of an address's period. A period of weeks ends on the day that the shop is as of. */
export function daysOf(shop: Shop, address: Address): [number, number] {
  const period = periodOf(shop, address);
  const weeks = WEEKS[period];
  if (weeks !== undefined) return [shop.today - 7 * weeks + 1, shop.today];
  if (period === "custom" && address.from !== null && address.to !== null && address.from <= address.to) {
    return [dayOf(address.from), dayOf(address.to)];
  }
  return [shop.firstDay, shop.lastDay];
}
