/** Where the data comes from: the page's own server, or a bucket whose keys a signed-in person may read. */

import { isPublished } from "./digest";
import { NotThere, Unreachable } from "./errors";

/** Fetches a path below the data, until the signal says that it takes too long; `fresh` as below. */
export type Fetch = (path: string, fresh: boolean, signal: AbortSignal) => Promise<Response>;

/** So long may nothing come, in milliseconds. A large file on a slow line takes longer, but some of it comes. */
export const PATIENCE = 20_000;

export interface PlainConfig {
  readonly kind: "plain";
  readonly base: string;
}
export interface BucketConfig {
  readonly kind: "s3";
  readonly region: string;
  readonly bucket: string;
  readonly prefix: string;
  readonly user_pool_client: string;
  readonly identity_pool: string;
  readonly user_pool: string;
  /** Where AWS is, for tests: the services' addresses otherwise. */
  readonly endpoints?: { readonly users: string; readonly identities: string; readonly objects: string };
}
export interface Config {
  readonly data: PlainConfig | BucketConfig;
  readonly shop?: string;
}

export class Source {
  constructor(private readonly fetch: Fetch) {}

  /** A JSON document; `fresh` asks the server even if the browser holds one, and is for those that change. */
  async json(path: string, fresh = false): Promise<unknown> {
    const body = await (fresh ? this.bytes(path, true) : this.published(path));
    try {
      return JSON.parse(new TextDecoder().decode(body));
    } catch {
      throw new Unreachable(`${path} is no JSON.`);
    }
  }

  /** What was published under a name with a digest, once; what the browser holds in its place is put right. */
  async published(path: string, bytes?: number): Promise<ArrayBuffer> {
    for (const fresh of [false, true]) {
      const body = await this.bytes(path, fresh);
      if (await isPublished(path, body, bytes)) return body;
    }
    throw new Unreachable(`${path} is not what was published.`);
  }

  private async bytes(path: string, fresh: boolean): Promise<ArrayBuffer> {
    const patience = new Patience();
    try {
      const response = await this.get(path, fresh, patience.signal);
      return await wholeOf(response, () => patience.renew());
    } catch (error) {
      if (patience.signal.aborted) throw new Unreachable("The server of the data does not answer.");
      if (error instanceof TypeError) throw new Unreachable("There is no connection to the data.");
      throw error;
    } finally {
      patience.end();
    }
  }

  private async get(path: string, fresh: boolean, signal: AbortSignal): Promise<Response> {
    const response = await this.fetch(path, fresh, signal);
    if (response.ok) return response;
    if (response.status === 404) throw new NotThere(path);
    if (response.status === 403) throw refusal(path, await response.text());
    throw new Unreachable(`The server answers ${response.status} for ${path}.`);
  }
}

/** Gives up where nothing has come for too long. */
class Patience {
  private readonly controller = new AbortController();
  private timer = 0;
  readonly signal = this.controller.signal;

  constructor() {
    this.renew();
  }

  renew(): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.controller.abort(), PATIENCE);
  }

  end(): void {
    clearTimeout(this.timer);
  }
}

/** All that a response brings; says when some of it is here. */
async function wholeOf(response: Response, onPiece: () => void): Promise<ArrayBuffer> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  const reader = response.body?.getReader();
  for (let read = await reader?.read(); read?.value !== undefined; read = await reader?.read()) {
    pieces.push(read.value);
    onPiece();
  }
  return new Blob(pieces).arrayBuffer();
}

/** What a 403 means: a bucket that may not be listed denies access to what is not there, and names what else is wrong. */
function refusal(path: string, body: string): Error {
  const code = /<Code>(\w+)<\/Code>/.exec(body)?.[1];
  if (code === "AccessDenied") return new NotThere(path);
  if (code === "RequestTimeTooSkewed") {
    return new Unreachable("The clock of this computer is wrong by more than a quarter of an hour: set it right.");
  }
  return new Unreachable(`The server refuses ${path}${code ? `: ${code}` : ""}.`);
}

/** Data below an address relative to the page. */
export function plainFetch(config: PlainConfig): Fetch {
  return (path, fresh, signal) =>
    fetch(new URL(config.base + path, document.baseURI), { signal, ...(fresh ? { cache: "reload" } : {}) });
}
