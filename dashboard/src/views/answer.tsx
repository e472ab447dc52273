/** The answer to what a person asks first: what is due, how yesterday went, what has changed. */

import type { ComponentChildren } from "preact";
import { againstUsual, changesSince } from "../figures/answer";
import { type Direction, due, selectOpen } from "../figures/money";
import { UNRATED } from "../figures/rates";
import { shareOf } from "../figures/sales";
import { among, select } from "../figures/select";
import type { Currency } from "../figures/shop";
import { amounts, rowsIn } from "../figures/worth";
import { past, seen } from "../state/app";
import type { Look } from "../state/look";
import { Chart } from "../ui/chart";
import { Open } from "../ui/figure";
import * as as from "../ui/formats";
import { OtherKinds, ratesSaid, rowsOf, unfiltered } from "./common";

export function Answer({ look }: { look: Look }) {
  return (
    <div class="answer">
      <h2 class="unseen">Today</h2>
      <DueCard look={look} direction="in" />
      <DueCard look={look} direction="out" />
      <Yesterday look={look} />
      <SinceCard look={look} />
    </div>
  );
}

interface CardProps {
  readonly id: string;
  readonly title: string;
  /** What of the filters does not concern it. */
  readonly note?: string | null;
  readonly children: ComponentChildren;
}

function Card({ id, title, note, children }: CardProps) {
  return (
    <section class="card" id={id} aria-labelledby={`${id}-title`}>
      <h3 id={`${id}-title`}>{title}</h3>
      {children}
      {note ? <p class="note">{note}</p> : null}
    </section>
  );
}

const WORDS = {
  in: { title: "Owed to us", one: "receipt", open: "Open receipts" },
  out: { title: "Owed by us", one: "payment", open: "Open payments" },
} as const;

function DueCard({ look, direction }: { look: Look; direction: Direction }) {
  const { shop, currency, filter } = look;
  const words = WORDS[direction];
  const pick = (id: number) => (those: Look) => selectOpen(those.shop, direction, id, those.filter.counterparty);
  const late = (id: number) => (those: Look) =>
    among(pick(id)(those), (row) => (those.shop.payment.payment_day[row] as number) < those.shop.today);
  const open = (id: number) => selectOpen(shop, direction, id, filter.counterparty);
  const sum = (each: Currency) => due(shop, amounts(shop, "payment", each.id), open(each.id));
  const here = sum(currency);
  const rates = ratesSaid(look, [["payment", open(currency.id)]], () => open(UNRATED).length);
  const elsewhere = shop.currencies.filter(({ id }) => id !== currency.id && open(id).length > 0);
  // A credit note is less than nothing: what is overdue may be more than all, or below zero, and is no part of it then.
  const within = here.overdue >= 0 && here.overdue <= here.amount;
  const part = within ? (shareOf(here.overdue, here.amount) ?? 0) : null;
  return (
    <Card id={`due-${direction}`} title={words.title} note={unfiltered(look, ["period", "department", "design"])}>
      <p class="big" data-value={here.amount} title={as.money(here.amount, currency.code)}>
        <Open onOpen={rowsOf(`${words.open}, ${currency.title}`, "payment", pick(currency.id))}>
          {as.shortMoney(here.amount, currency.code)}
        </Open>
      </p>
      {rates === null ? null : <p class="rates">{rates}</p>}
      {part === null ? null : (
        <div class="meter" role="img" aria-label={`${as.share(part)} of it is overdue`}>
          <span style={{ width: `${100 * part}%` }} />
        </div>
      )}
      {here.overduePayments > 0 ? (
        <p data-value={here.overdue} class="overdue">
          <Open onOpen={rowsOf(`${words.open} that are overdue, ${currency.title}`, "payment", late(currency.id))}>
            {as.shortMoney(here.overdue, currency.code)}
          </Open>{" "}
          overdue, {as.count(here.overduePayments)} of {as.counted(here.payments, words.one)}
        </p>
      ) : (
        <p>
          {here.payments === 0 ? `No open ${words.one}` : `Nothing overdue of ${as.counted(here.payments, words.one)}`}
        </p>
      )}
      {elsewhere.length === 0 ? null : (
        <ul class="elsewhere">
          {elsewhere.map((each) => {
            const { amount, overdue, overduePayments } = sum(each);
            return (
              <li key={each.id}>
                <span>
                  <Open onOpen={rowsOf(`${words.open}, ${each.code}`, "payment", pick(each.id))}>
                    {as.shortMoney(amount, each.code)}
                  </Open>
                </span>
                <span>{overduePayments > 0 ? `${as.shortMoney(overdue, each.code)} overdue` : "nothing overdue"}</span>
              </li>
            );
          })}
        </ul>
      )}
      <OtherKinds look={look} />
    </Card>
  );
}

function Yesterday({ look }: { look: Look }) {
  const { shop, currency } = look;
  const day = shop.today - 1;
  const usual = againstUsual(shop, currency.id, day);
  const days = [...usual.before, { day, sold: usual.sold }];
  const name = as.weekdayName(day);
  const level = usual.unrated === 0 ? usual.revenue : null;
  const change = as.difference(usual.sold.revenue, level);
  const { code, title } = currency;
  const pick = (of: number, id?: number) => (those: Look) => {
    const { day: made } = those.shop.sales_order;
    const inCurrency = rowsIn(those.shop, "sales_order", id ?? those.currency.id);
    return select(made.length, (row) => made[row] === of && inCurrency[row] === 1);
  };
  const opening = (of: number) => rowsOf(`Sales orders of ${as.day(of)}, ${title}`, "sales_order", pick(of));
  const rates = ratesSaid(look, [["sales_order", pick(day)(look)]], () => pick(day, UNRATED)(look).length);
  return (
    <Card
      id="yesterday"
      title={`Sold on ${name}, ${as.shortStretch("day", day)} (UTC)`}
      note={unfiltered(look, ["department", "counterparty", "design"])}
    >
      <p class="big" data-value={usual.sold.revenue} title={as.money(usual.sold.revenue, code)}>
        <Open onOpen={opening(day)}>{as.shortMoney(usual.sold.revenue, code)}</Open>
        {change === null ? null : <span class="delta">{change}</span>}
      </p>
      <p>
        {as.counted(usual.sold.orders, "order")};{" "}
        {usual.unrated > 0 ? (
          `not compared, as ${as.counted(usual.unrated, "order")} of these ${name}s ${usual.unrated === 1 ? "has" : "have"} no rate`
        ) : level === null ? (
          `no ${name} before to compare with`
        ) : (
          <>
            usual for a {name}:{" "}
            <span class="usual" data-value={level}>
              {as.shortMoney(level, code)}
            </span>
          </>
        )}
      </p>
      {rates === null ? null : <p class="rates">{rates}</p>}
      {usual.before.length === 0 || days.every(({ sold }) => sold.orders === 0) ? null : (
        <Chart
          label={`Revenue of each ${name}, and the median.`}
          height={104}
          buckets={{ unit: "day", starts: days.map((each) => each.day), end: day + 1 }}
          series={[
            {
              name: "Revenue",
              mark: "column",
              tone: "accent",
              values: days.map(({ sold }) => sold.revenue),
              chosen: days.length - 1,
            },
          ]}
          tick={(value) => as.roundMoney(value, code)}
          full={(value) => as.shortMoney(value, code)}
          level={level}
          open={(place) => opening(days[place]?.day ?? day)()}
        />
      )}
    </Card>
  );
}

function SinceCard({ look }: { look: Look }) {
  const { shop } = look;
  const last = seen.value;
  if (!shop.complete)
    return (
      <Card id="since" title="Since you last looked">
        …
      </Card>
    );
  if (past.value) {
    return (
      <Card id="since" title="Since you last looked">
        <p>What has changed is counted up to now, not up to then.</p>
      </Card>
    );
  }
  if (last === null) {
    return (
      <Card id="since" title="Since you last looked">
        <p>This is your first look here. Next time you see what has changed.</p>
      </Card>
    );
  }
  const changes = changesSince(shop, last.batch);
  const pick = (name: Exclude<keyof typeof changes, "gone">) => (those: Look) =>
    changesSince(those.shop, last.batch)[name];
  const lines: [number, string, string, (() => void) | null][] = [
    [
      changes.newOrders.length,
      "new sales order",
      "new sales orders",
      rowsOf("New sales orders", "sales_order", pick("newOrders")),
    ],
    [changes.newlyPaid.length, "payment made", "payments made", rowsOf("Payments made", "payment", pick("newlyPaid"))],
    [
      changes.newlyOpen.length,
      "new open payment",
      "new open payments",
      rowsOf("New open payments", "payment", pick("newlyOpen")),
    ],
    [
      changes.newPurchases.length,
      "new purchase",
      "new purchases",
      rowsOf("New purchase orders", "purchase_order", pick("newPurchases")),
    ],
    [
      changes.changedOrders.length,
      "changed sales order",
      "changed sales orders",
      rowsOf("Changed sales orders", "sales_order", pick("changedOrders")),
    ],
    [
      changes.changedPurchases.length,
      "changed purchase",
      "changed purchases",
      rowsOf("Changed purchase orders", "purchase_order", pick("changedPurchases")),
    ],
    [
      changes.changedPayments.length,
      "changed payment",
      "changed payments",
      rowsOf("Changed payments", "payment", pick("changedPayments")),
    ],
    [changes.gone, "row gone", "rows gone", null],
  ];
  const some = lines.filter(([count]) => count > 0);
  return (
    <Card
      id="since"
      title="Since you last looked"
      note={unfiltered(look, ["currency", "department", "counterparty", "design"])}
    >
      <p class="quiet">{as.moment(last.at)}</p>
      {some.length === 0 ? (
        <p>Nothing has changed.</p>
      ) : (
        <ul class="changes">
          {some.map(([count, one, many, opening]) => (
            <li key={one}>
              <b>{opening === null ? as.count(count) : <Open onOpen={opening}>{as.count(count)}</Open>}</b>{" "}
              {count === 1 ? one : many}
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
