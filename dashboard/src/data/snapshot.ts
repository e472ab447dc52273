/** A snapshot of the shop: the files that a manifest names, fetched once each and kept in memory by their names. */

import { concat, type Schema, type Table } from "./columns";
import { NotThere, UnknownFormat, Unreachable } from "./errors";
import { firstRead, known, type Latest, type Manifest, type Moment, type Moments } from "./manifest";
import { readParquet } from "./parquet";
import { type FactName, type Rows, SCHEMAS, type TableName } from "./schemas";
import type { Source } from "./source";

/** One less than a browser's connections to a server: `latest.json` is asked for meanwhile, and waits for none of them. */
const AT_ONCE = 5;

export interface Snapshot {
  readonly manifest: Manifest;
  /** Whether all is here. Before, orders are those of the newest months, and there is nothing of purchases. */
  readonly complete: boolean;
  readonly sales_order: Rows<"sales_order">;
  readonly purchase_order: Rows<"purchase_order">;
  readonly payment: Rows<"payment">;
  readonly batch: Rows<"batch">;
  readonly counterparty: Rows<"counterparty">;
  readonly staff: Rows<"staff">;
  readonly design: Rows<"design">;
  readonly location: Rows<"location">;
  readonly currency: Rows<"currency">;
  readonly payment_type: Rows<"payment_type">;
  readonly exchange_rate: Rows<"exchange_rate">;
  readonly open_quarantine: Rows<"open_quarantine">;
  readonly drift: Rows<"drift">;
  readonly verification: Rows<"verification">;
}

const DIMENSIONS = [
  "counterparty",
  "staff",
  "design",
  "location",
  "currency",
  "payment_type",
  "exchange_rate",
] as const;
const QUALITY = ["open_quarantine", "drift", "verification"] as const;

export class Snapshots {
  private readonly files = new Map<string, Promise<Table<Schema>>>();
  private readonly manifests = new Map<string, Manifest>();
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly source: Source) {}

  /** Throws NotThere where nothing is published yet. */
  async latest(): Promise<Latest> {
    return known<Latest>(await this.source.json("latest.json", true), "latest.json");
  }

  /**
   * The snapshots of a day (UTC), the earliest first.
   *
   * The document has them by batch. That is another order where batches were undone, or where a lake was begun again.
   */
  async moments(day: string): Promise<readonly Moment[]> {
    const path = `moments/${day}.json`;
    const { moments } = known<Moments>(await this.source.json(path, true), path);
    return [...moments].sort((one, other) => Date.parse(one.captured_at) - Date.parse(other.captured_at));
  }

  /** The snapshots of a day; none where somebody has deleted the day's document, to have less. */
  private async held(day: string): Promise<readonly Moment[]> {
    try {
      return await this.moments(day);
    } catch (error) {
      if (error instanceof NotThere) return [];
      throw error;
    }
  }

  /** The last snapshot at or before a moment; null where there is none so old. */
  async momentAt(moment: string, days: readonly string[]): Promise<Moment | null> {
    const day = moment.slice(0, 10);
    for (const candidate of days.filter((other) => other <= day).reverse()) {
      const until = candidate === day && moment.length > 10 ? Date.parse(moment) : Number.POSITIVE_INFINITY;
      const found = (await this.held(candidate)).filter((other) => Date.parse(other.captured_at) <= until).at(-1);
      if (found !== undefined) return found;
    }
    return null;
  }

  /**
   * Load what a manifest names: first what the answer needs, given to `early`, then all of it.
   *
   * Throws NotThere where a file is missing: what is shown would be wrong.
   */
  async load(path: string, early: (snapshot: Snapshot) => void): Promise<Snapshot> {
    const manifest = await this.manifest(path);
    const since = firstRead(manifest);
    const all = Object.fromEntries(
      (Object.keys(SCHEMAS) as TableName[]).filter((name) => !name.endsWith("_version")).map((name) => [name, null]),
    ) as Record<TableName, null>;
    const [dimensions, payment, recent] = await Promise.all([
      this.tables(manifest, DIMENSIONS),
      this.table(manifest, "payment"),
      this.table(manifest, "sales_order", (part) => part >= since),
    ]);
    const none = <N extends TableName>(name: N) => concat(SCHEMAS[name], []) as unknown as Rows<N>;
    const first = {
      manifest,
      complete: false,
      ...(Object.fromEntries((Object.keys(all) as TableName[]).map((name) => [name, none(name)])) as unknown as Omit<
        Snapshot,
        "manifest" | "complete"
      >),
      ...dimensions,
      payment,
      sales_order: recent,
    };
    early(first);
    const [sales_order, purchase_order, batch, quality] = await Promise.all([
      this.table(manifest, "sales_order"),
      this.table(manifest, "purchase_order"),
      this.table(manifest, "batch"),
      this.tables(manifest, QUALITY),
    ]);
    this.forget(path, manifest);
    return { ...first, complete: true, sales_order, purchase_order, batch, ...quality };
  }

  /** Every version of the rows of a table that have more than one; read when a person opens a row. */
  async versions<N extends FactName>(manifest: Manifest, fact: N): Promise<Rows<`${N}_version`>> {
    return this.table(manifest, `${fact}_version` as `${N}_version`);
  }

  private async manifest(path: string): Promise<Manifest> {
    const held = this.manifests.get(path);
    if (held !== undefined) return held;
    const manifest = known<Manifest>(await this.source.json(path), path);
    this.manifests.set(path, manifest);
    return manifest;
  }

  private async tables<N extends TableName>(manifest: Manifest, names: readonly N[]): Promise<{ [K in N]: Rows<K> }> {
    const loaded = await Promise.all(names.map(async (name) => [name, await this.table(manifest, name)] as const));
    return Object.fromEntries(loaded) as { [K in N]: Rows<K> };
  }

  private async table<N extends TableName>(
    manifest: Manifest,
    name: N,
    wanted: (part: string) => boolean = () => true,
  ): Promise<Rows<N>> {
    const parts = Object.keys(manifest.tables[name]?.parts ?? {})
      .filter(wanted)
      .sort()
      .reverse();
    const schema: Schema = SCHEMAS[name];
    const loaded = await Promise.all(
      parts.map((part) => this.file(path(manifest, name, part), manifest.tables[name]?.parts[part]?.bytes, schema)),
    );
    return concat(schema, loaded.reverse()) as unknown as Rows<N>;
  }

  private file(path: string, bytes: number | undefined, schema: Schema): Promise<Table<Schema>> {
    const held = this.files.get(path);
    if (held !== undefined) return held;
    const file = this.inTurn(() => this.read(path, bytes, schema));
    this.files.set(path, file);
    // What was not found now may be there when it is asked for again.
    file.catch(() => this.files.delete(path));
    return file;
  }

  private async read(path: string, bytes: number | undefined, schema: Schema): Promise<Table<Schema>> {
    const body = await this.source.published(path, bytes);
    try {
      return await readParquet(body, schema, path);
    } catch (error) {
      if (error instanceof UnknownFormat) throw error;
      throw new Unreachable(`${path} is no parquet file, or a broken one.`);
    }
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= AT_ONCE) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.running++;
    try {
      return await work();
    } finally {
      this.running--;
      this.waiting.shift()?.();
    }
  }

  /** Let go of the other manifests, and of the files that this one does not name. */
  private forget(of: string, manifest: Manifest): void {
    const named = new Set(
      Object.entries(manifest.tables).flatMap(([name, { parts }]) =>
        Object.keys(parts).map((part) => path(manifest, name, part)),
      ),
    );
    for (const held of this.files.keys()) if (!named.has(held)) this.files.delete(held);
    for (const held of this.manifests.keys()) if (held !== of) this.manifests.delete(held);
  }
}

function path(manifest: Manifest, table: string, part: string): string {
  const sha = manifest.tables[table]?.parts[part]?.sha;
  if (sha === undefined) throw new NotThere(`${table}/${part}`);
  return `files/${table}/${part}-${sha}.parquet`;
}
