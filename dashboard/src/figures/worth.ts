/** What rows are worth: in their own currency, or each converted by the rate of its own day. */

import { NOTHING } from "../data/columns";
import type { FactName } from "../data/schemas";
import { ALL, convert, type Rate, UNRATED } from "./rates";
import { oncePerShop, type Shop } from "./shop";

const NO_RATE_NEEDED: Rate = { value: 1, text: "1", day: null };

/** The rate of a day, or of the last day before that has one; null where there is none. report.exchange_rates. */
export function rateOn(shop: Shop, currency: number, day: number): Rate | null {
  if (shop.reporting === null) return null;
  if (shop.codes.get(currency) === shop.reporting.code) return NO_RATE_NEEDED;
  const days = shop.rates.get(currency) ?? [];
  let [low, high] = [0, days.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((days[middle]?.day ?? 0) <= day) low = middle + 1;
    else high = middle;
  }
  return days[low - 1] ?? null;
}

interface Worth {
  /** In the row's own currency; 0 where it is not known, for sum() of SQL leaves that out too. */
  readonly own: Float64Array;
  /** In the reporting currency; NaN where there is no rate. */
  readonly converted: Float64Array;
  /** The day of the rate; NOTHING where none is needed, or there is none. */
  readonly rateDay: Int32Array;
}

/** What each row of a fact is worth, in minor units. */
const worth = oncePerShop((shop): Record<FactName, Worth> => {
  const { sales_order, purchase_order, payment } = shop;
  const known = (amount: number) => amount || 0; // NaN is none
  const product = (counts: Float64Array, prices: Float64Array) =>
    prices.map((price, row) => known(price * (counts[row] as number)));
  const worthOf = (table: { rows: number; day: Int32Array; currency_id: Int32Array }, own: Float64Array): Worth => {
    const converted = new Float64Array(table.rows).fill(Number.NaN);
    const rateDay = new Int32Array(table.rows).fill(NOTHING);
    if (shop.reporting === null) return { own, converted, rateDay };
    for (let row = 0; row < table.rows; row++) {
      const rate = rateOn(shop, table.currency_id[row] as number, table.day[row] as number);
      if (rate === null) continue;
      converted[row] = convert(own[row] as number, rate);
      if (rate.day !== null) rateDay[row] = rate.day;
    }
    return { own, converted, rateDay };
  };
  return {
    sales_order: worthOf(sales_order, product(sales_order.units, sales_order.unit_price)),
    purchase_order: worthOf(purchase_order, product(purchase_order.quantity, purchase_order.unit_price)),
    payment: worthOf(payment, payment.amount.map(known)),
  };
});

/** The amounts of a fact's rows in a currency or, for ALL, converted; those count that `rowsIn` has. */
export function amounts(shop: Shop, fact: FactName, currency: number): Float64Array {
  return currency < ALL ? worth(shop)[fact].own : worth(shop)[fact].converted;
}

/** The day of the rate that each row of a fact is converted by; NOTHING where none is needed, or there is none. */
export function rateDays(shop: Shop, fact: FactName): Int32Array {
  return worth(shop)[fact].rateDay;
}

/**
 * Which rows of a fact have an amount in a currency, or in another of its code, a 1 for each; of ALL those that can be
 * converted, of UNRATED the others. An array, since to ask it of each row is much quicker than to call a function.
 */
export function rowsIn(shop: Shop, fact: FactName, currency: number): Uint8Array {
  const known = rowsOfCurrencies(shop);
  const key = `${fact} ${currency}`;
  const held = known.get(key) ?? marked(shop, fact, currency);
  known.set(key, held);
  return held;
}

const rowsOfCurrencies = oncePerShop(() => new Map<string, Uint8Array>());

function marked(shop: Shop, fact: FactName, currency: number): Uint8Array {
  const { currency_id, rows } = shop[fact];
  const found = new Uint8Array(rows);
  if (currency < ALL) {
    const code = shop.codes.get(currency);
    for (const [id, own] of shop.codes) {
      if (own !== code) continue;
      for (let row = 0; row < rows; row++) if (currency_id[row] === id) found[row] = 1;
    }
    return found;
  }
  const { converted } = worth(shop)[fact];
  for (let row = 0; row < rows; row++) {
    if (Number.isNaN(converted[row] as number) === (currency === UNRATED)) found[row] = 1;
  }
  return found;
}
