/** One batch: when it was read and loaded, and how many rows it brought. */

import { placeOfBatch } from "../figures/quality";
import type { Shop } from "../figures/shop";
import { address, go } from "../state/app";
import * as as from "../ui/formats";

export function BatchPage({ shop, batch }: { shop: Shop; batch: number }) {
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
          <button type="button" onClick={() => go({ asof: moment, row: null })}>
            See the shop as of then
          </button>
        </p>
      )}
    </>
  );
}
