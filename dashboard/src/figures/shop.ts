/** A snapshot with what is asked of it all the time: names by key, and the day that is today. */

import { firstRead } from "../data/manifest";
import type { FactName, Rows } from "../data/schemas";
import type { Snapshot } from "../data/snapshot";
import { dayOf } from "./days";
import { ALL, type Rates, ratesOf } from "./rates";

export interface Currency {
  readonly id: number;
  readonly code: string;
  readonly name: string;
  /** What it is called in the middle of a title. */
  readonly title: string;
}
export interface Person {
  readonly name: string;
  readonly department: string;
}
export interface Party {
  readonly name: string;
  readonly city: string;
  readonly country: string;
}
export interface Shop extends Snapshot {
  /** What is due or overdue is so as of this day. */
  readonly today: number;
  /** The earliest day on which something was ordered, or the first of its month until all is here; `today` where nothing was. */
  readonly firstDay: number;
  /** The latest day on which something was ordered, or `today`. */
  readonly lastDay: number;
  /** The latest day on which something was sold; far in the past where nothing was. */
  readonly lastSale: number;
  /**
   * Currencies that something is sold, bought or paid in. The one that most orders of the last months are in comes
   * first, so that it is the same before all is here. Nothing keeps a source from having two of one code: they are one
   * here, which is known by the key of the first.
   */
  readonly currencies: readonly Currency[];
  /** Every currency, converted into one; null where there are no rates. */
  readonly reporting: Currency | null;
  readonly rates: Rates;
  readonly people: ReadonlyMap<number, Person>;
  readonly parties: ReadonlyMap<number, Party>;
  readonly designs: ReadonlyMap<number, string>;
  readonly places: ReadonlyMap<number, { readonly city: string; readonly country: string }>;
  readonly kinds: ReadonlyMap<number, string>;
  readonly codes: ReadonlyMap<number, string>;
}

/** What a department without a name is called, so that it can be chosen. */
const NAMELESS = "No department";

/** A snapshot as it is looked at on a day: that of its newest batch, or a later one on which nothing had changed. */
export function shopOf(snapshot: Snapshot, today: number): Shop {
  const { staff, counterparty, design, location, payment_type, currency, sales_order, purchase_order } = snapshot;
  let firstDay = snapshot.complete ? today : Math.min(today, firstUnread(snapshot));
  let lastDay = today;
  for (const { day } of [sales_order, purchase_order]) {
    for (let row = 0; row < day.length; row++) {
      const value = day[row] as number;
      if (value < firstDay) firstDay = value;
      if (value > lastDay) lastDay = value;
    }
  }
  const people = toldApart(staff.name, staff.staff_id);
  const parties = toldApart(counterparty.name, counterparty.counterparty_id);
  return {
    ...snapshot,
    today,
    firstDay,
    lastDay,
    lastSale: sales_order.day.reduce((last, day) => Math.max(last, day), Number.NEGATIVE_INFINITY),
    currencies: currenciesOf(snapshot),
    reporting: reportingOf(snapshot),
    rates: ratesOf(snapshot),
    people: byKey(staff.staff_id, (row) => ({
      name: people[row] ?? "",
      department: staff.department[row] || NAMELESS,
    })),
    parties: byKey(counterparty.counterparty_id, (row) => ({
      name: parties[row] ?? "",
      city: counterparty.city[row] ?? "",
      country: counterparty.country[row] ?? "",
    })),
    designs: byKey(design.design_id, (row) => design.name[row] ?? ""),
    places: byKey(location.location_id, (row) => ({
      city: location.city[row] ?? "",
      country: location.country[row] ?? "",
    })),
    kinds: byKey(payment_type.payment_type_id, (row) => payment_type.name[row] ?? ""),
    codes: byKey(currency.currency_id, (row) => currency.code[row] ?? ""),
  };
}

/** Names, with its key each that several rows have. */
function toldApart(names: readonly string[], keys: Int32Array): string[] {
  const rows = new Map<string, number>();
  for (const name of names) rows.set(name, (rows.get(name) ?? 0) + 1);
  return names.map((name, row) => (rows.get(name) === 1 ? name : `${name} #${keys[row]}`));
}

function byKey<T>(keys: Int32Array, value: (row: number) => T): Map<number, T> {
  const found = new Map<number, T>();
  for (let row = 0; row < keys.length; row++) found.set(keys[row] as number, value(row));
  return found;
}

/** The first day of the earliest month of orders of which nothing is here yet. */
function firstUnread({ manifest }: Snapshot): number {
  const months = ["sales_order", "purchase_order"].flatMap((name) => Object.keys(manifest.tables[name]?.parts ?? {}));
  const since = firstRead(manifest);
  return Math.min(...months.filter((month) => month < since).map((month) => dayOf(`${month}-01`)));
}

function currenciesOf(snapshot: Snapshot): Currency[] {
  const uses = new Map<number, number>();
  const since = dayOf(`${firstRead(snapshot.manifest)}-01`);
  const count = (ids: Int32Array, weightOf: (row: number) => number) => {
    for (let row = 0; row < ids.length; row++) {
      const id = ids[row] as number;
      uses.set(id, (uses.get(id) ?? 0) + weightOf(row));
    }
  };
  const { sales_order, purchase_order, payment } = snapshot;
  // What has been sold lately decides, and else what is paid: both are here first.
  count(sales_order.currency_id, (row) => ((sales_order.day[row] as number) >= since ? 1 : 1e-12));
  count(payment.currency_id, () => 1e-6);
  count(purchase_order.currency_id, () => 1e-12);
  const { currency_id, code, name } = snapshot.currency;
  const known = new Map<string, { currency: Currency; used: number }>();
  for (let row = 0; row < currency_id.length; row++) {
    const id = currency_id[row] as number;
    const used = uses.get(id);
    if (used === undefined) continue;
    const own = code[row] ?? "";
    const held = known.get(own);
    if (held === undefined) known.set(own, { currency: { id, code: own, name: name[row] ?? "", title: own }, used });
    else held.used += used;
  }
  return [...known.values()]
    .sort((one, other) => other.used - one.used || one.currency.id - other.currency.id)
    .map(({ currency }) => currency);
}

function reportingOf({ manifest, exchange_rate }: Snapshot): Currency | null {
  const code = manifest.rates?.currency;
  if (code === undefined || exchange_rate.rows === 0) return null;
  return { id: ALL, code, name: `Every currency, converted into ${code}`, title: `all in ${code}` };
}

/** What a counterparty is called, also where its row is not there. */
export function partyName(shop: Shop, key: number): string {
  return shop.parties.get(key)?.name ?? `Counterparty ${key}`;
}

export function personName(shop: Shop, key: number): string {
  return shop.people.get(key)?.name ?? `Person ${key}`;
}

/** Designs share names: their number tells them apart. */
export function designName(shop: Shop, key: number): string {
  return `${shop.designs.get(key) ?? "Design"} #${key}`;
}

export function placeName(shop: Shop, key: number): string {
  const found = shop.places.get(key);
  return found === undefined ? `Location ${key}` : `${found.city}, ${found.country}`;
}

/** A figure that no filter concerns is computed once for each shop. */
export function oncePerShop<T>(compute: (shop: Shop) => T): (shop: Shop) => T {
  const held = new WeakMap<Shop, { readonly value: T }>();
  return (shop) => {
    let found = held.get(shop);
    if (found === undefined) {
      found = { value: compute(shop) };
      held.set(shop, found);
    }
    return found.value;
  };
}

/** The column that a fact's rows are known by. */
export function keysOf(shop: Shop, fact: FactName): Int32Array {
  switch (fact) {
    case "sales_order":
      return shop.sales_order.sales_order_id;
    case "purchase_order":
      return shop.purchase_order.purchase_order_id;
    default:
      return shop.payment.payment_id;
  }
}

export type SalesOrders = Rows<"sales_order">;
export type PurchaseOrders = Rows<"purchase_order">;
export type Payments = Rows<"payment">;
