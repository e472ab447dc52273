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
 * A visit is as long as the tab is open: to load the page again does not make all of it seen.
 */
export function lastLook(batch: number): Seen | null {
  try {
    const before = localStorage.getItem(SEEN);
    const since = sessionStorage.getItem(SINCE) ?? before ?? "null";
    sessionStorage.setItem(SINCE, since);
    localStorage.setItem(SEEN, JSON.stringify({ batch, at: Date.now() }));
    return parse(since);
  } catch {
    return null; // a browser that keeps nothing
  }
}

function parse(text: string): Seen | null {
  const said = JSON.parse(text) as Partial<Seen> | null;
  return typeof said?.batch === "number" && typeof said.at === "number" ? { batch: said.batch, at: said.at } : null;
}
