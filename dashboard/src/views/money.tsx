/** What is to be paid, by age, and how long customers take to pay. */

import { placeOf } from "../figures/days";
import {
  type AGES,
  ageOf,
  type Direction,
  due,
  type Open as OpenAge,
  openByAge,
  paymentTimes,
  receiptsOf,
  selectOpen,
} from "../figures/money";
import { ALL, UNRATED } from "../figures/rates";
import { among, selectSales } from "../figures/select";
import type { Look } from "../state/look";
import { Bars } from "../ui/bars";
import { Figure, Open } from "../ui/figure";
import * as as from "../ui/formats";
import { bucketName, DAYS_COLUMNS, DaysChart, fromColumn, OtherKinds, ratesSaid, rowsOf, unfiltered } from "./common";

const ASKED = {
  in: {
    id: "receipts-due",
    question: "What are we owed, and since when?",
    view: "report.receipts_due_by_age",
    title: "Receipts",
    one: "receipt",
    verb: "are owed to us",
  },
  out: {
    id: "payments-due",
    question: "What do we owe, and since when?",
    view: "report.payments_due_by_age",
    title: "Payments",
    one: "payment",
    verb: "are owed by us",
  },
} as const;

/** What an age is called: the days by which it is overdue. The first has what is due today as well, which is not. */
const AGE_NAMES: Record<(typeof AGES)[number], string> = {
  "not due": "Not due yet",
  "0-30": "Due today, or up to 30 days overdue",
  "31-60": "31–60 days overdue",
  "61-90": "61–90 days overdue",
  "91+": "91 days or more",
};

export function DueByAge({ look, direction }: { look: Look; direction: Direction }) {
  const { shop, currency, filter } = look;
  const { code, title } = currency;
  const asked = ASKED[direction];
  const selection = selectOpen(shop, direction, currency.id, filter.counterparty);
  const rows = openByAge(shop, look.amounts("payment"), selection);
  const all = due(shop, look.amounts("payment"), selection);
  const opening = ({ age }: OpenAge) =>
    rowsOf(`${asked.title}: ${AGE_NAMES[age].toLowerCase()}, ${title}`, "payment", (those) =>
      among(
        selectOpen(those.shop, direction, those.currency.id, those.filter.counterparty),
        (row) => ageOf(those.shop.payment.payment_day[row] as number, those.shop.today) === age,
      ),
    );
  const whole = rowsOf(`Open ${asked.one}s, ${title}`, "payment", (those) =>
    selectOpen(those.shop, direction, those.currency.id, those.filter.counterparty),
  );
  return (
    <Figure
      id={asked.id}
      question={asked.question}
      sentence={
        <>
          <Open onOpen={whole}>{as.shortMoney(all.amount, code)}</Open> {asked.verb}, {as.shortMoney(all.overdue, code)}{" "}
          of it overdue as of {as.day(shop.today)}.
        </>
      }
      note={unfiltered(look, ["period", "department", "design"])}
      missing={<OtherKinds look={look} />}
      view={asked.view}
      code={code}
      rates={ratesSaid(
        look,
        [["payment", selection]],
        () => selectOpen(shop, direction, UNRATED, filter.counterparty).length,
      )}
      columns={[
        { label: "Age", kind: "text", value: ({ age }) => age, text: ({ age }) => AGE_NAMES[age] },
        {
          label: "Payments",
          kind: "count",
          value: ({ payments }) => payments,
          open: (row) => (row.payments === 0 ? null : opening(row)),
        },
        {
          label: "Amount",
          kind: "money",
          value: ({ amount }) => amount,
          open: (row) => (row.payments === 0 ? null : opening(row)),
        },
        { label: "Oldest", kind: "day", value: ({ oldest }) => oldest },
      ]}
      rows={all.payments === 0 ? [] : rows}
    >
      <Bars
        bars={rows.map((row) => ({
          key: row.age,
          name: AGE_NAMES[row.age],
          value: row.amount,
          text: as.shortMoney(row.amount, code),
          aside: as.count(row.payments),
          tone: row.age === "not due" ? "pale" : row.age === "91+" ? "late" : "accent",
          open: opening(row),
        }))}
      />
    </Figure>
  );
}

export function PaymentTimes({ look }: { look: Look }) {
  const { shop, sales, buckets, currency, filter } = look;
  const { code, title } = currency;
  const receipts = receiptsOf(shop, sales, currency.id);
  const { all, each } = paymentTimes(shop, receipts, buckets);
  // A receipt is missing if it has no rate, and if its order has none.
  const leftOut = () => {
    const unrated = selectSales(shop, { ...filter, currency: UNRATED });
    const found = [receiptsOf(shop, sales, UNRATED), ...[ALL, UNRATED].map((id) => receiptsOf(shop, unrated, id))];
    return found.reduce((sum, { those }) => sum + those.length, 0);
  };
  const rows = each.map((time, place) => ({ ...time, place }));
  const opening = (place: number, paid: 0 | 1) =>
    rowsOf(
      `Receipts of orders made ${bucketName(look, place)}, ${paid === 1 ? "paid" : "not paid"}, ${title}`,
      "payment",
      (those) => {
        const { those: found, orderOf } = receiptsOf(those.shop, those.sales, those.currency.id);
        return among(
          found,
          (row) =>
            those.shop.payment.paid[row] === paid &&
            placeOf(those.buckets, those.shop.sales_order.day[orderOf[row] as number] as number) === place,
        );
      },
    );
  return (
    <Figure
      id="payment-times"
      question="How long do customers take to pay?"
      sentence={
        all.median === null
          ? "No receipt of these orders is paid yet."
          : `Of ${as.counted(all.paid, "paid receipt")}, half were dated within ${as.days(all.median)} of the order and nine of ten within ${as.days(all.ninety)}; ${as.count(all.open)} ${all.open === 1 ? "is" : "are"} not paid.`
      }
      view="report.order_to_payment_days"
      code={code}
      rates={ratesSaid(look, [["payment", receipts.those]], leftOut)}
      columns={[
        fromColumn(look),
        { label: "Paid", kind: "count", value: ({ paid }) => paid, open: ({ place }) => opening(place, 1) },
        { label: "Not paid", kind: "count", value: ({ open }) => open, open: ({ place }) => opening(place, 0) },
        ...DAYS_COLUMNS,
      ]}
      rows={all.paid + all.open === 0 ? [] : rows}
      wide
    >
      <DaysChart
        look={look}
        label="Days from an order to its receipt, over time."
        rows={rows}
        opening={(place) => opening(place, 1)}
      />
    </Figure>
  );
}
