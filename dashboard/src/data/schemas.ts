/** The tables of a snapshot, format 1. A "day" is a number of days since 1970-01-01; money is in minor units. */

import type { Schema, Table } from "./columns";

const ORDER = {
  day: "int",
  staff_id: "int",
  counterparty_id: "int",
  unit_price: "number",
  currency_id: "int",
  payment_day: "int",
  delivery_day: "int",
  location_id: "int",
  batch: "int",
} as const;
const SALES_ORDER_VERSION = { sales_order_id: "int", units: "number", design_id: "int", ...ORDER } as const;
const PURCHASE_ORDER_VERSION = { purchase_order_id: "int", item_code: "text", quantity: "number", ...ORDER } as const;
const PAYMENT_VERSION = {
  payment_id: "int",
  day: "int",
  sales_order_id: "number",
  purchase_order_id: "number",
  counterparty_id: "int",
  amount: "number",
  currency_id: "int",
  payment_type_id: "int",
  paid: "flag",
  payment_day: "int",
  batch: "int",
} as const;
const VERSIONS = { versions: "int", first_batch: "int" } as const;
const DELETED = { deleted: "flag" } as const;

export const SCHEMAS = {
  sales_order: { ...SALES_ORDER_VERSION, ...VERSIONS },
  purchase_order: { ...PURCHASE_ORDER_VERSION, ...VERSIONS },
  payment: { ...PAYMENT_VERSION, ...VERSIONS, paid_since: "int" },
  sales_order_version: { ...SALES_ORDER_VERSION, ...DELETED },
  purchase_order_version: { ...PURCHASE_ORDER_VERSION, ...DELETED },
  payment_version: { ...PAYMENT_VERSION, ...DELETED },
  batch: {
    batch: "int",
    captured_at: "number",
    loaded_at: "number",
    rows_in: "number",
    versions: "number",
    deleted: "number",
    quarantined: "number",
  },
  counterparty: { counterparty_id: "int", name: "text", city: "text", country: "text" },
  staff: { staff_id: "int", name: "text", department: "text", place: "text" },
  design: { design_id: "int", name: "text" },
  location: { location_id: "int", city: "text", country: "text" },
  currency: { currency_id: "int", code: "text", name: "text" },
  exchange_rate: { currency_id: "int", day: "int", rate: "text" },
  payment_type: { payment_type_id: "int", name: "text" },
  open_quarantine: { star_table: "text", key: "text", reason: "text", batch: "int", stale: "flag" },
  drift: { batch: "int", what: "text" },
  verification: { at: "number", batch: "int", equal: "flag", differences: "int" },
} as const satisfies Record<string, Schema>;

/** Columns that came later: an older file does not have them, and they are empty then. */
export const LATER: ReadonlySet<string> = new Set(["first_batch", "paid_since", "stale"]);

export type TableName = keyof typeof SCHEMAS;
export type Rows<N extends TableName> = Table<(typeof SCHEMAS)[N]>;
/** A table whose rows a person may open. */
export type FactName = "sales_order" | "purchase_order" | "payment";
