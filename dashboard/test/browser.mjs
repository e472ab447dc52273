// A headless Chromium for the tests and the screenshots, unpacked once into build/chromium of the project.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const FOLDER = fileURLToPath(new URL("../../build/chromium", import.meta.url));

/** Launch it; whoever asks closes it, and nothing of it stays: Chromium itself does not always see to that. */
export async function launch() {
  mkdirSync(FOLDER, { recursive: true });
  const before = process.env.TMPDIR;
  process.env.TMPDIR = FOLDER; // where the package unpacks to
  const { default: packed, inflate, setupLambdaEnvironment } = await import("@sparticuz/chromium");
  const executablePath = await packed.executablePath();
  const libraries = fileURLToPath(new URL("../bin/al2023.tar.br", import.meta.resolve("@sparticuz/chromium")));
  if (!existsSync(`${FOLDER}/al2023`)) await inflate(libraries);
  setupLambdaEnvironment(`${FOLDER}/al2023/lib`); // the machine may lack what a browser links to
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
  // The one font that is packed, so that a picture is the same on every machine.
  writeFileSync(
    `${FOLDER}/fonts.conf`,
    `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>${FOLDER}/fonts</dir><cachedir>${FOLDER}/cache</cachedir></fontconfig>`,
  );
  process.env.FONTCONFIG_FILE = `${FOLDER}/fonts.conf`;
  const place = mkdtempSync(join(tmpdir(), "page-"));
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--font-render-hinting=none"],
    headless: true,
    env: { ...process.env, TMPDIR: place },
  });
  const close = browser.close.bind(browser);
  browser.close = async () => {
    await close();
    rmSync(place, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  return browser;
}
