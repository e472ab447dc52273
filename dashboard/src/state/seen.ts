/** Up to which batch the person who reads has seen the shop, kept in this browser alone. */

const SEEN = "totes.seen";
const SINCE = "totes.since";

export interface Seen {
  readonly batch: number;
  /** When the person looked, in milliseconds since 1970. */
  readonly at: number;
}

/**
 * What had been seen before this visit, null at the first; and keep that this batch is seen now.
 *
 * A visit is as long as the tab is open: to load the page again does not make all of it seen. A batch after the newest
 * was undone, or is of another lake: its number says nothing of the batches that are here, and will be used again.
 */
export function lastLook(batch: number): Seen | null {
  try {
    const before = localStorage.getItem(SEEN);
    const kept = parse(sessionStorage.getItem(SINCE) ?? before ?? "null");
    const since = kept !== null && kept.batch > batch ? null : kept;
    sessionStorage.setItem(SINCE, JSON.stringify(since));
    localStorage.setItem(SEEN, JSON.stringify({ batch, at: Date.now() }));
    return since;
  } catch {
    return null; // a browser that keeps nothing
  }
}

function parse(text: string): Seen | null {
  const said = JSON.parse(text) as Partial<Seen> | null;
  return typeof said?.batch === "number" && typeof said.at === "number" ? { batch: said.batch, at: said.at } : null;
}
