/** One row of a fact: all its versions, and what it has been through. */

import { useEffect, useState } from "preact/hooks";
import type { FactName } from "../data/schemas";
import { placeOfBatch, waitingSince } from "../figures/quality";
import { keysOf, type Shop } from "../figures/shop";
import { open, versionsOf } from "../state/app";
import type { Look } from "../state/look";
import { Open } from "../ui/figure";
import * as as from "../ui/formats";
import { codeIn, codeOf, FACTS, fieldsOf, shown } from "./facts";

interface Version {
  readonly batch: number;
  readonly deleted: boolean;
  readonly code: string;
  readonly values: readonly (number | string | null)[];
}

export function RowPage({ look: here, fact, id }: { look: Look; fact: FactName; id: number }) {
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
