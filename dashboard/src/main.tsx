/** The page: reads where the data is, and shows it. */

import { render } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Session } from "./data/sign-in";
import { type Config, PATIENCE, plainFetch, Source } from "./data/source";
import { NOWHERE } from "./state/address";
import { go, listen, look, refresh, shop, start, trouble } from "./state/app";
import { ErrorBoundary } from "./ui/error-boundary";
import { applyTheme } from "./ui/theme";
import { Answer } from "./views/answer";
import { Deliveries, LeadTimes } from "./views/deliveries";
import { Drawer } from "./views/drawer";
import { Filters } from "./views/filters";
import { DueByAge, PaymentTimes } from "./views/money";
import { PurchasesAgainstSales, Suppliers } from "./views/purchases";
import { Drift, Lag, Quarantine, Trust } from "./views/quality";
import { Counterparties, Departments, Designs, SalesOverTime, Staff } from "./views/sales";
import { SignIn } from "./views/sign-in";
import { Banners, Top } from "./views/top";

function App({ name, session }: { name: string; session: Session | null }) {
  const [signedIn, setSignedIn] = useState(session === null || session.signedIn);
  const wrong = trouble.value;
  const ended = signedIn && wrong?.kind === "signed-out" ? wrong.text : null;
  const out = session !== null && (!signedIn || ended !== null);
  const before = useRef(out);
  // What had the focus is gone with the page, or with the form. Who has just come is left where they are.
  useLayoutEffect(() => {
    if (before.current !== out) document.querySelector<HTMLElement>(out ? ".sign-in h2" : "h1")?.focus();
    before.current = out;
  }, [out]);
  const signOut = () => {
    session?.signOut();
    location.reload(); // nothing of the data stays in memory
  };
  if (out && session !== null) {
    const enter = () => {
      trouble.value = null;
      setSignedIn(true);
      void refresh();
    };
    return (
      <main>
        <header class="top">
          <h1>
            <bdi>{name}</bdi>
          </h1>
        </header>
        <SignIn session={session} ended={ended} onIn={enter} />
      </main>
    );
  }
  return (
    <>
      <Top name={name} signOut={session === null ? null : signOut} />
      <Banners />
      <main>
        <ErrorBoundary of={look.value} instead={Broken}>
          <Content />
        </ErrorBoundary>
      </main>
      <Drawer />
    </>
  );
}

function Broken(text: string) {
  return (
    <div class="state" id="state-broken">
      <h2>These numbers cannot be shown</h2>
      <p>{text}</p>
      <p class="quiet">That is a mistake of this page. The next snapshot, or another filter, may do without it.</p>
      <button type="button" onClick={() => go(NOWHERE)}>
        Without filters
      </button>
    </div>
  );
}

/** Why there is nothing to show, for each kind of trouble; who is signed out is asked to sign in instead. */
const NOTHING = {
  empty: ["Nothing has been published yet", "The first run of the pipeline fills this page. It looks again by itself."],
  format: [
    "This page is too old, or too new, for the data",
    "Load it again. If that does not help, page and publisher are of different versions.",
  ],
  missing: [
    "The snapshot is not whole",
    "Nothing is shown, for it would be wrong. The next run publishes what is missing.",
  ],
  unreachable: ["The data cannot be reached", "The page looks again by itself."],
  "too-old": ["There is no snapshot that old", "Choose a later moment."],
} as const;

function Reading() {
  return (
    <p class="state" aria-live="polite">
      Reading the earlier months…
    </p>
  );
}

function Content() {
  const wrong = trouble.value;
  const here = look.value;
  if (shop.value === null) {
    if (wrong === null || wrong.kind === "signed-out") return <p class="state">Loading…</p>;
    const [title, advice] = NOTHING[wrong.kind];
    return (
      <div class="state" id={`state-${wrong.kind}`}>
        <h2>{title}</h2>
        <p>{wrong.text}</p>
        <p class="quiet">{advice}</p>
        <button type="button" onClick={() => void refresh()}>
          Try again
        </button>
      </div>
    );
  }
  const { complete } = shop.value;
  const reading = wrong === null ? <Reading /> : null;
  if (here === null && !complete) return reading;
  if (here === null) {
    return (
      <div class="state" id="state-no-orders">
        <h2>The shop has no orders yet</h2>
        <p class="quiet">They appear here within minutes of the first.</p>
      </div>
    );
  }
  return (
    <>
      <Filters look={here} />
      <Answer look={here} />
      {complete ? (
        <div class="figures" id="figures">
          <h2>Sales</h2>
          <SalesOverTime look={here} />
          <Designs look={here} />
          <Counterparties look={here} />
          <Departments look={here} />
          <Staff look={here} />
          <h2>Deliveries</h2>
          <Deliveries look={here} />
          <LeadTimes look={here} />
          <h2>Money due</h2>
          <DueByAge look={here} direction="in" />
          <DueByAge look={here} direction="out" />
          <PaymentTimes look={here} />
          <h2>Purchases</h2>
          <PurchasesAgainstSales look={here} />
          <Suppliers look={here} />
          <h2>Can this be trusted?</h2>
          <Trust look={here} />
          <Lag look={here} />
          <Quarantine look={here} />
          <Drift look={here} />
        </div>
      ) : (
        reading
      )}
    </>
  );
}

/** How long the page waits, in milliseconds, before it asks again where the data is: at first, and at most. */
const [FIRST_PAUSE, LONGEST_PAUSE] = [5_000, 60_000];

/** What config.json says: where the data is. Asked for until it comes; meanwhile `waiting` is told why it does not. */
async function configured(waiting: (why: string) => void): Promise<Config> {
  for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    try {
      const signal = AbortSignal.timeout(PATIENCE);
      const response = await fetch(new URL("config.json", document.baseURI), { cache: "no-cache", signal });
      if (response.ok) return (await response.json()) as Config;
      waiting(
        response.status === 404
          ? "config.json is missing beside this page: it says where the data is."
          : `The server answers ${response.status} for config.json, which says where the data is.`,
      );
    } catch (error) {
      waiting(
        error instanceof SyntaxError
          ? "config.json beside this page, which says where the data is, is no JSON."
          : "The server of this page does not answer.",
      );
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

async function begin(root: HTMLElement): Promise<void> {
  applyTheme();
  root.querySelector(".unloaded")?.remove();
  const config = await configured((why) => {
    root.textContent = `${why} The page looks again by itself.`;
  });
  const session = config.data.kind === "s3" ? new (await import("./data/sign-in")).Session(config.data) : null;
  const fetching = config.data.kind === "plain" ? plainFetch(config.data) : (session as Session).fetch;
  const name = config.shop ?? "The shop";
  document.title = name;
  root.replaceChildren();
  listen();
  start(new Source(fetching));
  render(<App name={name} session={session} />, root);
}

const root = document.getElementById("page") as HTMLElement;
begin(root).catch((error: unknown) => {
  console.error(error);
  const why = error instanceof Error ? error.message : error;
  root.textContent = `This page could not begin. Load it again; if that does not help, this is why: ${why}`;
});
