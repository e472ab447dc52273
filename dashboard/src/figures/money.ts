/** Money that is to come in or to go out, and how long it takes. Amounts are in minor units of one currency, or converted. */

import { type Buckets, placeOf } from "./days";
import { among, type Selection, select } from "./select";
import { oncePerShop, type Shop } from "./shop";
import { Counts } from "./statistics";
import { rowsIn } from "./worth";

/**
 * What comes in: receipts of sales, and what suppliers pay back. What goes out: the other two. Of a kind that the shop
 * has added, or whose row waits in quarantine, nobody has said which it is: it is in neither.
 */
export type Direction = "in" | "out";
const KINDS: Readonly<Record<Direction, ReadonlySet<string>>> = {
  in: new Set(["SALES_RECEIPT", "PURCHASE_REFUND"]),
  out: new Set(["PURCHASE_PAYMENT", "SALES_REFUND"]),
};

/** Days overdue. One that is due on the very day is in 0-30. */
export const AGES = ["not due", "0-30", "31-60", "61-90", "91+"] as const;
export type Age = (typeof AGES)[number];

export interface Open {
  readonly age: Age;
  payments: number;
  amount: number;
  /** The earliest day on which one of them was to be paid; null without payments. */
  oldest: number | null;
}

export function ageOf(paymentDay: number, today: number): Age {
  const overdue = today - paymentDay;
  if (overdue < 0) return "not due";
  if (overdue <= 30) return "0-30";
  if (overdue <= 60) return "31-60";
  return overdue <= 90 ? "61-90" : "91+";
}

/** The payments that are not paid, of every kind and in every currency. */
const unpaid = oncePerShop((shop) => select(shop.payment.rows, (row) => shop.payment.paid[row] === 0));

/** The open payments of a direction, in a currency, of a counterparty where one is chosen. */
export function selectOpen(shop: Shop, direction: Direction, currency: number, counterparty: number | null): Selection {
  const known = openPayments(shop);
  const key = `${direction} ${currency} ${counterparty}`;
  const held = known.get(key) ?? openOf(shop, direction, currency, counterparty);
  known.set(key, held);
  return held;
}

/** They are the same in each period, and asked for by many figures. */
const openPayments = oncePerShop(() => new Map<string, Selection>());

function openOf(shop: Shop, direction: Direction, currency: number, counterparty: number | null): Selection {
  const { counterparty_id, payment_type_id } = shop.payment;
  const inCurrency = rowsIn(shop, "payment", currency);
  const wanted = idsOf(shop, direction);
  return among(
    unpaid(shop),
    (row) =>
      inCurrency[row] === 1 &&
      (counterparty === null || counterparty_id[row] === counterparty) &&
      wanted.has(payment_type_id[row] as number),
  );
}

function idsOf(shop: Shop, direction: Direction): Set<number> {
  return new Set([...shop.kinds].filter(([, name]) => KINDS[direction].has(name)).map(([id]) => id));
}

/** The open payments that have no direction, in every currency, of a counterparty where one is chosen. */
export function selectOther(shop: Shop, counterparty: number | null): Selection {
  return counterparty === null
    ? others(shop)
    : among(others(shop), (row) => shop.payment.counterparty_id[row] === counterparty);
}

const others = oncePerShop((shop) => {
  const known = new Set([...idsOf(shop, "in"), ...idsOf(shop, "out")]);
  return among(unpaid(shop), (row) => !known.has(shop.payment.payment_type_id[row] as number));
});

/** Open payments by their age; report.receipts_due_by_age and report.payments_due_by_age. */
export function openByAge(shop: Shop, amounts: Float64Array, selection: Selection): Open[] {
  const sums = AGES.map((age): Open => ({ age, payments: 0, amount: 0, oldest: null }));
  const { payment_day } = shop.payment;
  for (let at = 0; at < selection.length; at++) {
    const row = selection[at] as number;
    const day = payment_day[row] as number;
    const sum = sums[AGES.indexOf(ageOf(day, shop.today))] as Open;
    sum.payments++;
    sum.amount += amounts[row] as number;
    if (sum.oldest === null || day < sum.oldest) sum.oldest = day;
  }
  return sums;
}

export interface Due {
  readonly payments: number;
  readonly amount: number;
  /** What was to be paid before today. */
  readonly overduePayments: number;
  readonly overdue: number;
}

/** All that is open, and of it what was to be paid before today; report.open_payments. */
export function due(shop: Shop, amounts: Float64Array, selection: Selection): Due {
  const { payment_day } = shop.payment;
  const { today } = shop;
  let sum = 0;
  let overdue = 0;
  let late = 0;
  for (let at = 0; at < selection.length; at++) {
    const row = selection[at] as number;
    sum += amounts[row] as number;
    if ((payment_day[row] as number) >= today) continue;
    overdue += amounts[row] as number;
    late++;
  }
  return { payments: selection.length, amount: sum, overduePayments: late, overdue };
}

export interface PaymentTime {
  readonly paid: number;
  readonly open: number;
  readonly median: number | null;
  readonly ninety: number | null;
}

/** The receipts of sales orders, and of each the place of its order. */
const receipts = oncePerShop((shop) => {
  const { sales_order_id, payment_type_id, rows } = shop.payment;
  const placeOf = new Map<number, number>();
  shop.sales_order.sales_order_id.forEach((id, place) => {
    placeOf.set(id, place);
  });
  const kinds = new Set([...shop.kinds].filter(([, name]) => name === "SALES_RECEIPT").map(([id]) => id));
  const orderOf = new Int32Array(rows).fill(-1);
  const those = select(rows, (row) => {
    if (!kinds.has(payment_type_id[row] as number)) return false;
    orderOf[row] = placeOf.get(sales_order_id[row] as number) ?? -1;
    return orderOf[row] !== -1;
  });
  return { those, orderOf };
});

/** The receipts, in a currency, of orders that are selected; and of each receipt the place of its order. */
export function receiptsOf(shop: Shop, orders: Selection, currency: number): { those: Selection; orderOf: Int32Array } {
  const { those, orderOf } = receipts(shop);
  const selected = new Uint8Array(shop.sales_order.rows);
  for (let at = 0; at < orders.length; at++) selected[orders[at] as number] = 1;
  const inCurrency = rowsIn(shop, "payment", currency);
  // Not by `among`, which asks a function of each row: there are a hundred thousand.
  const found = new Int32Array(those.length);
  let count = 0;
  for (let at = 0; at < those.length; at++) {
    const row = those[at] as number;
    if (inCurrency[row] === 1 && selected[orderOf[row] as number] === 1) found[count++] = row;
  }
  return { those: found.slice(0, count), orderOf };
}

/** Days from an order to the date of its receipt, of receipts that are paid; report.order_to_payment_days. */
export function paymentTimes(
  shop: Shop,
  { those, orderOf }: { those: Selection; orderOf: Int32Array },
  buckets: Buckets,
): { all: PaymentTime; each: PaymentTime[] } {
  const all = new Counts();
  const each = buckets.starts.map(() => new Counts());
  const open = buckets.starts.map(() => 0);
  const { paid, payment_day } = shop.payment;
  const { day } = shop.sales_order;
  for (let at = 0; at < those.length; at++) {
    const payment = those[at] as number;
    const made = day[orderOf[payment] as number] as number;
    const place = placeOf(buckets, made);
    if (place < 0) continue;
    if (paid[payment] === 1) (each[place] as Counts).add((payment_day[payment] as number) - made);
    else open[place] = (open[place] as number) + 1;
  }
  for (const counts of each) all.addAll(counts);
  const time = (counts: Counts, left: number): PaymentTime => ({
    paid: counts.size,
    open: left,
    median: counts.percentile(0.5),
    ninety: counts.percentile(0.9),
  });
  return {
    all: time(
      all,
      open.reduce((sum, left) => sum + left, 0),
    ),
    each: each.map((counts, place) => time(counts, open[place] ?? 0)),
  };
}
