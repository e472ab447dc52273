/** Money that is to come in or to go out, and how long it takes. Amounts are in minor units of one currency. */

import { NOTHING } from "../data/columns";
import type { Buckets } from "./days";
import { type Selection, select } from "./select";
import type { Shop } from "./shop";
import { percentile } from "./statistics";

/** What comes in: receipts of sales, and what suppliers pay back. What goes out: the other two. */
export type Direction = "in" | "out";
const INCOMING = new Set(["SALES_RECEIPT", "PURCHASE_REFUND"]);
const OUTGOING = new Set(["PURCHASE_PAYMENT", "SALES_REFUND"]);

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

/** The open payments of a direction, in a currency, of a counterparty where one is chosen. */
export function selectOpen(shop: Shop, direction: Direction, currency: number, counterparty: number | null): Selection {
  const { paid, currency_id, counterparty_id, payment_type_id, rows } = shop.payment;
  const kinds = direction === "in" ? INCOMING : OUTGOING;
  const wanted = new Set([...shop.kinds].filter(([, name]) => kinds.has(name)).map(([id]) => id));
  return select(
    rows,
    (row) =>
      paid[row] === 0 &&
      currency_id[row] === currency &&
      (counterparty === null || counterparty_id[row] === counterparty) &&
      wanted.has(payment_type_id[row] as number),
  );
}

/** Open payments by their age; report.receipts_due_by_age and report.payments_due_by_age. */
export function openByAge(shop: Shop, selection: Selection): Open[] {
  const sums = AGES.map((age): Open => ({ age, payments: 0, amount: 0, oldest: null }));
  for (const row of selection) {
    const day = shop.payment.payment_day[row] as number;
    const sum = sums[AGES.indexOf(ageOf(day, shop.today))] as Open;
    sum.payments++;
    sum.amount += shop.payment.amount[row] as number;
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
export function due(shop: Shop, selection: Selection): Due {
  const { payment_day, amount } = shop.payment;
  let [sum, overdue, late] = [0, 0, 0];
  for (const row of selection) {
    sum += amount[row] as number;
    if ((payment_day[row] as number) >= shop.today) continue;
    overdue += amount[row] as number;
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

/** The receipts of orders that are selected, with the place of the order of each. */
export function receiptsOf(shop: Shop, orders: Selection, currency: number): { payment: number; order: number }[] {
  const { sales_order_id, payment_type_id, currency_id, rows } = shop.payment;
  const placeOf = new Map<number, number>();
  for (const order of orders) placeOf.set(shop.sales_order.sales_order_id[order] as number, order);
  const receipts = new Set([...shop.kinds].filter(([, name]) => name === "SALES_RECEIPT").map(([id]) => id));
  const found = [];
  for (let payment = 0; payment < rows; payment++) {
    const id = sales_order_id[payment] as number;
    if (id === NOTHING || currency_id[payment] !== currency || !receipts.has(payment_type_id[payment] as number))
      continue;
    const order = placeOf.get(id);
    if (order !== undefined) found.push({ payment, order });
  }
  return found;
}

/** Days from an order to the date of its receipt, of receipts that are paid; report.order_to_payment_days. */
export function paymentTimes(
  shop: Shop,
  receipts: readonly { payment: number; order: number }[],
  buckets: Buckets,
): { all: PaymentTime; each: PaymentTime[] } {
  const days: number[][] = buckets.starts.map(() => []);
  const open = buckets.starts.map(() => 0);
  for (const { payment, order } of receipts) {
    const made = shop.sales_order.day[order] as number;
    const place = buckets.find(made);
    if (place < 0) continue;
    if (shop.payment.paid[payment] === 1) days[place]?.push((shop.payment.payment_day[payment] as number) - made);
    else open[place] = (open[place] ?? 0) + 1;
  }
  const time = (those: number[], left: number): PaymentTime => ({
    paid: those.length,
    open: left,
    median: percentile(those, 0.5),
    ninety: percentile(those, 0.9),
  });
  return {
    all: time(
      days.flat(),
      open.reduce((sum, left) => sum + left, 0),
    ),
    each: days.map((those, place) => time(those, open[place] ?? 0)),
  };
}
