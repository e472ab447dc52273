/** What a number is made of: its rows, a row with its versions, a version's batch. */

import { useLayoutEffect, useRef } from "preact/hooks";
import { keysOf, type Shop } from "../figures/shop";
import { back, closeAll, look, type Page, pages, refresh, trouble } from "../state/app";
import { Dialog } from "../ui/dialog";
import { BatchPage } from "./batch";
import { FACTS } from "./facts";
import { RowsPage } from "./rows";
import { RowPage } from "./versions";

export function Drawer() {
  const page = pages.value.at(-1);
  const here = look.value;
  const heading = useRef<HTMLHeadingElement>(null);
  // What had the focus went with the page before; a list that is gone back to has given it to the row that was opened.
  useLayoutEffect(() => {
    if (document.activeElement?.closest(".item") == null) heading.current?.focus();
  }, [page]);
  if (page === undefined || here === null) return null;
  return (
    <Dialog class="drawer" label={titleOf(page)} onClose={closeAll}>
      <div class="title">
        {pages.value.length > 1 ? (
          <button type="button" class="quiet" onClick={back}>
            ‹ Back
          </button>
        ) : null}
        <h2 ref={heading} tabIndex={-1}>
          <bdi>{titleOf(page)}</bdi>
        </h2>
        <button type="button" class="quiet close" onClick={closeAll} aria-label="Close">
          ×
        </button>
      </div>
      {page.kind === "rows" ? (
        <RowsPage key={pages.value.length} look={here} drill={page} />
      ) : !isHere(here.shop, page) ? (
        <Unread />
      ) : page.kind === "row" ? (
        <RowPage key={`${page.fact}-${page.key}`} look={here} fact={page.fact} id={page.key} />
      ) : (
        <BatchPage shop={here.shop} batch={page.batch} />
      )}
    </Dialog>
  );
}

/** Whether what a page shows is here already: the newest rows are before the earlier months, and no batch is. */
function isHere(shop: Shop, page: Page): boolean {
  return shop.complete || (page.kind === "row" && keysOf(shop, page.fact).includes(page.key));
}

/** What is not here yet may be there. The banner that says what is wrong lies below the drawer. */
function Unread() {
  const wrong = trouble.value;
  if (wrong === null) return <p class="summary">Reading the earlier months…</p>;
  return (
    <p class="summary">
      <span>{wrong.text}</span>
      <button type="button" onClick={() => void refresh()}>
        Try again
      </button>
    </p>
  );
}

function titleOf(page: Page): string {
  if (page.kind === "rows") return page.title;
  if (page.kind === "row") return `${FACTS[page.fact].one} ${page.key}`;
  return `Batch ${page.batch}`;
}
