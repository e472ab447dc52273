/** The state of the page, and what changes it: the address, the newest snapshot, the clock. */

import { batch, computed, signal } from "@preact/signals";
import { NotThere, SignedOut, UnknownFormat } from "../data/errors";
import type { Latest } from "../data/manifest";
import type { FactName } from "../data/schemas";
import { type Snapshot, Snapshots } from "../data/snapshot";
import type { Source } from "../data/source";
import { dayOf } from "../figures/days";
import type { Selection } from "../figures/select";
import { type Shop, shopOf } from "../figures/shop";
import { type Address, parseAddress, writeAddress } from "./address";
import { type Look, lookAt } from "./look";
import { lastLook, lookedBack, type Seen } from "./seen";

/** How often the newest snapshot is asked for, in milliseconds. */
const POLL = 30_000;

/** What keeps the page from showing what it should. */
export interface Trouble {
  readonly kind: "empty" | "format" | "missing" | "unreachable" | "signed-out" | "too-old";
  readonly text: string;
}
/** Rows that a number is made of; looked up again when the shop or the filter is another. */
export interface Drill {
  readonly kind: "rows";
  readonly title: string;
  readonly fact: FactName;
  readonly pick: (look: Look) => Selection;
}
export type Page =
  | Drill
  | { readonly kind: "row"; readonly fact: FactName; readonly key: number }
  | { readonly kind: "batch"; readonly batch: number };

export const address = signal<Address>(parseAddress(location.hash));
export const latest = signal<Latest | null>(null);
/** What is shown, and the manifest that it is of. */
const shown = signal<{ readonly manifest: string; readonly snapshot: Snapshot } | null>(null);
/** Whether the shop is shown as it was: an old moment stays until what is wanted in its place is here. */
export const past = computed(() => address.value.asof !== null || shown.value?.manifest !== latest.value?.manifest);
/** Of a moment its own day; else the day of the last look at the source, which may have had nothing new. */
const today = computed(() => {
  const asOf = dayOf(shown.value?.snapshot.manifest.as_of_day ?? "");
  return past.value ? asOf : Math.max(asOf, dayOf(latest.value?.status.checked_at ?? ""));
});
export const shop = computed<Shop | null>(() =>
  shown.value === null ? null : shopOf(shown.value.snapshot, today.value),
);
export const trouble = signal<Trouble | null>(null);
export const now = signal(Date.now());
export const seen = signal<Seen | null>(null);
/** What is open in the drawer, the innermost last. */
export const pages = signal<readonly Page[]>([]);
export const look = computed(() => (shop.value === null ? null : lookAt(shop.value, address.value)));

let snapshots: Snapshots | null = null;
let turn = 0;

/** The state of a step of the history that is an open drawer's. */
const DRAWER = "drawer";
/** Whether the step of a drawer that was closed is being left: a browser takes its time, and nothing is written meanwhile. */
let leaving = false;

/** Change what is looked at. A moment is a step to go back from, in the place of an open drawer's; a filter is none. */
export function go(change: Partial<Address>): void {
  arrive({ ...address.value, ...change });
  write("asof" in change && history.state !== DRAWER ? "push" : "replace");
}

/** Open a page in the drawer, above what is open there. The drawer is a step: to go back closes it. */
export function open(page: Page): void {
  const first = pages.value.length === 0;
  pages.value = [...pages.value, page];
  writeOpenRow(first);
}

export function back(): void {
  pages.value = pages.value.slice(0, -1);
  writeOpenRow();
}

export function closeAll(): void {
  pages.value = [];
  writeOpenRow();
  if (leaving || history.state !== DRAWER) return;
  leaving = true;
  history.back();
}

/** Write the row that is open into the address, so that it can be sent. */
function writeOpenRow(opens = false): void {
  const top = pages.value.at(-1);
  const row = top?.kind === "row" ? { fact: top.fact, key: top.key } : null;
  const same = JSON.stringify(row) === JSON.stringify(address.value.row);
  if (!same) address.value = { ...address.value, row };
  if (opens) write("push", DRAWER);
  else if (!same) write("replace", history.state);
}

/** Write the address into the history, as a step of its own or in the place of the one that is shown. */
function write(how: "push" | "replace", state: typeof DRAWER | null = null, at = address.value): void {
  if (!leaving) history[`${how}State`](state, "", writeAddress(at) || location.pathname + location.search);
}

/** Write the step of what lies below the drawer in the place of the one that is shown, and a step for an open drawer. */
function writeSteps(): void {
  write("replace", null, { ...address.value, row: null });
  if (pages.value.length > 0) write("push", DRAWER);
}

/** The snapshots of a day, for the person who chooses a moment. */
export async function momentsOf(day: string): Promise<readonly { captured_at: string; batch: number }[]> {
  return snapshots === null ? [] : snapshots.moments(day);
}

/** Every version of a table's rows that have more than one, as of what is shown. */
export async function versionsOf<N extends FactName>(of: Shop, fact: N) {
  return (snapshots as Snapshots).versions(of.manifest, fact);
}

/** Begin to show what a source has, and go on as it changes. */
export function start(source: Source): void {
  snapshots = new Snapshots(source);
  void refresh();
}

/** Listen to the address and the clock. Once a page. */
export function listen(): void {
  const moved = () => {
    if (!leaving) return arrive(parseAddress(location.hash));
    leaving = false;
    writeSteps(); // what was changed meanwhile, and what was opened
  };
  window.addEventListener("popstate", moved);
  window.addEventListener("hashchange", moved);
  window.addEventListener("online", () => void refresh());
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) void refresh();
  });
  setInterval(() => {
    if (!document.hidden) void refresh();
  }, POLL);
  openNamed();
  if (pages.value.length > 0 && history.state !== DRAWER) writeSteps();
}

/** Look for what is to be shown, and show it. What is shown stays until the next is complete. */
export async function refresh(): Promise<void> {
  if (snapshots === null) return;
  const mine = ++turn;
  const from = snapshots;
  now.value = Date.now();
  try {
    const newest = await from.latest();
    const { asof } = address.value;
    const moment = asof === null ? newest : await from.momentAt(asof, newest.days);
    if (moment === null) {
      const first = newest.days[0] ?? "";
      throw new TooOld(`There is no snapshot as of ${asof}. The first is of ${first}.`);
    }
    if (mine !== turn) return;
    const show = (snapshot: Snapshot) => {
      if (mine !== turn) return;
      batch(() => {
        latest.value = newest;
        if (shown.value?.snapshot !== snapshot) shown.value = { manifest: moment.manifest, snapshot };
        // What a tab in the background shows, nobody has seen.
        if (document.hidden) return;
        if (asof === null) seen.value = lastLook(newest.batch, now.value);
        else lookedBack(now.value);
      });
    };
    const before = shown.value;
    const here = before?.manifest === moment.manifest && before.snapshot.complete;
    // What is shown already is whole: it is not given up for something that is not yet.
    const whole = here ? before.snapshot : await from.load(moment.manifest, before === null ? show : () => {});
    if (mine !== turn) return;
    batch(() => {
      show(whole);
      trouble.value = null;
    });
  } catch (error) {
    if (mine === turn) trouble.value = troubleOf(error);
  }
}

class TooOld extends Error {}

function troubleOf(error: unknown): Trouble {
  const text = error instanceof Error ? error.message : String(error);
  if (error instanceof UnknownFormat) return { kind: "format", text };
  if (error instanceof NotThere) return { kind: error.path === "latest.json" ? "empty" : "missing", text };
  if (error instanceof SignedOut) return { kind: "signed-out", text };
  if (error instanceof TooOld) return { kind: "too-old", text };
  return { kind: "unreachable", text };
}

function arrive(next: Address): void {
  const moved = next.asof !== address.value.asof;
  address.value = next;
  openNamed();
  if (moved) void refresh();
}

/** Open the row that the address names, if it is not. */
function openNamed(): void {
  const { row } = address.value;
  const top = pages.value.at(-1);
  const shownRow = top?.kind === "row" ? top : null;
  if (row === null) {
    if (top !== undefined) pages.value = [];
    return;
  }
  if (shownRow?.fact !== row.fact || shownRow.key !== row.key) pages.value = [...pages.value, { kind: "row", ...row }];
}
