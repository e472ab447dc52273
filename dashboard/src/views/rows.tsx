/** A list of the rows that a number is made of, sorted as the reader wants it. */

import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { FactName } from "../data/schemas";
import { ALL } from "../figures/rates";
import { keysOf, type Shop } from "../figures/shop";
import { type Drill, open } from "../state/app";
import type { Look } from "../state/look";
import { csvOf, save } from "../ui/csv";
import { csvValue, isNumber } from "../ui/figure";
import * as as from "../ui/formats";
import { printing } from "../ui/printing";
import { useSize } from "../ui/size";
import { codeIn, codeOf, FACTS, type Field, fieldsOf, shown } from "./facts";

const ROW = 40;
const SPARE = 8;
/** So many rows are printed, some hundred sheets; a browser takes minutes for all that a list may have. */
const PRINTED = 2_000;

interface Order {
  readonly field: number;
  readonly down: boolean;
}

/** How each list was left: it is so again when a person comes back to it. */
const leftAs = new WeakMap<Drill, { readonly order: Order; readonly top: number; readonly held: number | null }>();

export function RowsPage({ look: here, drill }: { look: Look; drill: Drill }) {
  const { shop } = here;
  const fact = drill.fact;
  const all = here.currency.id === ALL;
  const fields = useMemo(
    () => fieldsOf(shop, fact).filter(({ list, converted }) => list !== undefined || (all && converted)),
    [shop, fact, all],
  );
  const before = leftAs.get(drill);
  const [order, setOrder] = useState<Order>(before?.order ?? { field: 0, down: fact !== "payment" });
  const rows = useMemo(() => sorted(shop, fact, drill.pick(here), fields, order), [here, drill, order]);
  const [top, setTop] = useState(before?.top ?? 0);
  const [height, setHeight] = useState(600);
  const scroller = useRef<HTMLDivElement>(null);
  /** The key of the row that had the focus last. It stays when it is out of sight, for the focus would go with it. */
  const held = useRef(before?.held ?? null);
  useSize(scroller, ({ target }) => setHeight(target.clientHeight));
  useLayoutEffect(() => {
    scroller.current?.scrollTo(0, top);
    scroller.current?.querySelector<HTMLElement>(`[data-key="${held.current}"] button`)?.focus({ preventScroll: true });
  }, []);
  // The element knows its place at once; an event says so with the next frame, which may come too late.
  useLayoutEffect(() => {
    const element = scroller.current;
    return () => void leftAs.set(drill, { order, top: element?.scrollTop ?? 0, held: held.current });
  }, [drill, order]);
  const onPaper = printing.value;
  const first = onPaper ? 0 : Math.max(0, Math.floor(top / ROW) - SPARE);
  const last = Math.min(rows.length, onPaper ? PRINTED : Math.ceil((top + height) / ROW) + SPARE);
  const keys = keysOf(shop, fact);
  const kept = useMemo(() => rows.findIndex((row) => keys[row] === held.current), [rows, keys, held.current]);
  const places = Array.from({ length: Math.max(0, last - first) }, (_, offset) => first + offset);
  if (kept >= 0 && kept < first) places.unshift(kept);
  if (kept >= last && !onPaper) places.push(kept);
  const sums = useMemo(() => sumsOf(shop, fact, rows), [shop, fact, rows]);
  const converted = useMemo(
    () => (all ? rows.reduce((sum, row) => sum + (here.amounts(fact)[row] as number), 0) : null),
    [here, all, fact, rows],
  );
  const csv = () => {
    const said = fieldsOf(shop, fact);
    save(
      `${fact}.csv`,
      csvOf(
        [
          `${fact}_id`,
          "Currency",
          ...said.map((field) => (field.converted ? `${field.name} (${shop.reporting?.code})` : field.name)),
          "Batch",
        ],
        Array.from(rows, (row) => [
          keys[row] ?? null,
          codeOf(shop, fact, row),
          ...said.map((field) =>
            csvValue(field.kind === "id" ? "count" : field.kind, field.value(shop[fact], row, shop)),
          ),
          shop[fact].batch[row] ?? null,
        ]),
      ),
    );
  };
  return (
    <>
      <p class="summary">
        <b data-value={rows.length}>{as.counted(rows.length, FACTS[fact].one.toLowerCase(), FACTS[fact].many)}</b>
        {converted === null || Number.isNaN(converted) ? null : (
          <span data-value={converted}>{as.money(converted, here.currency.code)} in all:</span>
        )}
        {sums.map(({ code, sum }) => (
          <span key={code} data-value={sum}>
            {as.money(sum, code)}
          </span>
        ))}
        <button type="button" onClick={csv}>
          CSV
        </button>
      </p>
      <div
        ref={scroller}
        role="table"
        class={`rows ${fact} ${all ? "converted" : ""}`}
        aria-rowcount={rows.length + 1}
        aria-label={drill.title}
        tabIndex={0}
        onScroll={(event) => setTop(event.currentTarget.scrollTop)}
      >
        <div role="rowgroup" class="head">
          <div role="row" aria-rowindex={1}>
            <span role="columnheader">No.</span>
            {fields.map((field, place) => (
              <span
                key={field.name}
                role="columnheader"
                class={cellClass(field)}
                aria-sort={order.field === place ? (order.down ? "descending" : "ascending") : "none"}
              >
                <button
                  type="button"
                  onClick={() =>
                    setOrder({ field: place, down: order.field === place ? !order.down : field.kind !== "text" })
                  }
                >
                  {field.name}
                  <span aria-hidden="true">{order.field === place ? (order.down ? " ↓" : " ↑") : ""}</span>
                </button>
              </span>
            ))}
          </div>
        </div>
        <div role="rowgroup" class="all" style={{ height: onPaper ? "auto" : `${rows.length * ROW}px` }}>
          {places.map((place) => {
            const row = rows[place] as number;
            const key = keys[row] as number;
            return (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the button in it is for keys
              <div
                key={key}
                role="row"
                aria-rowindex={place + 2}
                class="item"
                data-key={key}
                style={{ top: `${place * ROW}px` }}
                onClick={() => {
                  held.current = key;
                  open({ kind: "row", fact, key });
                }}
              >
                <span role="cell">
                  <button
                    type="button"
                    class="number-link"
                    onFocus={() => {
                      held.current = key;
                    }}
                  >
                    {key}
                  </button>
                </span>
                {fields.map((field) => (
                  <span key={field.name} role="cell" class={cellClass(field)}>
                    <bdi>
                      {shown(field, field.value(shop[fact], row, shop), codeIn(field, shop, codeOf(shop, fact, row)))}
                    </bdi>
                  </span>
                ))}
              </div>
            );
          })}
        </div>
      </div>
      {onPaper && last < rows.length ? (
        <p class="note">{as.count(rows.length - last)} more rows are in the CSV.</p>
      ) : null}
    </>
  );
}

function cellClass(field: Field): string {
  const number = isNumber(field.kind) ? "number" : "";
  return field.list !== "always" ? `${number} wide-only` : number;
}

function sorted(
  shop: Shop,
  fact: FactName,
  rows: Int32Array,
  fields: readonly Field[],
  { field, down }: Order,
): Int32Array {
  const by = fields[field];
  if (by === undefined) return rows;
  const values = Array.from(rows, (row) => by.value(shop[fact], row, shop) ?? Number.NEGATIVE_INFINITY);
  // To compare names in a language's order takes long, and most rows share theirs.
  const names = [...new Set(values.filter((value) => typeof value === "string"))].sort(as.alphabetically);
  const ranks = new Map<number | string, number>(names.map((name, rank) => [name, rank]));
  const keys = Float64Array.from(values, (value) => ranks.get(value) ?? Number(value));
  const sign = down ? -1 : 1;
  const places = Uint32Array.from(rows.keys());
  places.sort((one, other) => {
    const [a, b] = [keys[one] as number, keys[other] as number];
    return sign * (a < b ? -1 : a > b ? 1 : one - other);
  });
  return Int32Array.from(places, (place) => rows[place] as number);
}

/** What the rows come to, in each currency for itself. */
function sumsOf(shop: Shop, fact: FactName, rows: Int32Array): { code: string; sum: number }[] {
  const value = fieldsOf(shop, fact).find(({ kind, list }) => kind === "money" && list === "always");
  const sums = new Map<string, number>();
  for (const row of rows) {
    const code = codeOf(shop, fact, row);
    sums.set(code, (sums.get(code) ?? 0) + Number(value?.value(shop[fact], row, shop) ?? 0));
  }
  return [...sums].map(([code, sum]) => ({ code, sum })).sort((one, other) => other.sum - one.sum);
}
