/** A map of the world with a disc for each country, its area as large as the number. */

import { useState } from "preact/hooks";
import { folded } from "./country";
import { brief, count } from "./formats";
import world from "./world.json";

export interface Spot {
  readonly country: string;
  readonly value: number;
  readonly text: string;
  readonly open: () => void;
}

const LARGEST = 34;
/** So many countries that are not on the map are named below it; the table has all. */
const NAMED = 8;
const places = new Map<string, readonly [number, number]>();
for (const [names, at] of Object.entries(world.places)) {
  for (const name of names.split("|")) places.set(name, [at[0] as number, at[1] as number]);
}

/** Where a country's middle is on the map; null where the name is of none. */
export function placeOf(country: string): readonly [number, number] | null {
  return places.get(folded(country)) ?? places.get(folded(country.replace(/\(.*?\)/g, ""))) ?? null;
}

export function WorldMap({ spots, label }: { spots: readonly Spot[]; label: string }) {
  const [at, setAt] = useState<string | null>(null);
  const most = Math.max(1, ...spots.map(({ value }) => value));
  const shown = spots.flatMap((spot) => {
    const place = placeOf(spot.country);
    return place === null
      ? []
      : [{ ...spot, place, radius: Math.max(3, LARGEST * Math.sqrt(Math.max(0, spot.value) / most)) }];
  });
  const lost = spots.filter(({ country }) => placeOf(country) === null);
  const said = shown.find(({ country }) => country === at);
  return (
    <div class="chart">
      <p class="readout" aria-hidden="true">
        {said === undefined ? null : (
          <>
            <b>
              <bdi>{said.country}</bdi>
            </b>
            <span>{said.text}</span>
          </>
        )}
      </p>
      <svg class="map" viewBox={`0 0 ${world.width} ${world.height}`} role="img" aria-label={label}>
        <path class="land" d={world.outline} />
        {shown.map((spot) => (
          // biome-ignore lint/a11y/noStaticElementInteractions: the list beside the map does the same by keyboard
          <circle
            key={spot.country}
            class={spot.country === at ? "spot chosen" : "spot"}
            cx={spot.place[0]}
            cy={spot.place[1]}
            r={spot.radius}
            onPointerEnter={() => setAt(spot.country)}
            onPointerLeave={() => setAt(null)}
            onClick={spot.open}
          />
        ))}
      </svg>
      {lost.length === 0 ? null : (
        <p class="rest">
          Not on the map:{" "}
          <bdi>
            {lost
              .slice(0, NAMED)
              .map(({ country }) => brief(country))
              .join(", ")}
          </bdi>
          {lost.length > NAMED ? `, and ${count(lost.length - NAMED)} more` : null}
        </p>
      )}
    </div>
  );
}
