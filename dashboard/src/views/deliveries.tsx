/** Where what was sold goes, and how soon. */

import { type LeadTime, leadTimes, valuesOf } from "../figures/sales";
import type { Look } from "../state/look";
import { Bars } from "../ui/bars";
import { type ColumnOf, Figure } from "../ui/figure";
import * as as from "../ui/formats";
import { WorldMap } from "../ui/map";
import { countryOf, DAYS_COLUMNS, DaysChart, fromColumn, ratesSaid, salesOfBucket } from "./common";
import { brought, type Ranked, ranked, rankedBars, rankedColumns, restOf } from "./ranked";

interface Country extends Ranked {
  readonly median: number | null;
  readonly ninety: number | null;
}

export function Deliveries({ look }: { look: Look }) {
  const { shop, currency } = look;
  const sums = ranked(
    look,
    "location_id",
    (id, those) => countryOf(those, id),
    (name) => name,
  );
  const countryAt = new Map(sums.map(({ name }, place) => [name, place]));
  const { sales_order } = shop;
  const locations = valuesOf(sales_order.location_id);
  // For each location the place of its country.
  const places = Int32Array.from(locations.each, (id) => countryAt.get(countryOf(look, id)) ?? -1);
  const times = leadTimes(sales_order, look.sales, sums.length, locations.places, { from: 0, places });
  const rows: Country[] = sums.map((sum, place) => ({ ...sum, ...(times.each[place] as LeadTime) }));
  const [first] = rows;
  const columns: ColumnOf<Country>[] = [
    ...(rankedColumns("Country").slice(0, 5) as ColumnOf<Country>[]),
    ...DAYS_COLUMNS,
  ];
  return (
    <Figure
      id="countries"
      question="Where do the bags go?"
      sentence={
        first === undefined ? (
          "Nothing is to be delivered."
        ) : (
          <>
            To {as.counted(rows.length, "country", "countries")}; most to <bdi>{as.brief(first.name)}</bdi>:{" "}
            {brought(first, look)}.
          </>
        )
      }
      view="report.sales_by_country"
      code={currency.code}
      rates={ratesSaid(look, [["sales_order", look.sales]])}
      columns={columns}
      rows={rows}
      wide
    >
      <div class="beside">
        <WorldMap
          label="A map of the countries that orders go to; the table has the numbers."
          spots={rows.map((row) => ({
            country: row.name,
            value: row.revenue,
            text: `${as.shortMoney(row.revenue, currency.code)}, ${as.counted(row.orders, "order")}`,
            open: row.open,
          }))}
        />
        <Bars bars={rankedBars(look, rows, 8)} rest={restOf(look, rows, "countries", 8)} />
      </div>
    </Figure>
  );
}

export function LeadTimes({ look }: { look: Look }) {
  const { shop, sales, buckets, currency } = look;
  const { all, each } = leadTimes(shop.sales_order, sales, buckets.starts.length, shop.sales_order.day, buckets);
  const rows = each.map((time, place) => ({ ...time, place }));
  const opening = (place: number) => salesOfBucket(look, place);
  return (
    <Figure
      id="lead-times"
      question="How soon do we promise to deliver?"
      sentence={
        all.orders === 0
          ? "No orders in this period."
          : `Half of the orders are to arrive within ${as.days(all.median)}, nine of ten within ${as.days(all.ninety)}.`
      }
      note="As agreed with customers: the source does not say when a delivery was made."
      view="report.agreed_lead_times"
      code={currency.code}
      rates={ratesSaid(look, [["sales_order", look.sales]])}
      columns={[
        fromColumn(look),
        { label: "Orders", kind: "count", value: ({ orders }) => orders, open: ({ place }) => opening(place) },
        ...DAYS_COLUMNS,
      ]}
      rows={sales.length === 0 ? [] : rows}
      wide
    >
      <DaysChart
        look={look}
        label="Days from an order to its agreed delivery, over time."
        rows={rows}
        opening={(place) => opening(place)}
      />
    </Figure>
  );
}
