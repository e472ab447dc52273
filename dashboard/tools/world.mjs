// Writes src/ui/world.json: the land's outline, and where each country's middle is, both on one projection.
// Outline and middles come from Natural Earth (public domain, by world-atlas), names from i18n-iso-countries (MIT).
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { geoArea, geoCentroid, geoNaturalEarth1, geoPath } from "d3-geo";
import countries from "i18n-iso-countries";
import { feature } from "topojson-client";
import { folded } from "../src/ui/country.ts";

const require = createRequire(import.meta.url);
const read = (path) => JSON.parse(readFileSync(require.resolve(path), "utf8"));
const WIDTH = 960;
const HEIGHT = 440;
const SMALLEST = 0.00006; // steradians: smaller islands are less than a pixel

// A middle of the largest piece, so that France lies in Europe.
const land = read("world-atlas/land-110m.json");
const small = read("world-atlas/countries-50m.json");
const names = read("i18n-iso-countries/langs/en.json").countries;

// Where what people and generators of names write is neither in ISO 3166 nor in CLDR.
const ALIASES = {
  VA: ["Holy See", "Vatican City State"],
  LY: ["Libyan Arab Jamahiriya"],
  MK: ["Macedonia", "The former Yugoslav Republic of Macedonia"],
  SZ: ["Swaziland"],
  FM: ["Micronesia"],
  MO: ["Macao", "Macau"],
  AN: ["Netherlands Antilles"],
  PS: ["Palestinian Territory"],
  SH: ["Saint Helena"],
  SJ: ["Svalbard & Jan Mayen Islands"],
  TR: ["Turkey", "Türkiye"],
  GB: [
    "UK",
    "Great Britain",
    "England",
    "Scotland",
    "Wales",
    "Northern Ireland",
    "United Kingdom of Great Britain and Northern Ireland",
  ],
  US: ["USA", "United States"],
  UM: ["United States Minor Outlying Islands"],
  VG: ["Virgin Islands, British"],
  VI: ["Virgin Islands, U.S."],
  CV: ["Cabo Verde"],
  KR: ["South Korea"],
  KP: ["North Korea", "Democratic People's Republic of Korea"],
  KG: ["Kyrgyz Republic"],
  LA: ["Laos"],
  VN: ["Viet Nam"],
  PN: ["Pitcairn Islands"],
  NL: ["Holland"],
  CG: ["Congo", "Congo-Brazzaville"],
  CD: ["DR Congo", "Congo-Kinshasa"],
  TL: ["East Timor"],
  MM: ["Burma"],
  CZ: ["Czechia"],
  AX: ["Åland Islands"],
};
// Not in Natural Earth's countries at this scale, or not a country of its own there.
const PLACES = {
  AX: [20, 60.2],
  BQ: [-68.3, 12.2],
  BV: [3.4, -54.4],
  CC: [96.8, -12.2],
  CX: [105.7, -10.5],
  GF: [-53, 4],
  GI: [-5.3, 36.1],
  GP: [-61.5, 16.2],
  MQ: [-61, 14.7],
  RE: [55.5, -21.1],
  SJ: [18, 78.5],
  TK: [-171.8, -9.2],
  TV: [179.2, -8.5],
  UM: [166.6, 19.3],
  YT: [45.2, -12.8],
  AN: [-68.9, 12.2],
};

const projection = geoNaturalEarth1().rotate([-11, 0]); // so that no land but the Antarctic is cut
projection.fitSize([WIDTH, HEIGHT * 1.16], { type: "Sphere" });
const at = (point) => projection(point).map(Math.round);

const middles = {};
for (const country of feature(small, small.objects.countries).features) {
  const code = countries.numericToAlpha2(country.id ?? "");
  if (!code || middles[code]) continue;
  const pieces =
    country.geometry.type === "MultiPolygon" ? country.geometry.coordinates : [country.geometry.coordinates];
  const polygons = pieces.map((coordinates) => ({ type: "Polygon", coordinates }));
  const largest = polygons.reduce((best, piece) => (geoArea(piece) > geoArea(best) ? piece : best));
  middles[code] = at(geoCentroid(largest));
}
for (const [code, place] of Object.entries(PLACES)) middles[code] ??= at(place);

const cldr = new Intl.DisplayNames("en", { type: "region" });
const keys = {};
const add = (code, name) => {
  for (const form of [name, name.replace(/\(.*?\)/g, "")]) {
    const key = folded(form);
    if (key) keys[key] ??= code;
  }
};
for (const [code, all] of Object.entries(ALIASES)) for (const name of all) add(code, name);
for (const [code, all] of Object.entries(names)) if (middles[code]) for (const name of [all].flat()) add(code, name);
for (const code of Object.keys(middles)) {
  add(code, cldr.of(code));
  keys[code.toLowerCase()] ??= code;
}
const places = {};
for (const code of Object.keys(middles).sort()) {
  const known = Object.keys(keys).filter((key) => keys[key] === code);
  if (known.length) places[known.join("|")] = middles[code];
}

/** Steps of whole pixels, each from the one before. */
let outline = "";
let from = [0, 0];
let steps = [];
const pen = {
  moveTo(x, y) {
    from = [Math.round(x), Math.round(y)];
    outline += `M${from.join(" ")}l`;
    steps = [];
  },
  lineTo(x, y) {
    const to = [Math.round(x), Math.round(y)];
    if (to[0] === from[0] && to[1] === from[1]) return;
    steps.push(`${to[0] - from[0]} ${to[1] - from[1]}`.replace(" -", "-"));
    from = to;
  },
  closePath() {
    outline += `${steps.join(" ")}z`;
  },
};
const draw = geoPath(projection, pen); // cuts what the map's edge cuts
for (const coordinates of feature(land, land.objects.land).features[0].geometry.coordinates) {
  const shape = { type: "Polygon", coordinates };
  if (geoArea(shape) < SMALLEST) continue;
  if (coordinates[0].every(([, latitude]) => latitude < -60)) continue; // the Antarctic
  draw(shape);
}
writeFileSync(
  new URL("../src/ui/world.json", import.meta.url),
  `${JSON.stringify({ width: WIDTH, height: HEIGHT, outline, places })}\n`,
);
console.log(Object.keys(places).length, "countries");
