/** How fresh the data is, and how far it can be trusted. */

import type { FactName } from "../data/schemas";
import type { Selection } from "./select";
import { oncePerShop, type Shop } from "./shop";
import { median } from "./statistics";

const DAY = 86_400_000;

export interface Loads {
  readonly day: number;
  readonly batches: Selection;
  readonly rowsIn: number;
  readonly versions: number;
  readonly deleted: number;
  readonly quarantined: number;
  /** From the reading of the source to the load, in milliseconds. */
  readonly medianLag: number;
  readonly greatestLag: number;
}

/** What came in on each day (UTC), the newest first; report.loads_by_day. */
export const loadsByDay = oncePerShop((shop): Loads[] => {
  const { batch } = shop;
  const days = new Map<number, number[]>();
  for (let row = 0; row < batch.rows; row++) {
    const day = Math.floor((batch.loaded_at[row] as number) / DAY);
    const rows = days.get(day);
    if (rows === undefined) days.set(day, [row]);
    else rows.push(row);
  }
  const sum = (rows: readonly number[], column: Float64Array) =>
    rows.reduce((all, row) => all + (column[row] as number), 0);
  return [...days]
    .sort(([one], [other]) => other - one)
    .map(([day, rows]) => {
      const lags = rows.map((row) => (batch.loaded_at[row] as number) - (batch.captured_at[row] as number));
      return {
        day,
        batches: Int32Array.from(rows),
        rowsIn: sum(rows, batch.rows_in),
        versions: sum(rows, batch.versions),
        deleted: sum(rows, batch.deleted),
        quarantined: sum(rows, batch.quarantined),
        medianLag: median(lags) ?? 0,
        greatestLag: lags.reduce((most, lag) => Math.max(most, lag)),
      };
    });
});

export interface Quarantined {
  readonly table: string;
  readonly reason: string;
  readonly rows: Selection;
  /** How many of them are shown still, as they last could be; the others are missing. */
  readonly stale: number;
  readonly since: number;
}

/** Rows that could not become rows of the star, by table and reason; report.quarantine_by_table. */
export function quarantine(shop: Shop): Quarantined[] {
  const { open_quarantine } = shop;
  const groups = new Map<string, number[]>();
  for (let row = 0; row < open_quarantine.rows; row++) {
    const key = JSON.stringify([open_quarantine.star_table[row], open_quarantine.reason[row]]);
    const rows = groups.get(key);
    if (rows === undefined) groups.set(key, [row]);
    else rows.push(row);
  }
  return [...groups.values()]
    .map((rows) => ({
      table: open_quarantine.star_table[rows[0] as number] ?? "",
      reason: open_quarantine.reason[rows[0] as number] ?? "",
      rows: Int32Array.from(rows),
      stale: rows.reduce((sum, row) => sum + (open_quarantine.stale[row] as number), 0),
      since: rows.reduce(
        (first, row) => Math.min(first, open_quarantine.batch[row] as number),
        Number.POSITIVE_INFINITY,
      ),
    }))
    .sort((one, other) => other.rows.length - one.rows.length || (one.table < other.table ? -1 : 1));
}

/** The batch since which a row of a fact waits in quarantine, whatever is shown of it; null where it does not. */
export function waitingSince({ open_quarantine }: Shop, fact: FactName, key: number): number | null {
  const { rows, star_table, batch } = open_quarantine;
  for (let row = 0; row < rows; row++) {
    if (open_quarantine.key[row] === String(key) && star_table[row] === `fact_${fact}`) return batch[row] as number;
  }
  return null;
}

/** The place of a batch in its table; -1 where the snapshot does not know it. */
export function placeOfBatch(shop: Shop, batch: number): number {
  return shop.batch.batch.indexOf(batch);
}

/** When the source was read for a batch, in milliseconds since 1970; null where the snapshot does not know it. */
export function capturedAt(shop: Shop, batch: number): number | null {
  const place = placeOfBatch(shop, batch);
  return place < 0 ? null : (shop.batch.captured_at[place] as number);
}
