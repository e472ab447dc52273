/** The top of the page: whose shop, as of when, and what a person must know first. */

import { useEffect, useState } from "preact/hooks";
import { dayOf } from "../figures/days";
import { address, go, latest, momentsOf, now, past, refresh, shop, trouble } from "../state/app";
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
        <h1 tabIndex={-1}>
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
            </button>{" "}
            {as.zone(captured)}
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
    const checked = Date.parse(checked_at);
    if (failed !== null) {
      lines.push({
        id: "failed",
        text: `The last run failed at ${failed.step}, ${as.moment(Date.parse(failed.at))}. These are the last good numbers.`,
      });
    }
    if (now.value - checked > STALE) {
      const why = wrong === null ? "has been published" : "could be read";
      // A moment and no age: a screen reader says the text whenever it changes.
      lines.push({ id: "stale", text: `These numbers are of ${as.moment(checked)}: nothing newer ${why}.` });
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
    let left = false;
    momentsOf(near).then(
      (found) => left || setMoments([...found].reverse()),
      (error: Error) => left || setMoments(error.message),
    );
    return () => {
      left = true; // another day is chosen: what comes of this one is too late
    };
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
      {day === "" ? (
        <p>Choose a day.</p>
      ) : near === undefined ? (
        <p>{first === "" ? "Nothing has been published." : `The first snapshot is of ${as.day(dayOf(first))}.`}</p>
      ) : near === day ? null : (
        <p class="quiet">{`Nothing was published that day; the last day before is ${as.day(dayOf(near))}.`}</p>
      )}
      {typeof moments === "string" ? <p>{moments}</p> : null}
      {moments === null && near !== undefined ? <p class="quiet">Reading the moments…</p> : null}
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
