/** Whether the page is being printed: what is drawn as it is scrolled to has to be there at once. */

import { signal } from "@preact/signals";

export const printing = signal(false);

window.addEventListener("beforeprint", () => {
  printing.value = true;
});
window.addEventListener("afterprint", () => {
  printing.value = false;
});
