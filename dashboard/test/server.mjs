// Serves the built page and a folder of data, as strictly as CloudFront does.
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const PAGE = fileURLToPath(new URL("../dist", import.meta.url));
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".svg": "image/svg+xml",
};
export const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/**
 * Serve; `answer` may answer a path below data/ in its own way: a status, a body, or null for no answer at all. `also`
 * may answer any request, and says whether it has.
 */
export async function serve(data, answer = () => undefined, also = () => false) {
  const server = createServer((request, response) => {
    if (also(request, response)) return undefined;
    const path = normalize(decodeURIComponent(new URL(request.url, "http://page").pathname));
    const headers = { "Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff" };
    const own = path.startsWith("/data/") ? answer(path.slice("/data/".length)) : undefined;
    if (own === null) return undefined;
    if (typeof own === "number") return response.writeHead(own, headers).end();
    if (own !== undefined) return response.writeHead(200, headers).end(own);
    const file = path.startsWith("/data/")
      ? join(data, path.slice("/data".length))
      : join(PAGE, path === "/" ? "index.html" : path);
    if (!existsSync(file) || !statSync(file).isFile()) return response.writeHead(404, headers).end();
    response.writeHead(200, { ...headers, "Content-Type": TYPES[extname(file)] ?? "application/octet-stream" });
    return createReadStream(file).pipe(response);
  });
  server.unref();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
