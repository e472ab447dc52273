/** Exchange rates, and an amount converted by one and rounded as PostgreSQL rounds it. */

import type { Snapshot } from "../data/snapshot";

/**
 * What stands for every currency, where one is asked for; and for those rows that cannot be converted. A currency's own
 * key has 32 bits, and so is less than both.
 */
export const ALL = 2 ** 32;
export const UNRATED = ALL + 1;

export interface Rate {
  /** Units of the currency that one unit of the reporting currency was worth; 1 of the reporting currency itself. */
  readonly value: number;
  /** The same as the source wrote it. */
  readonly text: string;
  /** The day that it is of; null where no rate is needed. */
  readonly day: number | null;
}
/** Rates by currency, each with its days ascending. */
export type Rates = ReadonlyMap<number, readonly Rate[]>;

export function ratesOf({ exchange_rate }: Snapshot): Rates {
  const found = new Map<number, Rate[]>();
  const { currency_id, day, rate } = exchange_rate;
  for (let row = 0; row < exchange_rate.rows; row++) {
    const text = rate[row] ?? "";
    const id = currency_id[row] as number;
    const days = found.get(id) ?? [];
    days.push({ value: Number(text), text, day: day[row] as number });
    found.set(id, days);
  }
  for (const days of found.values()) days.sort((one, other) => (one.day ?? 0) - (other.day ?? 0));
  return found;
}

/** So near to a half, for its size, is a quotient that it is worked out digit by digit: a division errs by less. */
const NEAR = 2 ** -50;

/** An amount in minor units of the reporting currency, a half rounded away from zero. */
export function convert(minor: number, rate: Rate): number {
  if (rate.day === null) return minor;
  const quotient = Math.abs(minor) / rate.value;
  const near = Math.abs(quotient - Math.floor(quotient) - 0.5) <= Math.max(1e-6, quotient * NEAR);
  const rounded = near ? exactly(Math.abs(minor), rate.text) : Math.round(quotient);
  return minor < 0 ? 0 - rounded : rounded; // and no -0
}

/** A quotient, a half rounded up. */
function exactly(minor: number, text: string): number {
  const [digits = "", exponent = "0"] = text.toLowerCase().split("e");
  const [before = "", after = ""] = digits.split(".");
  const places = after.length - Number(exponent);
  const scale = (power: number) => 10n ** BigInt(Math.max(0, power));
  const rate = BigInt(before + after) * scale(-places);
  return Number((2n * BigInt(minor) * scale(places) + rate) / (2n * rate));
}
