/** The frame of every figure: the question, a sentence that answers it, the chart or its table, and the table as CSV. */

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { isoDay } from "../figures/days";
import { csvOf, save } from "./csv";
import * as as from "./formats";

export type CellKind = "text" | "money" | "count" | "share" | "day" | "days" | "moment" | "seconds";

/** A column of a figure's table: what is computed of a row, in the unit that its kind says. */
export interface ColumnOf<R> {
  readonly label: string;
  readonly kind: CellKind;
  readonly value: (row: R) => number | string | null;
  /** What a stretch of days or the like is called, where the value is for machines. */
  readonly text?: (row: R) => string;
  /** Whether it is for programs, and in the CSV alone. */
  readonly onlyCsv?: boolean;
  /** Opens the rows that the number is made of. */
  readonly open?: (row: R) => (() => void) | null;
}

export interface FigureProps<R> {
  readonly id: string;
  readonly question: string;
  readonly sentence: ComponentChildren;
  /** Where the warehouse defines these numbers. */
  readonly view: string;
  /** The currency that the money is in. */
  readonly code: string;
  readonly columns: readonly ColumnOf<R>[];
  readonly rows: readonly R[];
  /** What the CSV has, where that is more than the table. */
  readonly csv?: () => string;
  /** What of the filters does not concern this figure. */
  readonly note?: string | null;
  /** What is missing from it, with the way to it. */
  readonly missing?: ComponentChildren;
  /** Whose days' rates the money was converted by; null where it is in its own currency. */
  readonly rates?: string | null;
  readonly wide?: boolean;
  readonly children?: ComponentChildren;
}

/** Whether a column is set to the right. */
export const isNumber = (kind: CellKind | "id"): boolean => !["text", "day", "moment", "id"].includes(kind);

/** More rows than these are in the CSV alone. */
const MOST = 400;

export function Figure<R>(props: FigureProps<R>) {
  const { id, question, sentence, view, code, columns, rows, note, missing, rates, wide, children } = props;
  const csv = props.csv ?? (() => figureCsv(rates ? `converted into ${code}` : code, columns, rows));
  const [asTable, setTable] = useState(false);
  const table = asTable || children === undefined;
  return (
    <section id={id} class={wide ? "figure wide" : "figure"} aria-labelledby={`${id}-question`}>
      <h3 id={`${id}-question`}>{question}</h3>
      <p class="sentence">{sentence}</p>
      {note ? <p class="note">{note}</p> : null}
      {missing}
      {rates ? <p class="rates">{rates}</p> : null}
      {rows.length === 0 ? null : (
        <>
          <div class="body">
            {table ? <FigureTable code={code} columns={columns} rows={rows} label={question} /> : children}
          </div>
          <div class="tools">
            {children === undefined ? null : (
              <button
                type="button"
                aria-pressed={asTable}
                onClick={() => setTable(!asTable)}
                aria-label={`Table: ${question}`}
              >
                Table
              </button>
            )}
            <button type="button" onClick={() => save(`${id}.csv`, csv())} aria-label={`CSV: ${question}`}>
              CSV
            </button>
            <code title="Where the warehouse defines these numbers">{view}</code>
          </div>
        </>
      )}
    </section>
  );
}

export function FigureTable<R>({
  code,
  columns,
  rows,
  label,
}: Pick<FigureProps<R>, "code" | "columns" | "rows"> & { label: string }) {
  const shown = columns.filter(({ onlyCsv }) => onlyCsv !== true);
  return (
    <div class="scroll" role="region" aria-label={`${label} Table`} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {shown.map(({ label: name, kind }) => (
              <th key={name} scope="col" class={isNumber(kind) ? "number" : ""}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, MOST).map((row, place) => (
            <tr key={place}>
              {shown.map((column) => (
                <Cell key={column.label} column={column} row={row} code={code} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > MOST ? <p class="note">{as.count(rows.length - MOST)} more rows are in the CSV.</p> : null}
    </div>
  );
}

function Cell<R>({ column, row, code }: { column: ColumnOf<R>; row: R; code: string }) {
  const value = column.value(row);
  const text = column.text?.(row) ?? written(column.kind, value, code);
  const open = column.open?.(row) ?? null;
  return (
    <td class={isNumber(column.kind) ? "number" : ""} data-value={value ?? ""}>
      {open === null ? (
        text
      ) : (
        <button type="button" class="number-link" onClick={open}>
          {text}
        </button>
      )}
    </td>
  );
}

function written(kind: CellKind, value: number | string | null, code: string): string {
  if (value === null) return "–";
  if (typeof value === "string") return value;
  switch (kind) {
    case "money":
      return as.money(value, code);
    case "share":
      return as.share(value);
    case "day":
      return as.day(value);
    case "moment":
      return as.moment(value);
    case "seconds":
      return as.seconds(value);
    default:
      return as.count(value);
  }
}

/** A table's CSV; money is in a unit, which its columns' names say. */
export function figureCsv<R>(unit: string, columns: readonly ColumnOf<R>[], rows: readonly R[]): string {
  const header = columns.map(({ label, kind }) => (kind === "money" ? `${label} (${unit})` : label));
  return csvOf(
    header,
    rows.map((row) => columns.map((column) => csvValue(column.kind, column.value(row)))),
  );
}

/** A cell as a program reads it: money in whole units, days and moments as ISO writes them. */
export function csvValue(kind: CellKind, value: number | string | null): number | string | null {
  if (value === null || typeof value === "string") return value;
  if (kind === "money") return value / 100;
  if (kind === "day") return isoDay(value);
  if (kind === "moment") return new Date(value).toISOString();
  if (kind === "seconds") return value / 1000;
  return value;
}

/** A number in a sentence that opens its rows. */
export function Open({ onOpen, children }: { onOpen: () => void; children: ComponentChildren }) {
  return (
    <button type="button" class="number-link" onClick={onOpen}>
      {children}
    </button>
  );
}
