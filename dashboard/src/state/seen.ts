/** Up to which batch the person who reads has seen the shop, kept in this browser alone. */

const SEEN = "totes.seen";
const SINCE = "totes.since";

export interface Seen {
  readonly batch: number;
  /** When the person looked, in milliseconds since 1970. */
  readonly at: number;
}

/** A visit is over when nobody has looked for so long, in milliseconds. */
const PAUSE = 3_600_000;

/**
 * What had been seen before this visit, null at the first; and keep that this batch is seen now.
 *
 * A visit is of all tabs together: to load the page again, or to open it once more, does not make all of it seen, and a
 * tab that is never closed has visits too. A batch after the newest was undone, or is of another lake: its number says
 * nothing of the batches that are here, and will be used again.
 */
export function lastLook(batch: number, at: number): Seen | null {
  try {
    const seen = parse(localStorage.getItem(SEEN));
    const visit = localStorage.getItem(SINCE);
    const since = visit === null || seen === null || at - seen.at > PAUSE ? seen : parse(visit);
    const known = since !== null && since.batch > batch ? null : since;
    localStorage.setItem(SINCE, JSON.stringify(known));
    localStorage.setItem(SEEN, JSON.stringify({ batch, at }));
    return known;
  } catch {
    return null; // a browser that keeps nothing
  }
}

/** Keep that somebody looks at an earlier moment: the visit goes on, and what is newest is not seen by that. */
export function lookedBack(at: number): void {
  try {
    const seen = parse(localStorage.getItem(SEEN));
    if (seen !== null && at - seen.at <= PAUSE) localStorage.setItem(SEEN, JSON.stringify({ ...seen, at }));
  } catch {
    // a browser that keeps nothing
  }
}

function parse(text: string | null): Seen | null {
  const said = JSON.parse(text ?? "null") as Partial<Seen> | null;
  return typeof said?.batch === "number" && typeof said.at === "number" ? { batch: said.batch, at: said.at } : null;
}
