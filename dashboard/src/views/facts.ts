/** How the rows of a fact are shown: its fields, in words. */

import { cell, NOTHING } from "../data/columns";
import type { FactName } from "../data/schemas";
import { convert } from "../figures/rates";
import { designName, partyName, personName, placeName, type Shop } from "../figures/shop";
import { rateOn } from "../figures/worth";
import type { CellKind } from "../ui/figure";
import * as as from "../ui/formats";

export interface Field {
  readonly name: string;
  readonly kind: CellKind | "id";
  /** The column, or what is computed of columns. */
  readonly value: (table: Columns, row: number, shop: Shop) => number | string | null;
  /** Shown in a list of rows; on a phone too where "always". */
  readonly list?: "always" | "wide";
  /** The row of another fact that the field names. */
  readonly leads?: FactName;
  /** Whether the money is in the reporting currency, and not in the row's own. */
  readonly converted?: boolean;
}
type Columns = { readonly rows: number };

const number = (column: string) => (table: Columns, row: number) => {
  const value = cell(table, column, row) as number;
  return Number.isNaN(value) ? null : value;
};
const day = (column: string) => (table: Columns, row: number) => {
  const value = cell(table, column, row) as number;
  return value === NOTHING ? null : value;
};
const text = (column: string) => (table: Columns, row: number) => cell(table, column, row) as string;
const id = (table: Columns, column: string, row: number) => cell(table, column, row) as number;
const party = (table: Columns, row: number, shop: Shop) => partyName(shop, id(table, "counterparty_id", row));
const person = (table: Columns, row: number, shop: Shop) => personName(shop, id(table, "staff_id", row));
const place = (table: Columns, row: number, shop: Shop) => placeName(shop, id(table, "location_id", row));
const design = (table: Columns, row: number, shop: Shop) => designName(shop, id(table, "design_id", row));
const value = (amount: string) => {
  const [countOf, priceOf] = [number(amount), number("unit_price")];
  return (table: Columns, row: number) => {
    const [count, price] = [countOf(table, row), priceOf(table, row)];
    return count === null || price === null ? null : count * price;
  };
};

const TERMS: readonly Field[] = [
  { name: "Payment agreed for", kind: "day", value: day("payment_day") },
  { name: "Delivery agreed for", kind: "day", value: day("delivery_day") },
  { name: "Deliver to", kind: "text", value: place },
  { name: "Staff", kind: "text", value: person, list: "wide" },
];

const FIELDS: Readonly<Record<FactName, readonly Field[]>> = {
  sales_order: [
    { name: "Made", kind: "day", value: day("day"), list: "always" },
    { name: "Customer", kind: "text", value: party, list: "always" },
    { name: "Design", kind: "text", value: design, list: "wide" },
    { name: "Units", kind: "count", value: number("units"), list: "wide" },
    { name: "Unit price", kind: "money", value: number("unit_price"), list: "wide" },
    { name: "Value", kind: "money", value: value("units"), list: "always" },
    ...TERMS,
  ],
  purchase_order: [
    { name: "Made", kind: "day", value: day("day"), list: "always" },
    { name: "Supplier", kind: "text", value: party, list: "always" },
    { name: "Item", kind: "text", value: text("item_code"), list: "wide" },
    { name: "Quantity", kind: "count", value: number("quantity"), list: "wide" },
    { name: "Unit price", kind: "money", value: number("unit_price"), list: "wide" },
    { name: "Value", kind: "money", value: value("quantity"), list: "always" },
    ...TERMS,
  ],
  payment: [
    { name: "To be paid on", kind: "day", value: day("payment_day"), list: "always" },
    { name: "Counterparty", kind: "text", value: party, list: "always" },
    {
      name: "Kind",
      kind: "text",
      value: (table, row, shop) => kindName(shop.kinds.get(id(table, "payment_type_id", row)) ?? ""),
      list: "wide",
    },
    {
      name: "Paid",
      kind: "text",
      value: (table, row) => (cell(table, "paid", row) === 1 ? "yes" : "no"),
      list: "wide",
    },
    { name: "Amount", kind: "money", value: number("amount"), list: "always" },
    { name: "Entered", kind: "day", value: day("day") },
    { name: "Sales order", kind: "id", value: number("sales_order_id"), leads: "sales_order" },
    { name: "Purchase order", kind: "id", value: number("purchase_order_id"), leads: "purchase_order" },
  ],
};

/** What a row is worth in the reporting currency, and by which rate. */
const CONVERSION: Readonly<Record<FactName, readonly Field[]>> = {
  sales_order: conversion(value("units")),
  purchase_order: conversion(value("quantity")),
  payment: conversion(number("amount")),
};

/** The fields of a fact's rows in a shop. */
export function fieldsOf(shop: Shop, fact: FactName): readonly Field[] {
  return shop.reporting === null ? FIELDS[fact] : [...FIELDS[fact], ...CONVERSION[fact]];
}

function conversion(amount: (table: Columns, row: number) => number | null): readonly Field[] {
  const rate = (table: Columns, row: number, shop: Shop) =>
    rateOn(shop, id(table, "currency_id", row), id(table, "day", row));
  return [
    {
      name: "Converted",
      kind: "money",
      converted: true,
      value: (table, row, shop) => {
        const [found, own] = [rate(table, row, shop), amount(table, row)];
        return found === null || own === null ? null : convert(own, found);
      },
    },
    { name: "Rate", kind: "text", value: (table, row, shop) => rate(table, row, shop)?.text ?? null },
    { name: "Rate of", kind: "day", value: (table, row, shop) => rate(table, row, shop)?.day ?? null },
  ];
}

export const FACTS: Readonly<Record<FactName, { readonly one: string; readonly many: string }>> = {
  sales_order: { one: "Sales order", many: "sales orders" },
  purchase_order: { one: "Purchase order", many: "purchase orders" },
  payment: { one: "Payment", many: "payments" },
};

/** SALES_RECEIPT as "Sales receipt". */
function kindName(name: string): string {
  const words = name.replaceAll("_", " ").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A field in words. */
export function shown(field: Field, value: number | string | null, code: string): string {
  if (value === null) return "–";
  if (typeof value === "string") return value;
  if (field.kind === "money") return as.money(value, code);
  if (field.kind === "day") return as.day(value);
  if (field.kind === "id") return `#${value}`;
  return as.count(value);
}

/** The code of the currency that a row of a fact is in. */
export function codeOf(shop: Shop, fact: FactName, row: number): string {
  return shop.codes.get(shop[fact].currency_id[row] as number) ?? "";
}

/** The currency that a field's money is in, of a row in another. */
export function codeIn(field: Field, shop: Shop, code: string): string {
  return field.converted ? (shop.reporting?.code ?? code) : code;
}
