// Builds the page into dist/: index.html, config.json, the icon, and script and style named by their content.
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
  legalComments: "none",
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
