/** A parquet file as columns. */

import { decompress } from "fzstd";
import { type ColumnData, type ParquetParsers, parquetMetadata, parquetRead } from "hyparquet";
import { type AnyColumn, emptyColumn, type Kind, NO_VALUE, type Schema, type Table } from "./columns";
import { UnknownFormat } from "./errors";
import { LATER } from "./schemas";

const compressors = {
  ZSTD: (input: Uint8Array, length: number) => decompress(input, new Uint8Array(length)),
};
/** Days and moments stay numbers: a Date for each of a million cells costs a second. */
const parsers = {
  dateFromDays: (days: number) => days,
  timestampFromMilliseconds: (millis: bigint) => Number(millis),
  timestampFromMicroseconds: (micros: bigint) => Number(micros / 1000n),
} as unknown as Partial<ParquetParsers>;

/**
 * Read the columns that a schema names.
 *
 * Throws UnknownFormat where the file lacks one of them that was there from the beginning.
 */
export async function readParquet<S extends Schema>(file: ArrayBuffer, schema: S, path: string): Promise<Table<S>> {
  const metadata = parquetMetadata(file);
  const there = new Set(metadata.schema.map((element) => element.name));
  const lacking = Object.keys(schema).filter((name) => !there.has(name) && !LATER.has(name));
  if (lacking.length > 0) throw new UnknownFormat(`${path} has no column ${lacking.join(", ")}.`);
  const rows = Number(metadata.num_rows);
  const columns: Record<string, AnyColumn> = {};
  for (const [name, kind] of Object.entries(schema)) {
    const column = emptyColumn(kind, rows);
    if (!there.has(name) && kind !== "text") (column as Float64Array).fill(NO_VALUE[kind]);
    columns[name] = column;
  }
  if (rows > 0) {
    await parquetRead({
      file,
      metadata,
      columns: Object.keys(schema).filter((name) => there.has(name)),
      compressors,
      parsers,
      onChunk: (chunk: ColumnData) => {
        const kind = schema[chunk.columnName];
        const column = columns[chunk.columnName];
        if (kind !== undefined && column !== undefined) fill(kind, column, chunk.columnData, chunk.rowStart);
      },
    });
  }
  return { rows, ...columns } as unknown as Table<S>;
}

function fill(kind: Kind, column: AnyColumn, values: ArrayLike<unknown>, start: number): void {
  const rows = Math.min(values.length, column.length - start);
  if (kind === "text") {
    const text = column as string[];
    // A file of an earlier totes has a number where a text is now.
    for (let row = 0; row < rows; row++) text[start + row] = String(values[row] ?? "");
    return;
  }
  const numbers = column as Float64Array;
  const nothing = NO_VALUE[kind];
  if (values instanceof Int32Array) {
    numbers.set(values.length === rows ? values : values.subarray(0, rows), start);
    return;
  }
  for (let row = 0; row < rows; row++) {
    const value = values[row] as number | bigint | boolean | null | undefined;
    numbers[start + row] = value === null || value === undefined ? nothing : Number(value);
  }
}
