/** What is looked at: currency, period, department, counterparty and design. */

import { useRef } from "preact/hooks";
import { isoDay } from "../figures/days";
import { ALL } from "../figures/rates";
import { type Currency, oncePerShop } from "../figures/shop";
import { EVERY_CURRENCY, isMeant } from "../state/address";
import { address, go } from "../state/app";
import { daysOf, type Look, periodOf } from "../state/look";
import * as as from "../ui/formats";
import { useSize } from "../ui/size";

const PERIOD_NAMES = {
  "4w": "Last 4 weeks",
  "13w": "Last 13 weeks",
  "52w": "Last 52 weeks",
  all: "All time",
  custom: "From … to …",
} as const;

/** What a filter can be set to. */
const choicesOf = oncePerShop((here) => {
  const sold = new Set(here.sales_order.design_id);
  return {
    departments: [...new Set([...here.people.values()].map(({ department }) => department))].sort(as.alphabetically),
    parties: [...here.parties].sort(([, one], [, other]) => as.alphabetically(one.name, other.name)),
    designs: [...here.designs]
      .filter(([id]) => sold.has(id))
      .sort(([a, one], [b, other]) => as.alphabetically(one, other) || a - b),
  };
});

/** What an address chooses and the shop of that moment does not have: it is said, for it hides every row. */
function Unknown({ chosen, among }: { chosen: string | number | null; among: readonly (string | number)[] }) {
  if (chosen === null || among.includes(chosen)) return null;
  return <option value={chosen}>{typeof chosen === "number" ? `#${chosen}` : chosen}, not known here</option>;
}

/** A currency as the address says it. */
function inAddress({ id, code }: Pick<Currency, "id" | "code">): string {
  return id === ALL ? EVERY_CURRENCY : code;
}

export function Filters({ look }: { look: Look }) {
  const at = address.value;
  const here = look.shop;
  const period = periodOf(here, at);
  const [from, to] = daysOf(here, at);
  const { departments, parties, designs } = choicesOf(here);
  const some = at.department !== null || at.counterparty !== null || at.design !== null;
  const key = (text: string) => (text === "" ? null : Number(text));
  const setPeriod = (chosen: keyof typeof PERIOD_NAMES) =>
    go(
      chosen === "custom"
        ? { period: chosen, from: isoDay(from), to: isoDay(to) }
        : { period: chosen, from: null, to: null },
    );
  const setDay = (name: "from" | "to", day: string) => {
    if (day === "" || isMeant(day, isoDay(here.firstDay))) go({ [name]: day || null });
  };
  const form = useRef<HTMLFormElement>(null);
  // What the keyboard goes to stays below them, on however many lines they are.
  useSize(form, ({ borderBoxSize: [box] }) => {
    document.documentElement.style.setProperty("--filters-height", `${box?.blockSize ?? 0}px`);
  });
  return (
    <form ref={form} class="filters" aria-label="Filters" onSubmit={(event) => event.preventDefault()}>
      <fieldset class="choice">
        <legend class="unseen">Currency</legend>
        {[...(here.reporting === null ? [] : [here.reporting]), ...here.currencies].map(({ id, code, name }) => (
          <label key={id} title={name}>
            <input
              type="radio"
              name="currency"
              checked={id === look.currency.id}
              onChange={() => go({ currency: inAddress({ id, code }) })}
            />
            <span>{id === ALL ? `All, in ${code}` : code}</span>
          </label>
        ))}
      </fieldset>
      {here.complete && at.currency !== null && at.currency !== inAddress(look.currency) ? (
        <span class="quiet">
          {at.currency === EVERY_CURRENCY ? "no exchange rates here" : `${as.brief(at.currency)}, not known here`}
        </span>
      ) : null}
      <label>
        <span class="unseen">Period</span>
        <select
          id="period"
          value={period}
          onChange={(event) => setPeriod(event.currentTarget.value as keyof typeof PERIOD_NAMES)}
        >
          {Object.entries(PERIOD_NAMES).map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {period === "custom" ? (
        <>
          <label>
            <span class="unseen">From</span>
            <input type="date" value={at.from ?? ""} onChange={(event) => setDay("from", event.currentTarget.value)} />
          </label>
          <label>
            <span class="unseen">To</span>
            <input type="date" value={at.to ?? ""} onChange={(event) => setDay("to", event.currentTarget.value)} />
          </label>
        </>
      ) : null}
      <label>
        <span class="unseen">Department</span>
        <select
          id="department"
          value={at.department ?? ""}
          onChange={(event) => go({ department: event.currentTarget.value || null })}
        >
          <option value="">Every department</option>
          <Unknown chosen={at.department} among={departments} />
          {departments.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span class="unseen">Counterparty</span>
        <select
          id="counterparty"
          value={at.counterparty ?? ""}
          onChange={(event) => go({ counterparty: key(event.currentTarget.value) })}
        >
          <option value="">Every counterparty</option>
          <Unknown chosen={at.counterparty} among={parties.map(([id]) => id)} />
          {parties.map(([id, { name }]) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span class="unseen">Design</span>
        <select
          id="design"
          value={at.design ?? ""}
          onChange={(event) => go({ design: key(event.currentTarget.value) })}
        >
          <option value="">Every design</option>
          <Unknown chosen={at.design} among={designs.map(([id]) => id)} />
          {designs.map(([id, name]) => (
            <option key={id} value={id}>
              {name} #{id}
            </option>
          ))}
        </select>
      </label>
      {some ? (
        <button type="button" class="quiet" onClick={() => go({ department: null, counterparty: null, design: null })}>
          Clear
        </button>
      ) : null}
      <p class="quiet days">
        {as.day(from)} – {as.day(to)}
      </p>
    </form>
  );
}
