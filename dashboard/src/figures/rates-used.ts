/** By rates of which days the rows that a person looks at were converted. */

import { NOTHING } from "../data/columns";
import type { FactName } from "../data/schemas";
import type { Selection } from "./select";
import type { Shop } from "./shop";
import { rateDays } from "./worth";

export interface Used {
  /** Rows that were converted by a rate; those in the reporting currency need none. */
  readonly rows: number;
  /** The days of the earliest and the latest rate. */
  readonly first: number;
  readonly last: number;
  /** Of the rows those whose own day has no rate, so that an earlier day's was used. */
  readonly earlier: number;
}

/** Whose days' rates some rows were converted by. */
export function ratesUsed(shop: Shop, parts: readonly (readonly [FactName, Selection])[]): Used {
  return parts
    .map(([fact, selection]) => usedBy(shop, fact, selection))
    .reduce((all, one) => ({
      rows: all.rows + one.rows,
      first: Math.min(all.first, one.first),
      last: Math.max(all.last, one.last),
      earlier: all.earlier + one.earlier,
    }));
}

/** Many figures are of the same rows. */
const known = new WeakMap<Selection, Used>();

function usedBy(shop: Shop, fact: FactName, selection: Selection): Used {
  const held = known.get(selection);
  if (held !== undefined) return held;
  let [rows, earlier] = [0, 0];
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const rateDay = rateDays(shop, fact);
  const { day } = shop[fact];
  for (let place = 0; place < selection.length; place++) {
    const row = selection[place] as number;
    const of = rateDay[row] as number;
    if (of === NOTHING) continue;
    rows++;
    if (of < first) first = of;
    if (of > last) last = of;
    if (of !== day[row]) earlier++;
  }
  const used = { rows, first, last, earlier };
  known.set(selection, used);
  return used;
}
