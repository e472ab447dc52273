/** What a number is made of: its rows, a row with its versions, a version's batch. */

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { FactName } from "../data/schemas";
import { placeOfBatch, waitingSince } from "../figures/quality";
import { ALL } from "../figures/rates";
import { keysOf, type Shop } from "../figures/shop";
import { address, back, closeAll, type Drill, go, look, open, type Page, pages, versionsOf } from "../state/app";
import type { Look } from "../state/look";
import { csvOf, save } from "../ui/csv";
import { Dialog } from "../ui/dialog";
import { csvValue, isNumber, Open } from "../ui/figure";
import * as as from "../ui/formats";
import { FACTS, type Field, fieldsOf, shown } from "./facts";

export function Drawer() {
  const page = pages.value.at(-1);
  const here = look.value;
  const heading = useRef<HTMLHeadingElement>(null);
  // What had the focus went with the page before.
  useLayoutEffect(() => heading.current?.focus(), [page]);
  if (page === undefined || here === null) return null;
  return (
    <Dialog class="drawer" label={titleOf(page)} onClose={closeAll}>
      <div class="title">
        {pages.value.length > 1 ? (
          <button type="button" class="quiet" onClick={back}>
            ‹ Back
          </button>
        ) : null}
        <h2 ref={heading} tabIndex={-1}>
          <bdi>{titleOf(page)}</bdi>
        </h2>
        <button type="button" class="quiet close" onClick={closeAll} aria-label="Close">
          ×
        </button>
      </div>
      {page.kind === "rows" ? <RowsPage key={pages.value.length} look={here} drill={page} /> : null}
      {page.kind === "row" ? (
        <RowPage key={`${page.fact}-${page.key}`} look={here} fact={page.fact} id={page.key} />
      ) : null}
      {page.kind === "batch" ? <BatchPage shop={here.shop} batch={page.batch} /> : null}
    </Dialog>
  );
}

function titleOf(page: Page): string {
  if (page.kind === "rows") return page.title;
  if (page.kind === "row") return `${FACTS[page.fact].one} ${page.key}`;
  return `Batch ${page.batch}`;
}

function codeOf(shop: Shop, fact: FactName, row: number): string {
  return shop.codes.get(shop[fact].currency_id[row] as number) ?? "";
}

/** The currency that a field's money is in, of a row in another. */
function codeIn(field: Field, shop: Shop, code: string): string {
  return field.converted ? (shop.reporting?.code ?? code) : code;
}

const ROW = 40;
const SPARE = 8;

interface Order {
  readonly field: number;
  readonly down: boolean;
}

/** How each list was left: it is so again when a person comes back to it. */
const leftAs = new WeakMap<Drill, { readonly order: Order; readonly top: number }>();

function RowsPage({ look: here, drill }: { look: Look; drill: Drill }) {
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
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => scroller.current?.scrollTo(0, top), []);
  useLayoutEffect(() => {
    leftAs.set(drill, { order, top });
  }, [drill, order, top]);
  const first = Math.max(0, Math.floor(top / ROW) - SPARE);
  const last = Math.min(rows.length, Math.ceil((top + height) / ROW) + SPARE);
  const keys = keysOf(shop, fact);
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
        <div role="rowgroup" class="all" style={{ height: `${rows.length * ROW}px` }}>
          {Array.from(rows.subarray(first, last), (row, offset) => {
            const key = keys[row] as number;
            return (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the button in it is for keys
              <div
                key={key}
                role="row"
                aria-rowindex={first + offset + 2}
                class="item"
                style={{ top: `${(first + offset) * ROW}px` }}
                onClick={() => open({ kind: "row", fact, key })}
              >
                <span role="cell">
                  <button type="button" class="number-link">
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
  const keys = Array.from(rows, (row) => by.value(shop[fact], row, shop) ?? Number.NEGATIVE_INFINITY);
  const sign = down ? -1 : 1;
  const places = Uint32Array.from(rows.keys());
  places.sort((one, other) => {
    const [a, b] = [keys[one] as number, keys[other] as number];
    return (a < b ? -sign : a > b ? sign : 0) || sign * (one - other);
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

interface Version {
  readonly batch: number;
  readonly deleted: boolean;
  readonly code: string;
  readonly values: readonly (number | string | null)[];
}

function RowPage({ look: here, fact, id }: { look: Look; fact: FactName; id: number }) {
  const { shop } = here;
  const place = keysOf(shop, fact).indexOf(id);
  const many = place < 0 || (shop[fact].versions[place] as number) > 1;
  const [read, setRead] = useState<readonly Version[] | string | null>(null);
  const fields = fieldsOf(shop, fact);
  useEffect(() => {
    if (!many) return;
    let left = false;
    readVersions(shop, fact, id).then(
      (found) => left || setRead(found),
      (error: Error) => left || setRead(error.message),
    );
    return () => {
      left = true;
    };
  }, [shop, fact, id, many]);
  const current: Version | null =
    place < 0
      ? null
      : {
          batch: shop[fact].batch[place] as number,
          deleted: false,
          code: codeOf(shop, fact, place),
          values: fields.map((field) => field.value(shop[fact], place, shop)),
        };
  const versions = many
    ? Array.isArray(read)
      ? (read as readonly Version[])
      : null
    : current === null
      ? []
      : [current];
  if (versions === null) return <p class="summary">{typeof read === "string" ? read : "Reading the versions…"}</p>;
  const story = <Story shop={shop} fact={fact} id={id} versions={versions} />;
  if (versions.length === 0) return story;
  return (
    <>
      {story}
      <Related shop={shop} fact={fact} id={id} />
      <div class="scroll" role="region" aria-label="Versions" tabIndex={0}>
        <table class="versions">
          <thead>
            <tr>
              <th scope="col">Captured</th>
              {versions.map((version) => (
                <th key={version.batch} scope="col">
                  <BatchLink shop={shop} batch={version.batch} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {fields.map((field, place) => (
              <tr key={field.name}>
                <th scope="row">{field.name}</th>
                {versions.map((version, order) => {
                  const value = version.values[place] ?? null;
                  const before = versions[order - 1];
                  const changed = before !== undefined && !version.deleted && before.values[place] !== value;
                  return (
                    <td key={version.batch} class={changed ? "changed" : ""}>
                      {version.deleted ? (
                        place === 0 ? (
                          "deleted"
                        ) : (
                          ""
                        )
                      ) : field.leads !== undefined && typeof value === "number" ? (
                        <button
                          type="button"
                          class="number-link"
                          onClick={() => open({ kind: "row", fact: field.leads as FactName, key: value })}
                        >
                          #{value}
                        </button>
                      ) : (
                        <bdi>{shown(field, value, codeIn(field, shop, version.code))}</bdi>
                      )}
                      {changed ? <span class="unseen"> (changed)</span> : null}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

/** What a row has been through; what the source says now may wait in quarantine, and is none of the versions then. */
function Story({ shop, fact, id, versions }: { shop: Shop; fact: FactName; id: number; versions: readonly Version[] }) {
  const { one } = FACTS[fact];
  const batch = waitingSince(shop, fact, id);
  const gone = versions.at(-1)?.deleted === true;
  const many = `${as.counted(versions.length, "version")}, the oldest first. What changed is marked.`;
  if (batch === null) {
    const said =
      versions.length === 0
        ? `There is no ${one.toLowerCase()} ${id} as of then.`
        : gone
          ? "This row is gone from the source. Its versions, the oldest first:"
          : versions.length === 1
            ? "As it was entered; it has not changed since."
            : many;
    return <p class="summary">{said}</p>;
  }
  const [what, rest] =
    versions.length === 0
      ? [`${one} ${id}`, "."]
      : gone
        ? ["This row was gone from the source; it is there again, and", ". Its versions, the oldest first:"]
        : [`${versions.length === 1 ? "As it was entered." : many} A later change of it`, "."];
  return (
    <p class="summary">
      <span>
        {what} waits in quarantine since{" "}
        <Open onOpen={() => open({ kind: "batch", batch })}>batch {as.count(batch)}</Open>
        {rest}
      </span>
    </p>
  );
}

async function readVersions(shop: Shop, fact: FactName, id: number): Promise<Version[]> {
  const table = await versionsOf(shop, fact);
  const keys = (table as unknown as Record<string, Int32Array>)[`${fact}_id`] as Int32Array;
  const rows = Array.from(keys.keys()).filter((row) => keys[row] === id);
  return rows
    .map((row) => ({
      batch: table.batch[row] as number,
      deleted: table.deleted[row] === 1,
      code: shop.codes.get(table.currency_id[row] as number) ?? "",
      values: fieldsOf(shop, fact).map((field) => field.value(table, row, shop)),
    }))
    .sort((one, other) => one.batch - other.batch);
}

/** The payments of an order. */
function Related({ shop, fact, id }: { shop: Shop; fact: FactName; id: number }) {
  if (fact === "payment") return null;
  const column = fact === "sales_order" ? shop.payment.sales_order_id : shop.payment.purchase_order_id;
  const rows = Array.from(column.keys()).filter((row) => column[row] === id);
  if (rows.length === 0) return <p class="summary quiet">No payment belongs to it.</p>;
  return (
    <p class="summary">
      Payments:
      {rows.map((row) => (
        <span key={row}>
          <button
            type="button"
            class="number-link"
            onClick={() => open({ kind: "row", fact: "payment", key: shop.payment.payment_id[row] as number })}
          >
            #{shop.payment.payment_id[row]}
          </button>{" "}
          {as.money(shop.payment.amount[row] as number, codeOf(shop, "payment", row))},{" "}
          {shop.payment.paid[row] === 1 ? "paid" : "not paid"}
        </span>
      ))}
    </p>
  );
}

function BatchLink({ shop, batch }: { shop: Shop; batch: number }) {
  const place = placeOfBatch(shop, batch);
  return (
    <>
      <button type="button" class="number-link" onClick={() => open({ kind: "batch", batch })}>
        {`Batch ${batch}`}
      </button>
      <br />
      {place < 0 ? "" : as.moment(shop.batch.captured_at[place] as number)}
    </>
  );
}

function BatchPage({ shop, batch }: { shop: Shop; batch: number }) {
  const row = placeOfBatch(shop, batch);
  if (row < 0) return <p class="summary">This snapshot does not know batch {batch}.</p>;
  const { captured_at, loaded_at, rows_in, versions, deleted, quarantined } = shop.batch;
  const captured = captured_at[row] as number;
  const lines: [string, string][] = [
    ["Source read", as.moment(captured)],
    [
      "In the warehouse",
      `${as.moment(loaded_at[row] as number)}, ${as.seconds((loaded_at[row] as number) - captured)} later`,
    ],
    ["Rows read", as.count(rows_in[row] as number)],
    ["Versions that are new", as.count(versions[row] as number)],
    ["Rows gone", as.count(deleted[row] as number)],
    ["Rows in quarantine", as.count(quarantined[row] as number)],
  ];
  const moment = new Date(captured).toISOString();
  return (
    <>
      <p class="summary">One reading of the source, at one moment: all that had changed since the batch before.</p>
      <table class="versions">
        <tbody>
          {lines.map(([name, value]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {address.value.asof === moment ? null : (
        <p class="summary">
          <button
            type="button"
            onClick={() => {
              closeAll();
              go({ asof: moment });
            }}
          >
            See the shop as of then
          </button>
        </p>
      )}
    </>
  );
}
