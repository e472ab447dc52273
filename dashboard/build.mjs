// Builds the page into dist/: index.html, config.json, the icon, script and style named by their content, and the
// licences of the packages that are in them.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const out = fileURLToPath(new URL("dist/", import.meta.url));
rmSync(out, { recursive: true, force: true });
mkdirSync(out);
const { metafile } = await build({
  absWorkingDir: fileURLToPath(new URL(".", import.meta.url)),
  entryPoints: { app: "src/main.tsx", style: "src/style.css" },
  bundle: true,
  splitting: true,
  format: "esm",
  target: ["es2022"],
  jsx: "automatic",
  jsxImportSource: "preact",
  minify: true,
  legalComments: "none", // licenses.txt has them whole
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  outdir: out,
  metafile: true,
  logLevel: "warning",
});
const named = (entry) =>
  basename(Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint === entry)[0]);
const page = readFileSync(new URL("static/index.html", import.meta.url), "utf8");
writeFileSync(
  `${out}index.html`,
  page.replace("{{script}}", named("src/main.tsx")).replace("{{style}}", named("src/style.css")),
);
for (const file of ["config.json", "icon.svg"]) cpSync(new URL(`static/${file}`, import.meta.url), `${out}${file}`);

const packages = new Set(
  Object.keys(metafile.inputs).flatMap((file) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []),
);
packages.add("i18n-iso-countries"); // its names are in src/ui/world.json
const licence = (name) => readFileSync(new URL(`node_modules/${name}/LICENSE`, import.meta.url), "utf8");
writeFileSync(
  `${out}licenses.txt`,
  [...packages]
    .sort()
    .map((name) => `${name}\n\n${licence(name)}\n`)
    .join("\n"),
);
