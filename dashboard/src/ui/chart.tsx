/** A chart of numbers over time: columns and lines over a common axis, by mouse, touch or arrow keys. */

import { useRef, useState } from "preact/hooks";
import type { Stretches } from "../figures/days";
import { shortStretch, stretch } from "./formats";
import { useSize } from "./size";

export interface Series {
  readonly name: string;
  readonly mark: "column" | "line";
  /** How it looks: `style.css` knows these. */
  readonly tone: "accent" | "ink" | "pale";
  readonly values: readonly (number | null)[];
  /** The place of the one column that stands out; the others are pale. */
  readonly chosen?: number;
}
export interface ChartProps {
  readonly label: string;
  readonly buckets: Stretches;
  readonly series: readonly Series[];
  /** A number on the axis. */
  readonly tick: (value: number) => string;
  /** A number in the line that follows the pointer. */
  readonly full: (value: number) => string;
  readonly height?: number;
  readonly open?: (place: number) => void;
  /** What a place is called, where it is no stretch of the buckets. */
  readonly nameOf?: (place: number) => string;
  /** A level to compare with. */
  readonly level?: number | null;
  readonly legend?: boolean;
  /** Whether there is nothing between one number and the next. */
  readonly whole?: boolean;
}

const RIGHT = 6;
const TOP = 10;
const BOTTOM = 22;
/** So many pixels a character on an axis takes, at most. */
const CHARACTER = 6.4;
/** So many pixels a label on the axis of time needs. */
const LABEL = 66;

/** The width of an element as it is now, in pixels. */
export function useWidth<E extends Element>(start: number) {
  const ref = useRef<E>(null);
  const [width, setWidth] = useState(start);
  useSize(ref, ({ contentRect }) => {
    const measured = Math.round(contentRect.width);
    if (measured > 0) setWidth(measured);
  });
  return [ref, width] as const;
}

/** Round numbers from 0 or below to the greatest or above, three or four of them. */
export function ticksOf(least: number, most: number, whole = false, about = 3): number[] {
  if (most <= least) return [least];
  const raw = Math.max((most - least) / about, whole ? 1 : 0);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ((whole ? [1, 2, 5, 10] : [1, 2, 2.5, 5, 10]).find((factor) => factor * power >= raw) ?? 10) * power;
  const ticks = [];
  for (let value = Math.floor(least / step) * step; value < most + step; value += step) ticks.push(value);
  return ticks;
}

export function Chart(props: ChartProps) {
  const { label, buckets, series, tick, full, open, level, height = 190, legend = series.length > 1 } = props;
  const [ref, width] = useWidth<HTMLDivElement>(560);
  const [at, setAt] = useState<number | null>(null);
  const places = buckets.starts.length;
  const values = series.flatMap((each) => each.values.filter((value): value is number => value !== null));
  if (typeof level === "number") values.push(level);
  const ticks = ticksOf(Math.min(0, ...values), Math.max(0, ...values), props.whole);
  const least = ticks[0] ?? 0;
  const most = Math.max(least + 1, ticks.at(-1) ?? 1);
  const left = 12 + CHARACTER * Math.max(6, ...ticks.map((value) => tick(value).length));
  const inner = Math.max(1, width - left - RIGHT);
  const step = inner / Math.max(1, places);
  const x = (place: number) => left + step * place;
  const y = (value: number) => TOP + (height - TOP - BOTTOM) * (1 - (value - least) / (most - least));
  const nameOf =
    props.nameOf ??
    ((place: number) => stretch(buckets.unit, buckets.starts[place] ?? 0, buckets.starts[place + 1] ?? buckets.end));
  const said = at === null || at >= places ? null : at;
  const every = Math.max(1, Math.ceil(LABEL / step));

  const placeOf = (event: MouseEvent) => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    return Math.min(places - 1, Math.max(0, Math.floor((event.clientX - box.left - left) / step)));
  };
  const onKey = (event: KeyboardEvent) => {
    const last = places - 1;
    const moves: Record<string, number> = {
      ArrowRight: Math.min(last, (said ?? -1) + 1),
      ArrowLeft: Math.max(0, (said ?? places) - 1),
      Home: 0,
      End: last,
    };
    const to = moves[event.key];
    if (to !== undefined) {
      event.preventDefault();
      setAt(to);
    } else if (event.key === "Enter" && said !== null) {
      event.preventDefault(); // or the key presses what has the focus in the dialog that it opens
      open?.(said);
    }
  };

  const columns = series.filter(({ mark }) => mark === "column");
  const gap = Math.min(8, step * 0.28);
  const barWidth = Math.max(1, (step - gap) / Math.max(1, columns.length));
  return (
    <div ref={ref} class="chart">
      <p class="readout" aria-live="polite">
        {said === null
          ? legend
            ? series.map((each) => (
                <span key={each.name} class={`key ${each.tone} ${each.mark}`}>
                  {each.name}
                </span>
              ))
            : null
          : [
              <b key="name">{nameOf(said)}</b>,
              ...series.map((each) => {
                const value = each.values[said];
                return (
                  <span key={each.name} class={legend ? `key ${each.tone} ${each.mark}` : ""}>
                    {legend ? `${each.name} ` : ""}
                    {value === null || value === undefined ? "–" : full(value)}
                  </span>
                );
              }),
            ]}
      </p>
      <div
        tabIndex={0}
        role="group"
        aria-label={`${label} Arrow keys move along it${open === undefined ? "" : ", Enter opens the rows"}.`}
        onKeyDown={onKey}
        onBlur={() => setAt(null)}
        class={open === undefined ? "plot" : "plot opens"}
        onPointerDown={(event) => setAt(placeOf(event))}
        onPointerMove={(event) => setAt(placeOf(event))}
        // A finger leaves whenever it is lifted, and what it has pointed at is to be read then.
        onPointerLeave={(event) => event.pointerType === "touch" || setAt(null)}
        onClick={(event) => open?.(placeOf(event))}
      >
        <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
          {ticks.map((value) => (
            <g key={value}>
              <line class={value === 0 ? "zero" : "grid"} x1={left} x2={width - RIGHT} y1={y(value)} y2={y(value)} />
              <text class="tick" x={left - 8} y={y(value)} dy="0.32em" text-anchor="end">
                {tick(value)}
              </text>
            </g>
          ))}
          {said === null ? null : (
            <rect class="cursor" x={x(said)} y={TOP} width={step} height={height - TOP - BOTTOM} />
          )}
          {columns.map((each, order) => (
            <g key={each.name} class={`columns ${each.tone}`}>
              {each.values.map((value, place) =>
                value === null ? null : (
                  <rect
                    key={place}
                    class={each.chosen === undefined || each.chosen === place ? "" : "pale"}
                    x={x(place) + gap / 2 + order * barWidth}
                    width={barWidth}
                    y={Math.min(y(0), y(value))}
                    height={Math.max(value === 0 ? 0 : 1, Math.abs(y(value) - y(0)))}
                    rx={Math.min(1.5, barWidth / 4)}
                  />
                ),
              )}
            </g>
          ))}
          {typeof level === "number" ? (
            <line class="level" x1={left} x2={width - RIGHT} y1={y(level)} y2={y(level)} />
          ) : null}
          {series
            .filter(({ mark }) => mark === "line")
            .map((each) => (
              <g key={each.name} class={`line ${each.tone}`}>
                <path d={lineOf(each.values, (place) => x(place) + step / 2, y)} />
                {each.values.map((value, place) =>
                  value !== null && isAlone(each.values, place) ? (
                    <circle key={place} cx={x(place) + step / 2} cy={y(value)} r={3} />
                  ) : null,
                )}
                {said !== null && typeof each.values[said] === "number" ? (
                  <circle cx={x(said) + step / 2} cy={y(each.values[said] as number)} r={3.5} />
                ) : null}
              </g>
            ))}
          {buckets.starts.map((start, place) =>
            (places - 1 - place) % every === 0 && x(place) + step / 2 > left + 12 ? (
              <text
                key={start}
                class="tick"
                x={Math.min(x(place) + step / 2, width - 18)}
                y={height - 6}
                text-anchor="middle"
              >
                {shortStretch(buckets.unit, start)}
              </text>
            ) : null,
          )}
        </svg>
      </div>
    </div>
  );
}

/** Whether a value has no neighbour that a line could go to. */
function isAlone(values: readonly (number | null)[], place: number): boolean {
  return typeof values[place - 1] !== "number" && typeof values[place + 1] !== "number";
}

/** A path through the values that are there; where one is missing, it breaks off. */
function lineOf(
  values: readonly (number | null)[],
  x: (place: number) => number,
  y: (value: number) => number,
): string {
  let path = "";
  let drawn = false;
  values.forEach((value, place) => {
    if (value !== null) path += `${drawn ? "L" : "M"}${x(place).toFixed(1)} ${y(value).toFixed(1)}`;
    drawn = value !== null;
  });
  return path;
}
