/** How fresh the data is, and how far it can be trusted. */

import { capturedAt, type Loads, loadsByDay, quarantine } from "../figures/quality";
import { latest, now, open, past } from "../state/app";
import type { Look } from "../state/look";
import { Chart } from "../ui/chart";
import { Figure, figureCsv, Open } from "../ui/figure";
import * as as from "../ui/formats";

/** So many days are drawn; the table has all. */
const DAYS = 42;
/** So many keys in quarantine are in a cell; the CSV has all. */
const KEYS = 20;

export function Lag({ look }: { look: Look }) {
  const rows = loadsByDay(look.shop);
  const [newest] = rows;
  const drawn = rows.slice(0, DAYS).reverse();
  return (
    <Figure
      id="lag"
      question="How far behind the shop is this page?"
      sentence={
        newest === undefined
          ? "Nothing has been loaded."
          : `Half of the batches of ${as.day(newest.day)} were in the warehouse ${as.seconds(newest.medianLag)} after the source was read, all of them after ${as.seconds(newest.greatestLag)}.`
      }
      note="Of all data, whatever the filters. Days are UTC."
      view="report.loads_by_day"
      code=""
      columns={[
        { label: "Day", kind: "day", value: ({ day }) => day },
        { label: "Batches", kind: "count", value: ({ batches }) => batches.length },
        { label: "Rows in", kind: "count", value: ({ rowsIn }) => rowsIn },
        { label: "Versions", kind: "count", value: ({ versions }) => versions },
        { label: "Deleted", kind: "count", value: ({ deleted }) => deleted },
        { label: "Quarantined", kind: "count", value: ({ quarantined }) => quarantined },
        { label: "Median lag", kind: "seconds", value: ({ medianLag }) => medianLag },
        { label: "Greatest lag", kind: "seconds", value: ({ greatestLag }) => greatestLag },
      ]}
      rows={rows}
    >
      <Chart
        label="Lag by day."
        buckets={{
          unit: "day",
          starts: drawn.map(({ day }) => day),
          end: (drawn.at(-1)?.day ?? 0) + 1,
        }}
        series={[
          { name: "Greatest", mark: "line", tone: "pale", values: drawn.map(({ greatestLag }) => greatestLag) },
          { name: "Median", mark: "line", tone: "accent", values: drawn.map(({ medianLag }) => medianLag) },
        ]}
        tick={as.seconds}
        full={as.seconds}
        nameOf={(place) => as.day((drawn[place] as Loads).day)}
      />
    </Figure>
  );
}

interface Verification {
  readonly at: number;
  readonly batch: number;
  readonly equal: boolean;
  readonly differences: number;
}

/** Every comparison, the newest first. A snapshot does not know those since its own batch: the last of them is said. */
function verifications({ verification }: Look["shop"]): Verification[] {
  const { rows, at, batch, equal, differences } = verification;
  const known = Array.from({ length: rows }, (_, row) => ({
    at: at[row] as number,
    batch: batch[row] as number,
    equal: equal[row] === 1,
    differences: differences[row] as number,
  })).reverse();
  const last = past.value ? null : (latest.value?.status.verified ?? null);
  if (last === null || Date.parse(last.at) <= (known[0]?.at ?? 0)) return known;
  return [{ ...last, at: Date.parse(last.at) }, ...known];
}

export function Trust({ look }: { look: Look }) {
  const rows = verifications(look.shop);
  const [newest] = rows;
  const said = ({ equal, differences }: Verification) => (equal ? "equal" : as.counted(differences, "difference"));
  return (
    <Figure
      id="trust"
      question="Is the warehouse what the shop is?"
      sentence={
        newest === undefined
          ? "Source and warehouse have not been compared yet."
          : `${as.span(now.value - newest.at)} ago every row of the source was compared with the warehouse: ${said(newest)}.`
      }
      view="report.verifications"
      code=""
      columns={[
        { label: "Compared", kind: "moment", value: ({ at }) => at },
        {
          label: "As of batch",
          kind: "count",
          value: ({ batch }) => batch,
          open:
            ({ batch }) =>
            () =>
              open({ kind: "batch", batch }),
        },
        { label: "Result", kind: "text", value: said },
      ]}
      rows={rows}
    />
  );
}

export function Quarantine({ look }: { look: Look }) {
  const rows = quarantine(look.shop);
  const { open_quarantine } = look.shop;
  const all = open_quarantine.rows;
  const stale = rows.reduce((sum, row) => sum + row.stale, 0);
  const when = (batch: number) => capturedAt(look.shop, batch);
  const keys = (those: Int32Array) =>
    Array.from(those.subarray(0, KEYS), (row) => open_quarantine.key[row]).join(", ") +
    (those.length > KEYS ? `, and ${as.count(those.length - KEYS)} more in the CSV` : "");
  // Whoever repairs the source needs each key.
  const csv = () =>
    figureCsv<number>(
      "",
      [
        { label: "Table", kind: "text", value: (row) => open_quarantine.star_table[row] ?? "" },
        { label: "Reason", kind: "text", value: (row) => open_quarantine.reason[row] ?? "" },
        { label: "Key", kind: "text", value: (row) => open_quarantine.key[row] ?? "" },
        { label: "Still shown", kind: "text", value: (row) => (open_quarantine.stale[row] === 1 ? "yes" : "no") },
        { label: "Since batch", kind: "count", value: (row) => open_quarantine.batch[row] as number },
        { label: "Since", kind: "moment", value: (row) => when(open_quarantine.batch[row] as number) },
      ],
      rows.flatMap((row) => [...row.rows]),
    );
  return (
    <Figure
      id="quarantine"
      question="Which rows are missing from these numbers, or out of date?"
      sentence={
        all === 0
          ? "None: every row of the source is here."
          : `${as.counted(all, "row")} of the source could not be understood and ${all === 1 ? "waits" : "wait"} to be fixed there: ${as.count(all - stale)} missing here, ${as.count(stale)} still shown as ${stale === 1 ? "it" : "they"} last could be.`
      }
      note={all === 0 ? null : "Of all data, whatever the filters."}
      view="report.quarantine_by_table"
      code=""
      csv={csv}
      columns={[
        { label: "Table", kind: "text", value: ({ table }) => table },
        { label: "Reason", kind: "text", value: ({ reason }) => reason },
        { label: "Rows", kind: "count", value: (row) => row.rows.length },
        { label: "Still shown", kind: "count", value: ({ stale: some }) => some },
        { label: "Keys", kind: "text", value: (row) => keys(row.rows) },
        {
          label: "Since batch",
          kind: "count",
          value: ({ since }) => since,
          open:
            ({ since }) =>
            () =>
              open({ kind: "batch", batch: since }),
        },
        { label: "Since", kind: "moment", value: ({ since }) => when(since) },
      ]}
      rows={rows}
    />
  );
}

export function Drift({ look }: { look: Look }) {
  const { drift } = look.shop;
  const rows = Array.from({ length: drift.rows }, (_, row) => row).reverse();
  const [newest] = rows;
  return (
    <Figure
      id="drift"
      question="Has the shape of the source changed?"
      sentence={
        newest === undefined ? (
          "No: its tables are as they were."
        ) : (
          <>
            Last: <bdi>{drift.what[newest]}</bdi>, seen by{" "}
            <Open onOpen={() => open({ kind: "batch", batch: drift.batch[newest] as number })}>
              batch {as.count(drift.batch[newest] as number)}
            </Open>
            .
          </>
        )
      }
      view="report.source_changes"
      code=""
      columns={[
        { label: "Change", kind: "text", value: (row) => drift.what[row] ?? "" },
        {
          label: "Batch",
          kind: "count",
          value: (row) => drift.batch[row] as number,
          open: (row) => () => open({ kind: "batch", batch: drift.batch[row] as number }),
        },
        { label: "Seen", kind: "moment", value: (row) => capturedAt(look.shop, drift.batch[row] as number) },
      ]}
      rows={rows}
    />
  );
}
