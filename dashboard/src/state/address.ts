/** What is looked at, as the part of the address behind the #: it can be kept, sent and gone back to. */

import type { FactName } from "../data/schemas";

/** What is said for every currency, converted. */
export const EVERY_CURRENCY = "all";

export const PERIODS = ["4w", "13w", "52w", "all", "custom"] as const;
export type Period = (typeof PERIODS)[number];

export interface Address {
  /** Null where nobody has chosen one. */
  readonly period: Period | null;
  /** Days, such as "2026-11-26"; of the period "custom" alone. */
  readonly from: string | null;
  readonly to: string | null;
  /** An ISO 4217 code, or EVERY_CURRENCY. */
  readonly currency: string | null;
  readonly department: string | null;
  readonly counterparty: number | null;
  readonly design: number | null;
  /** A moment, or a day, whose last snapshot is shown; null for the newest. */
  readonly asof: string | null;
  readonly row: { readonly fact: FactName; readonly key: number } | null;
}

export const NOWHERE: Address = {
  period: null,
  from: null,
  to: null,
  currency: null,
  department: null,
  counterparty: null,
  design: null,
  asof: null,
  row: null,
};

const DAY = /^\d{4}-\d{2}-\d{2}$/;
/** A year in which a shop can be open. */
const LIKELY = /^(19|20|21)\d{2}-/;
const MOMENT = /^\d{4}-\d{2}-\d{2}(T[\d:.]+Z)?$/;
const ROW = /^(sales_order|purchase_order|payment)-(-?\d{1,10})$/;

/** Read an address; what makes no sense in it is as if it were not there. */
export function parseAddress(hash: string): Address {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const matching = (name: string, pattern: RegExp) => {
    const value = said.get(name);
    return value !== null && pattern.test(value) && isThere(value) ? value : null;
  };
  const number = (name: string) => {
    const value = said.get(name);
    return value !== null && /^-?\d{1,10}$/.test(value) ? Number(value) : null;
  };
  const row = ROW.exec(said.get("row") ?? "");
  const period = PERIODS.find((each) => each === said.get("period")) ?? null;
  return {
    period,
    from: matching("from", DAY),
    to: matching("to", DAY),
    currency: said.get("currency"),
    department: said.get("department") || null,
    counterparty: number("counterparty"),
    design: number("design"),
    asof: matching("asof", MOMENT),
    row: row === null ? null : { fact: row[1] as FactName, key: Number(row[2]) },
  };
}

/**
 * Whether what a field says is a day that somebody means: of a likely year, or not before `first`, the shop's own.
 *
 * Who types the year 2026 passes by the years 2, 20 and 202, and a field takes five digits too.
 */
export function isMeant(day: string, first: string): boolean {
  return DAY.test(day) && (LIKELY.test(day) || day >= first);
}

/** Whether a day, or a moment, is one; to a browser the 31st of February is the 3rd of March. */
function isThere(moment: string): boolean {
  const millis = Date.parse(moment);
  return !Number.isNaN(millis) && new Date(millis).toISOString().startsWith(moment.slice(0, 10));
}

/** Write an address, without what is as it is anyway. */
export function writeAddress(address: Address): string {
  const said = new URLSearchParams();
  for (const [name, value] of Object.entries({
    ...address,
    row: address.row === null ? null : `${address.row.fact}-${address.row.key}`,
  })) {
    if (value !== null && value !== NOWHERE[name as keyof Address]) said.set(name, String(value));
  }
  const text = said.toString();
  return text === "" ? "" : `#${text.replaceAll("%3A", ":")}`;
}
