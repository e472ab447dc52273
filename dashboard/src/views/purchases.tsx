/** What is bought: beside what is sold, and by supplier. */

import { placeOf } from "../figures/days";
import { boughtBy, shareOf, tradedOverTime } from "../figures/sales";
import { partyName } from "../figures/shop";
import type { Look } from "../state/look";
import { Bars } from "../ui/bars";
import { Chart } from "../ui/chart";
import { Figure } from "../ui/figure";
import * as as from "../ui/formats";
import { bucketName, fromColumn, purchasesWhere, ratesSaid, salesOfBucket, unfiltered } from "./common";
import { keyColumn, TOP } from "./ranked";

export function PurchasesAgainstSales({ look }: { look: Look }) {
  const { shop, sales, purchases, buckets, currency } = look;
  const { code, title } = currency;
  const rows = tradedOverTime(
    shop.sales_order,
    look.amounts("sales_order"),
    sales,
    shop.purchase_order,
    look.amounts("purchase_order"),
    purchases,
    buckets,
  ).map((each, place) => ({ ...each, place }));
  const revenue = rows.reduce((sum, each) => sum + each.revenue, 0);
  const cost = rows.reduce((sum, each) => sum + each.cost, 0);
  const bought = (place: number) =>
    purchasesWhere(
      `Purchase orders, ${bucketName(look, place)}, ${title}`,
      (row, those) => placeOf(those.buckets, those.shop.purchase_order.day[row] as number) === place,
    );
  const sold = (place: number) => salesOfBucket(look, place);
  return (
    <Figure
      id="purchases"
      question="Do we sell more than we buy?"
      sentence={
        sales.length + purchases.length === 0 ? (
          "Nothing was sold or bought in this period."
        ) : (
          <>
            {as.shortMoney(revenue, code)} sold, {as.shortMoney(cost, code)} bought:{" "}
            {revenue === cost
              ? "the same."
              : revenue > cost
                ? `${as.shortMoney(revenue - cost, code)} more sold.`
                : `${as.shortMoney(cost - revenue, code)} more bought.`}
          </>
        )
      }
      note={look.filter.design === null ? null : "A purchase has no design: all purchases beside the sales of one."}
      view="report.purchases_against_sales"
      code={code}
      rates={ratesSaid(look, [
        ["sales_order", sales],
        ["purchase_order", purchases],
      ])}
      columns={[
        fromColumn(look),
        { label: "Revenue", kind: "money", value: (row) => row.revenue, open: ({ place }) => sold(place) },
        { label: "Cost", kind: "money", value: (row) => row.cost, open: ({ place }) => bought(place) },
        { label: "Difference", kind: "money", value: (row) => row.revenue - row.cost },
      ]}
      rows={sales.length + purchases.length === 0 ? [] : rows}
    >
      <Chart
        label="Revenue and cost over time."
        buckets={buckets}
        series={[
          { name: "Sold", mark: "column", tone: "accent", values: rows.map((row) => row.revenue) },
          { name: "Bought", mark: "column", tone: "pale", values: rows.map((row) => row.cost) },
        ]}
        tick={(value) => as.roundMoney(value, code)}
        full={(value) => as.shortMoney(value, code)}
        open={(place) => bought(place)()}
      />
    </Figure>
  );
}

export function Suppliers({ look }: { look: Look }) {
  const { code, title } = look.currency;
  const sums = boughtBy(look.shop.purchase_order, look.amounts("purchase_order"), look.purchases);
  const cost = sums.reduce((sum, each) => sum + each.cost, 0);
  const rows = sums.map((sum) => {
    const name = partyName(look.shop, sum.key);
    return {
      ...sum,
      name,
      share: shareOf(sum.cost, cost),
      open: purchasesWhere(
        `Purchase orders: ${as.brief(name)}, ${title}`,
        (row, those) => those.shop.purchase_order.counterparty_id[row] === sum.key,
      ),
    };
  });
  const [first] = rows;
  const rest = rows.slice(TOP);
  return (
    <Figure
      id="suppliers"
      question="From whom do we buy?"
      sentence={
        first === undefined ? (
          "Nothing was bought."
        ) : (
          <>
            Most from <bdi>{as.brief(first.name)}</bdi>:{" "}
            {first.share === null ? as.shortMoney(first.cost, code) : as.share(first.share)} of{" "}
            {as.shortMoney(cost, code)}, from {as.counted(rows.length, "supplier")}.
          </>
        )
      }
      note={unfiltered(look, ["design"])}
      view="report.purchases_by_counterparty"
      code={code}
      rates={ratesSaid(look, [["purchase_order", look.purchases]])}
      columns={[
        { label: "Counterparty", kind: "text", value: ({ name }) => name },
        { label: "Orders", kind: "count", value: ({ orders }) => orders, open: ({ open }) => open },
        { label: "Items", kind: "count", value: ({ items }) => items },
        { label: "Cost", kind: "money", value: (row) => row.cost, open: ({ open }) => open },
        { label: "Share", kind: "share", value: ({ share }) => share },
        keyColumn("counterparty_id"),
      ]}
      rows={rows}
    >
      <Bars
        bars={rows.slice(0, TOP).map((row) => ({
          key: row.key,
          name: row.name,
          value: row.cost,
          text: as.shortMoney(row.cost, code),
          ...(row.share === null ? {} : { aside: as.share(row.share) }),
          open: row.open,
        }))}
        rest={
          rest.length === 0
            ? null
            : `${as.count(rest.length)} more suppliers: ${as.shortMoney(
                rest.reduce((sum, row) => sum + row.cost, 0),
                code,
              )}`
        }
      />
    </Figure>
  );
}
