/** What the sections have in common. */

import type { FactName } from "../data/schemas";
import { among, type Selection } from "../figures/select";
import { open } from "../state/app";
import type { Look } from "../state/look";
import { stretch } from "../ui/formats";

/** Opens the rows of a fact that a pick finds in what is looked at. */
export function rowsOf(title: string, fact: FactName, pick: (look: Look) => Selection): () => void {
  return () => open({ kind: "rows", title, fact, pick });
}

/** Opens the sales orders that are looked at and pass. */
export function salesWhere(title: string, passes: (row: number, look: Look) => boolean): () => void {
  return rowsOf(title, "sales_order", (look) => among(look.sales, (row) => passes(row, look)));
}

/** Opens the purchase orders that are looked at and pass. */
export function purchasesWhere(title: string, passes: (row: number, look: Look) => boolean): () => void {
  return rowsOf(title, "purchase_order", (look) => among(look.purchases, (row) => passes(row, look)));
}

const NAMES = { department: "department", design: "design", period: "period" } as const;

/** Says which of the filters that are set do not concern a figure; null where all do. */
export function unfiltered(look: Look, those: readonly (keyof typeof NAMES)[]): string | null {
  const set = those.filter((name) => name === "period" || look.filter[name] !== null);
  if (set.length === 0) return null;
  const names = set.map((name) => NAMES[name]);
  return `Whatever the ${names.join(" or ")}.`;
}

/** What the stretch of days at a place is called. */
export function bucketName(look: Look, place: number): string {
  const { unit, starts, end } = look.buckets;
  return stretch(unit, starts[place] ?? 0, starts[place + 1] ?? end);
}

export function partyName(look: Look, key: number): string {
  return look.shop.parties.get(key)?.name ?? `Counterparty ${key}`;
}
export function personName(look: Look, key: number): string {
  return look.shop.people.get(key)?.name ?? `Person ${key}`;
}
export function departmentOf(look: Look, staff: number): string {
  return look.shop.people.get(staff)?.department ?? "Unknown department";
}
/** Designs share names: their number tells them apart. */
export function designName(look: Look, key: number): string {
  return `${look.shop.designs.get(key) ?? "Design"} #${key}`;
}
export function countryOf(look: Look, location: number): string {
  return look.shop.places.get(location)?.country ?? "Unknown country";
}
