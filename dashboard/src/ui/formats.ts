/** Numbers, money and time as the reader writes them. */

import { dateOf, isWhole, type Unit } from "../figures/days";

const locale = undefined; // the browser's own
const cache = new Map<string, Intl.NumberFormat>();
/** How many digits of a currency are minor units in the data. */
const DIGITS = 2;

function currencyFormat(code: string, options: Intl.NumberFormatOptions): Intl.NumberFormat | null {
  const key = code + JSON.stringify(options);
  const held = cache.get(key);
  if (held !== undefined) return held;
  try {
    // Not the narrow symbol: several currencies have one, and a reader cannot tell them apart.
    const format = new Intl.NumberFormat(locale, { style: "currency", currency: code, ...options });
    cache.set(key, format);
    return format;
  } catch {
    return null; // no currency code
  }
}

function inCurrency(minor: number, code: string, options: Intl.NumberFormatOptions): string {
  const value = minor / 10 ** DIGITS;
  const format = currencyFormat(code, options);
  return format === null ? `${new Intl.NumberFormat(locale, options).format(value)} ${code}` : format.format(value);
}

/** To the last minor unit. */
export function money(minor: number | null, code: string): string {
  return minor === null || Number.isNaN(minor)
    ? "–"
    : inCurrency(minor, code, { minimumFractionDigits: DIGITS, maximumFractionDigits: DIGITS });
}

/** Three digits that matter, for a headline; all of them where the reader's language has no short word for the rest. */
export function shortMoney(minor: number | null, code: string): string {
  if (minor === 0) return roundMoney(0, code);
  if (minor === null || Math.abs(minor) < 1000 * 10 ** DIGITS) return money(minor, code);
  return shortens(minor / 10 ** DIGITS)
    ? inCurrency(minor, code, { notation: "compact", minimumSignificantDigits: 3, maximumSignificantDigits: 3 })
    : inCurrency(minor, code, { minimumFractionDigits: 0, maximumFractionDigits: 0 });
}

/** A round sum, for an axis. */
export function roundMoney(minor: number, code: string): string {
  return inCurrency(minor, code, { notation: "compact", maximumSignificantDigits: 3, minimumFractionDigits: 0 });
}

const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat(locale, { notation: "compact", maximumSignificantDigits: 3 });
const digits = new Intl.NumberFormat(locale, {
  notation: "compact",
  minimumSignificantDigits: 3,
  maximumSignificantDigits: 3,
});
const shortens = (value: number): boolean => digits.formatToParts(value).some(({ type }) => type === "compact");
const decimal = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat(locale, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
const change = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0, signDisplay: "exceptZero" });

export const count = (value: number | null): string =>
  value === null || Number.isNaN(value) ? "–" : whole.format(value);
export const shortCount = (value: number | null): string =>
  value === null || Math.abs(value) < 100_000 || !shortens(value) ? count(value) : digits.format(value);
/** A round number, for an axis. */
export const roundCount = (value: number): string => compact.format(value);
export const share = (value: number): string => percent.format(value);
/** "1 order", "2 orders". */
export const counted = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;
export const days = (value: number | null): string => (value === null ? "–" : counted(value, "day"));

/** How it is written that two numbers are the same, or almost. */
export const SAME = change.format(0);
/** A minus sign as wide as the plus. */
const MINUS = "−";

/** How much more or less a number is than one before, such as "+12%" or "0%"; null where there was nothing. */
export function difference(value: number, before: number | null): string | null {
  if (before === null || before === 0) return null;
  return change.format(Math.round((100 * (value - before)) / Math.abs(before)) / 100 || 0).replace("-", MINUS);
}

/** Compares two names as the reader's language sorts them. */
export const alphabetically = new Intl.Collator(locale).compare;

/** A sentence, or a title, has room for so many letters of a name. */
const NAME = 80;

/** A name in a sentence or a title; a table has all of it. */
export function brief(name: string): string {
  return name.length <= NAME ? name : `${[...name.slice(0, NAME)].slice(0, -1).join("")}…`;
}

const utc = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale, { timeZone: "UTC", ...options });
const dayFormat = utc({ day: "numeric", month: "short", year: "numeric" });
const shortFormat = utc({ day: "numeric", month: "short" });
// In the page's own language: it stands in the middle of a sentence.
const weekdayFormat = new Intl.DateTimeFormat("en", { timeZone: "UTC", weekday: "long" });
const monthFormat = utc({ month: "long", year: "numeric" });
const shortMonthFormat = utc({ month: "short", year: "2-digit" });
const yearFormat = utc({ year: "numeric" });
const momentFormat = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });
const zoneFormat = new Intl.DateTimeFormat(locale, { timeZoneName: "short" });
const timeFormat = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });

export const day = (value: number): string => dayFormat.format(dateOf(value));
export const weekdayName = (value: number): string => weekdayFormat.format(dateOf(value));
/** A moment, in the reader's own time zone. */
export const moment = (millis: number): string => momentFormat.format(millis);
/** What the reader's time zone is called, at a moment. */
export const zone = (millis: number): string =>
  zoneFormat.formatToParts(millis).find(({ type }) => type === "timeZoneName")?.value ?? "";
export const time = (millis: number): string => timeFormat.format(millis);

/** A stretch of days, as a chart names it. A piece of a month, a year and so on has its days: a name says all of it. */
export function stretch(unit: Unit, start: number, end: number): string {
  if (unit === "day") return dayFormat.format(dateOf(start));
  const whole = unit !== "week" && isWhole(unit, start, end);
  const format = !whole ? dayFormat : unit === "month" ? monthFormat : yearFormat;
  return format.formatRange(dateOf(start), dateOf(end - 1));
}
const shortFormats: Readonly<Record<Unit, Intl.DateTimeFormat>> = {
  day: shortFormat,
  week: shortFormat,
  month: shortMonthFormat,
  year: yearFormat,
  decade: yearFormat,
  century: yearFormat,
};
export const shortStretch = (unit: Unit, start: number): string => shortFormats[unit].format(dateOf(start));

const STEPS: readonly [number, string, string][] = [
  [86_400_000, "day", "days"],
  [3_600_000, "hour", "hours"],
  [60_000, "minute", "minutes"],
  [1_000, "second", "seconds"],
];

/** A length of time, in its largest unit: "3 hours". */
export function span(millis: number): string {
  for (const [length, one, many] of STEPS) {
    if (millis >= 2 * length || (length === 1_000 && millis >= length))
      return counted(Math.floor(millis / length), one, many);
  }
  return `${decimal.format(Math.max(0, millis) / 1_000)} seconds`;
}

/** A short length of time, in seconds. */
export const seconds = (millis: number): string => `${decimal.format(millis / 1_000)} s`;
