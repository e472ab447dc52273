/** What a person looks at: the shop, the filter, and the rows that pass it. */

import { type Buckets, bucketsOf, dayOf } from "../figures/days";
import { type Filter, type Selection, selectPurchases, selectSales } from "../figures/select";
import type { Currency, Shop } from "../figures/shop";
import type { Address, Period } from "./address";

const WEEKS: Partial<Record<Period, number>> = { "4w": 4, "13w": 13, "52w": 52 };

export interface Look {
  readonly shop: Shop;
  readonly currency: Currency;
  readonly filter: Filter;
  readonly buckets: Buckets;
  readonly sales: Selection;
  readonly purchases: Selection;
  /** The same number of days before; null where the shop was not open for all of them. */
  readonly before: { readonly filter: Filter; readonly sales: Selection; readonly buckets: Buckets } | null;
}

/** Null where the shop has sold, bought and paid nothing. */
export function lookAt(shop: Shop, address: Address): Look | null {
  const currency = shop.currencies.find(({ code }) => code === address.currency) ?? shop.currencies[0];
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
    filter,
    buckets: bucketsOf(from, to),
    sales: selectSales(shop, filter),
    purchases: selectPurchases(shop, filter),
    before,
  };
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
