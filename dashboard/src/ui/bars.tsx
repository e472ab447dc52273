/** A list of bars, the longest first: a name, a bar, a number. Each row opens what it is made of. */

export interface Bar {
  readonly key: string | number;
  readonly name: string;
  readonly value: number;
  readonly text: string;
  /** A word more, in grey. */
  readonly aside?: string;
  readonly tone?: "accent" | "pale" | "late";
  readonly open?: () => void;
}

export function Bars({ bars, rest }: { bars: readonly Bar[]; rest?: string | null }) {
  const most = Math.max(1, ...bars.map(({ value }) => value));
  return (
    <div>
      <ul class="bars">
        {bars.map((bar) => {
          const inside = (
            <>
              <span class="name">
                <bdi>{bar.name}</bdi>
              </span>
              <span class="track">
                <span
                  class={`bar ${bar.tone ?? "accent"}`}
                  style={{ width: `${(100 * Math.max(0, bar.value)) / most}%`, minWidth: bar.value > 0 ? "1px" : "0" }}
                />
              </span>
              <span class="value">{bar.text}</span>
              <span class="aside">{bar.aside ?? ""}</span>
            </>
          );
          return (
            <li key={bar.key}>
              {bar.open === undefined ? (
                <span class="row">{inside}</span>
              ) : (
                <button type="button" class="row" onClick={bar.open}>
                  {inside}
                </button>
              )}
            </li>
          );
        })}
      </ul>
      {rest ? <p class="rest">{rest}</p> : null}
    </div>
  );
}
