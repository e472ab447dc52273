/** Tables as columns: numbers in typed arrays, so that a pass over a hundred thousand rows takes a millisecond. */

/**
 * What a column holds: a whole number of 32 bits or a day, a number exact below 2^53, a yes or no, or text.
 *
 * A whole number that need not be there is a "number", if it may be any of 32 bits.
 */
export type Kind = "int" | "number" | "flag" | "text";
export type Schema = Readonly<Record<string, Kind>>;
export type ColumnOf<K extends Kind> = K extends "text"
  ? string[]
  : K extends "int"
    ? Int32Array
    : K extends "flag"
      ? Uint8Array
      : Float64Array;
export type Table<S extends Schema> = { readonly rows: number } & { readonly [C in keyof S]: ColumnOf<S[C]> };
export type AnyColumn = ColumnOf<Kind>;

/** What stands in a column of days, or of batches, where there is none: no day and no batch has this number. */
export const NOTHING = -2147483648;
/** What stands in a column of each kind of number there: an amount that is not known is none, and not 0. */
export const NO_VALUE = { int: NOTHING, number: Number.NaN, flag: 0 } as const;

/** An empty column of a kind, with room for so many rows. */
export function emptyColumn(kind: Kind, rows: number): AnyColumn {
  switch (kind) {
    case "text":
      return new Array<string>(rows).fill("");
    case "int":
      return new Int32Array(rows);
    case "flag":
      return new Uint8Array(rows);
    default:
      return new Float64Array(rows);
  }
}

/** Tables of one schema behind each other, in the order given. */
export function concat<S extends Schema>(schema: S, parts: readonly Table<S>[]): Table<S> {
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  const all: Record<string, unknown> = { rows };
  for (const [name, kind] of Object.entries(schema)) {
    const columns = parts.map((part) => (part as Record<string, unknown>)[name] as AnyColumn);
    if (kind === "text") {
      all[name] = ([] as string[]).concat(...(columns as string[][]));
      continue;
    }
    const column = emptyColumn(kind, rows) as Int32Array;
    let at = 0;
    for (const part of columns as Int32Array[]) {
      column.set(part, at);
      at += part.length;
    }
    all[name] = column;
  }
  return all as Table<S>;
}

/** The value of a cell, as a number or as text. */
export function cell(table: { readonly rows: number }, column: string, row: number): number | string {
  const values = (table as unknown as Record<string, AnyColumn>)[column];
  return values?.[row] ?? "";
}
