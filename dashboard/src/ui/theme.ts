/** Light or dark: as the machine is set, or as the reader says. */

import { signal } from "@preact/signals";

const KEPT = "totes.theme";
const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

function kept(): Theme {
  try {
    return THEMES.find((each) => each === localStorage.getItem(KEPT)) ?? "auto";
  } catch {
    return "auto";
  }
}

export const theme = signal<Theme>(kept());

export function applyTheme(): void {
  document.documentElement.dataset.theme = theme.value;
}

export function nextTheme(): void {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? "auto";
  try {
    localStorage.setItem(KEPT, theme.value);
  } catch {
    // a browser that keeps nothing
  }
  applyTheme();
}
