/** The top of the page: whose shop, as of when, the filters, and what a person must know first. */

import { useEffect, useState } from "preact/hooks";
import { dayOf, isoDay } from "../figures/days";
import { ALL } from "../figures/rates";
import { oncePerShop } from "../figures/shop";
import { address, go, latest, momentsOf, now, past, refresh, shop, trouble } from "../state/app";
import { daysOf, type Look, periodOf } from "../state/look";
import { Dialog } from "../ui/dialog";
import * as as from "../ui/formats";
import { nextTheme, theme } from "../ui/theme";

/** A page that has not been checked for so long is stale, in milliseconds. */
const STALE = 15 * 60_000;

export function Top({ name, signOut }: { name: string; signOut: (() => void) | null }) {
  const [choosing, setChoosing] = useState(false);
  const here = shop.value;
  const captured = here === null ? null : Date.parse(here.manifest.captured_at);
  return (
    <header class="top">
      <div>
        <h1>
          <bdi>{name}</bdi>
        </h1>
        {captured === null ? null : (
          <p class="quiet">
            As of{" "}
            <button
              type="button"
              class="number-link"
              onClick={() => setChoosing(true)}
              aria-haspopup="dialog"
              id="as-of"
            >
              {as.moment(captured)}
            </button>
            {past.value ? null : <Checked />}
          </p>
        )}
      </div>
      <div class="buttons">
        <button type="button" class="quiet" onClick={nextTheme} aria-label={`Colours: ${theme.value}`}>
          <svg class="theme" viewBox="0 0 12 12" aria-hidden="true">
            <circle cx="6" cy="6" r="5" />
            <path d="M6 1a5 5 0 0 1 0 10z" />
          </svg>
          {{ auto: "Auto", light: "Light", dark: "Dark" }[theme.value]}
        </button>
        <button type="button" class="quiet" onClick={() => print()}>
          Print
        </button>
        {signOut === null ? null : (
          <button type="button" class="quiet" onClick={signOut}>
            Sign out
          </button>
        )}
      </div>
      {choosing ? <AsOf onClose={() => setChoosing(false)} /> : null}
    </header>
  );
}

function Checked() {
  const status = latest.value?.status;
  if (status === undefined) return null;
  const { verified } = status;
  const said =
    verified === null
      ? "not compared with the source yet"
      : verified.equal
        ? `equal to the source ${as.span(now.value - Date.parse(verified.at))} ago`
        : `${as.counted(verified.differences, "difference")} from the source ${as.span(now.value - Date.parse(verified.at))} ago`;
  return <span>{` · checked ${as.span(now.value - Date.parse(status.checked_at))} ago · ${said}`}</span>;
}

export function Banners() {
  const newest = latest.value;
  const here = shop.value;
  const lines: { id: string; text: string; act?: [string, () => void] }[] = [];
  const wrong = trouble.value;
  if (past.value && here !== null) {
    lines.push({
      id: "as-of-banner",
      text: `This is the shop as it was on ${as.moment(Date.parse(here.manifest.captured_at))}.`,
      // Who goes there already waits, or is told of the trouble.
      ...(address.value.asof === null ? {} : { act: ["Back to now", () => go({ asof: null })] }),
    });
  }
  if (newest !== null && !past.value) {
    const { failed, checked_at, verified } = newest.status;
    const age = now.value - Date.parse(checked_at);
    if (failed !== null) {
      lines.push({
        id: "failed",
        text: `The last run failed at ${failed.step}, ${as.moment(Date.parse(failed.at))}. These are the last good numbers.`,
      });
    }
    if (age > STALE) {
      const why = wrong === null ? "has been published" : "could be read";
      lines.push({ id: "stale", text: `These numbers are ${as.span(age)} old: nothing newer ${why}.` });
    }
    if (verified !== null && !verified.equal) {
      lines.push({
        id: "unequal",
        text: `${as.counted(verified.differences, "row")} of the warehouse ${verified.differences === 1 ? "differs" : "differ"} from the source, compared ${as.moment(Date.parse(verified.at))}.`,
      });
    }
  }
  if (wrong !== null && here !== null && wrong.kind !== "signed-out") {
    const text = {
      unreachable: `${wrong.text} What you see stays as it is.`,
      missing: `What was to be shown is not whole. ${wrong.text} What you see stays as it is.`,
      format: `${wrong.text} Load this page again.`,
      empty: `${wrong.text} What you see is what was there.`,
      "too-old": wrong.text,
    }[wrong.kind];
    lines.push({ id: `trouble-${wrong.kind}`, text, act: ["Try again", () => void refresh()] });
  }
  return (
    <div class="banners" role="status">
      {lines.map(({ id, text, act }) => (
        <p key={id} id={id} class="banner">
          <span>{text}</span>
          {act === undefined ? null : (
            <button type="button" onClick={act[1]}>
              {act[0]}
            </button>
          )}
        </p>
      ))}
    </div>
  );
}

/** A day and, of that day, a moment. */
function AsOf({ onClose }: { onClose: () => void }) {
  const days = latest.value?.days ?? [];
  const first = days[0] ?? "";
  const last = days.at(-1) ?? "";
  const shownDay = shop.value === null ? last : shop.value.manifest.captured_at.slice(0, 10);
  const [day, setDay] = useState(shownDay);
  const [moments, setMoments] = useState<readonly { captured_at: string; batch: number }[] | string | null>(null);
  const near = days.filter((other) => other <= day).at(-1);
  useEffect(() => {
    setMoments(null);
    if (near === undefined) return;
    momentsOf(near).then(
      (found) => setMoments([...found].reverse()),
      (error: Error) => setMoments(error.message),
    );
  }, [near]);
  const choose = (asof: string | null) => {
    onClose();
    go({ asof });
  };
  return (
    <Dialog class="box" label="Choose a moment" onClose={onClose}>
      <div class="title">
        <h2 tabIndex={-1}>As of when?</h2>
        <button type="button" class="quiet close" onClick={onClose} aria-label="Close">
          ×
        </button>
      </div>
      <label>
        Day (UTC)
        <input type="date" min={first} max={last} value={day} onInput={(event) => setDay(event.currentTarget.value)} />
      </label>
      {near === undefined ? (
        <p>{first === "" ? "Nothing has been published." : `The first snapshot is of ${as.day(dayOf(first))}.`}</p>
      ) : near === day ? null : (
        <p class="quiet">{`Nothing was published that day; the last day before is ${as.day(dayOf(near))}.`}</p>
      )}
      {typeof moments === "string" ? <p>{moments}</p> : null}
      {Array.isArray(moments) ? (
        <ul class="moments">
          {(moments as readonly { captured_at: string; batch: number }[]).map(({ captured_at, batch }) => (
            <li key={batch}>
              <button type="button" onClick={() => choose(captured_at)}>
                {as.moment(Date.parse(captured_at))} <span class="quiet">batch {as.count(batch)}</span>
              </button>
            </li>
          ))}
        </ul>
      ) : null}
      <p>
        <button type="button" onClick={() => choose(null)}>
          Now
        </button>
      </p>
    </Dialog>
  );
}

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
    departments: [...new Set([...here.people.values()].map(({ department }) => department))].sort(),
    parties: [...here.parties].sort(([, one], [, other]) => one.name.localeCompare(other.name)),
    designs: [...here.designs]
      .filter(([id]) => sold.has(id))
      .sort(([a, one], [b, other]) => one.localeCompare(other) || a - b),
  };
});

/** What an address chooses and the shop of that moment does not have: it is said, for it hides every row. */
function Unknown({ chosen, among }: { chosen: string | number | null; among: readonly (string | number)[] }) {
  if (chosen === null || among.includes(chosen)) return null;
  return <option value={chosen}>{typeof chosen === "number" ? `#${chosen}` : chosen}, not known here</option>;
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
  return (
    <form class="filters" aria-label="Filters" onSubmit={(event) => event.preventDefault()}>
      <fieldset class="choice">
        <legend class="unseen">Currency</legend>
        {[...(here.reporting === null ? [] : [here.reporting]), ...here.currencies].map(({ id, code, name }) => (
          <label key={id} title={name}>
            <input
              type="radio"
              name="currency"
              checked={id === look.currency.id}
              onChange={() => go({ currency: id === ALL ? "all" : code })}
            />
            <span>{id === ALL ? `All, in ${code}` : code}</span>
          </label>
        ))}
      </fieldset>
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
            <input
              type="date"
              value={at.from ?? ""}
              max={at.to ?? ""}
              onChange={(event) => go({ from: event.currentTarget.value || null })}
            />
          </label>
          <label>
            <span class="unseen">To</span>
            <input
              type="date"
              value={at.to ?? ""}
              min={at.from ?? ""}
              onChange={(event) => go({ to: event.currentTarget.value || null })}
            />
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
