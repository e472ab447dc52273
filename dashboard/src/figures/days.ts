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
function nextMonth(day: number): number {
  const date = dateOf(day);
  return new Date(0).setUTCFullYear(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) / MILLIS; // see nextYears
}

/** The first day of the so many years behind a day's: 2020 begins a decade, and 2000 a century. */
const nextYears = (count: number) => (day: number) => {
  const year = count * (Math.floor(dateOf(day).getUTCFullYear() / count) + 1);
  return new Date(0).setUTCFullYear(year, 0) / MILLIS; // Date.UTC takes the year 1 for 1901
};

/** The units of the calendar: about how many days each has, and the first day behind the one that a day is in. */
const CALENDAR = {
  month: { days: 30.5, next: nextMonth },
  year: { days: 366, next: nextYears(1) },
  decade: { days: 3_660, next: nextYears(10) },
  century: { days: 36_600, next: nextYears(100) },
} as const;
type OfCalendar = keyof typeof CALENDAR;
export type Unit = "day" | "week" | OfCalendar;

/** Whether the days from one until before another are a month, a year and so on from its first day to its last. */
export function isWhole(unit: OfCalendar, start: number, end: number): boolean {
  const { next } = CALENDAR[unit];
  return next(start - 1) === start && next(start) === end;
}

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

/** A chart has room for so many marks. */
const MOST = 480;

/**
 * Divide the days from `from` to `to`, both included.
 *
 * Few days each have their own; then come weeks, which end on the last day, so that each is whole; then months. With a
 * day that somebody mistyped they would be too many: then years, decades or centuries.
 */
export function bucketsOf(from: number, to: number): Buckets {
  const days = to - from + 1;
  if (days <= 35) return even("day", from, to, 1);
  if (days <= 370) return even("week", from, to, 7);
  const units = Object.keys(CALENDAR) as OfCalendar[];
  return calendar(units.find((unit) => days <= MOST * CALENDAR[unit].days) ?? "century", from, to);
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
    places.fill(place, start - from, (starts[place + 1] ?? end) - from);
  });
  return { unit, starts, end, from, places };
}

/** The same stretches so many days later. */
export function shifted({ unit, starts, end, from, places }: Buckets, days: number): Buckets {
  return { unit, starts: starts.map((start) => start + days), end: end + days, from: from + days, places };
}

/** Of the first and the last month, or year, only those days that are asked for: no other rows are counted in them. */
function calendar(unit: OfCalendar, from: number, to: number): Buckets {
  const starts: number[] = [];
  for (let start = from; start <= to; start = CALENDAR[unit].next(start)) starts.push(start);
  return bucketsFrom(unit, starts, from, to, to + 1);
}

/** Which day of the week a day is, Monday being 0. */
export function weekday(day: number): number {
  return (((day + 3) % 7) + 7) % 7;
}
