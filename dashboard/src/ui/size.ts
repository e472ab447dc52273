/** The size of an element, as it is shown. */

import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";

/** Say an element's size when it is shown, and whenever that has changed. */
export function useSize(ref: RefObject<Element | null>, say: (entry: ResizeObserverEntry) => void): void {
  useEffect(() => {
    const element = ref.current;
    if (element === null) return;
    const observer = new ResizeObserver((entries) => entries.forEach(say));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
}
