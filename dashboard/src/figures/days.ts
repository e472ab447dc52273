/** Days as numbers since 1970-01-01, and the stretches of days that a chart has a mark for. */

const MILLIS = 86_400_000;

/** The number of a day such as "2026-11-26". */
export function dayOf(text: string): number {
  return Math.floor(Date.parse(`${text.slice(0, 10)}T00:00:00Z`) / MILLIS);
}

/** The day of a number, as "2026-11-26". */
export function isoDay(day: number): string {
  return new Date(day * MILLIS).toISOString().slice(0, 10);
}

export function dateOf(day: number): Date {
  return new Date(day * MILLIS);
}

/** The first day of the month behind a day's. */
export function nextMonth(day: number): number {
  const date = dateOf(day);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) / MILLIS;
}

/** The first day of the year behind a day's. */
function nextYear(day: number): number {
  // Date.UTC takes the year 1 for 1901.
  return new Date(0).setUTCFullYear(dateOf(day).getUTCFullYear() + 1, 0) / MILLIS;
}

/** Whether the days from one until before another are a month, or a year, from its first day to its last. */
export function isWhole(unit: "month" | "year", start: number, end: number): boolean {
  const next = unit === "month" ? nextMonth : nextYear;
  return next(start - 1) === start && next(start) === end;
}

export type Unit = "day" | "week" | "month" | "year";

/** Of each number from one on a place; -1 for those that have none. Many are looked up: so it is an array. */
export interface Places {
  readonly from: number;
  readonly places: Int32Array;
}

/** The place of a number; -1 where it has none. */
export function placeOf({ from, places }: Places, value: number): number {
  const at = value - from;
  return at >= 0 && at < places.length ? (places[at] as number) : -1;
}

/** Stretches of days behind each other. */
export interface Stretches {
  readonly unit: Unit;
  /** The first day of each, ascending. */
  readonly starts: readonly number[];
  /** The day behind the last one. */
  readonly end: number;
}

/** Stretches without a gap; each day has the place of its stretch. */
export interface Buckets extends Stretches, Places {}

/**
 * Divide the days from `from` to `to`, both included.
 *
 * Few days each have their own; then come weeks, which end on the last day, so that each is whole; then months. Of a
 * day that somebody mistyped there are centuries of them: then years.
 */
export function bucketsOf(from: number, to: number): Buckets {
  const days = to - from + 1;
  if (days <= 35) return even("day", from, to, 1);
  if (days <= 370) return even("week", from, to, 7);
  if (days <= 366 * 40) return calendar("month", from, to, nextMonth);
  return calendar("year", from, to, nextYear);
}

function even(unit: Unit, from: number, to: number, length: number): Buckets {
  const count = Math.ceil((to - from + 1) / length);
  const first = to + 1 - count * length;
  const starts = Array.from({ length: count }, (_, place) => Math.max(from, first + place * length));
  return bucketsFrom(unit, starts, from, to, to + 1);
}

function bucketsFrom(unit: Unit, starts: readonly number[], from: number, to: number, end: number): Buckets {
  const places = new Int32Array(Math.max(0, to - from + 1));
  starts.forEach((start, place) => {
    places.fill(place, Math.max(0, start - from));
  });
  return { unit, starts, end, from, places };
}

/** The same stretches so many days later. */
export function shifted({ unit, starts, end, from, places }: Buckets, days: number): Buckets {
  return { unit, starts: starts.map((start) => start + days), end: end + days, from: from + days, places };
}

/** Of the first and the last month, or year, only those days that are asked for: no other rows are counted in them. */
function calendar(unit: Unit, from: number, to: number, next: (day: number) => number): Buckets {
  const starts: number[] = [];
  for (let start = from; start <= to; start = next(start)) starts.push(start);
  return bucketsFrom(unit, starts, from, to, to + 1);
}

/** Which day of the week a day is, Monday being 0. */
export function weekday(day: number): number {
  return (((day + 3) % 7) + 7) % 7;
}
