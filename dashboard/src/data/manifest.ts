/** The documents that say what a snapshot is made of. */

import { UnknownFormat } from "./errors";

/** The one way of writing the data that this page knows. */
export const FORMAT = 1;

export interface Status {
  /** The end of the last run that went well: as of then the snapshot is all there is. */
  readonly checked_at: string;
  readonly failed: { readonly at: string; readonly step: string } | null;
  readonly verified: {
    readonly at: string;
    readonly equal: boolean;
    readonly batch: number;
    readonly differences: number;
  } | null;
}
export interface Latest {
  readonly manifest: string;
  readonly batch: number;
  readonly captured_at: string;
  readonly days: readonly string[];
  readonly status: Status;
}
export interface Part {
  readonly sha: string;
  readonly rows: number;
  readonly bytes: number;
}
export interface Manifest {
  readonly batch: number;
  readonly captured_at: string;
  readonly loaded_at: string;
  readonly as_of_day: string;
  readonly status: Status;
  readonly warehouse: string;
  readonly money_digits: number;
  /** The exchange rates that are in it; null, or nothing in an older manifest, where there are none. */
  readonly rates?: { readonly currency: string; readonly newest: string; readonly count: number } | null;
  readonly tables: Readonly<Record<string, { readonly parts: Readonly<Record<string, Part>> }>>;
}
export interface Moment {
  readonly batch: number;
  readonly captured_at: string;
  readonly manifest: string;
}
export interface Moments {
  readonly moments: readonly Moment[];
}

/** So many days of orders are read first: yesterday and eight of its weekday before. */
const FIRST_DAYS = 64;

/** The earliest month, "2026-11", whose orders are read first. */
export function firstRead({ as_of_day }: Manifest): string {
  return new Date(Date.parse(as_of_day) - FIRST_DAYS * 86_400_000).toISOString().slice(0, 7);
}

/**
 * Take a document for what it says it is.
 *
 * Throws UnknownFormat where it is of another format.
 */
export function known<T>(document: unknown, path: string): T {
  const format = (document as { format?: unknown } | null)?.format;
  if (format !== FORMAT) {
    const said = typeof format === "number" ? `format ${format}` : "a format that it does not name";
    throw new UnknownFormat(`${path} is written in ${said}; this page reads format ${FORMAT}.`);
  }
  return document as T;
}
