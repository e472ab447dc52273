/** Where the data comes from: the page's own server, or a bucket whose keys a signed-in person may read. */

import { NotThere, Unreachable } from "./errors";

/** Fetches a path below the data. */
export type Fetch = (path: string, fresh: boolean) => Promise<Response>;

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

  /** A JSON document; `fresh` asks the server even if the browser holds one. */
  async json(path: string, fresh = false): Promise<unknown> {
    const response = await this.get(path, fresh);
    try {
      return await response.json();
    } catch {
      throw new Unreachable(`${path} is no JSON.`);
    }
  }

  async bytes(path: string): Promise<ArrayBuffer> {
    return (await this.get(path, false)).arrayBuffer();
  }

  private async get(path: string, fresh: boolean): Promise<Response> {
    let response: Response;
    try {
      response = await this.fetch(path, fresh);
    } catch (error) {
      if (error instanceof TypeError) throw new Unreachable("There is no connection to the data.");
      throw error;
    }
    if (response.ok) return response;
    // A bucket that may not be listed answers 403 for what is not there.
    if (response.status === 404 || response.status === 403) throw new NotThere(path);
    throw new Unreachable(`The server answers ${response.status} for ${path}.`);
  }
}

/** Data below an address relative to the page. */
export function plainFetch(config: PlainConfig): Fetch {
  return (path, fresh) => fetch(new URL(config.base + path, document.baseURI), fresh ? { cache: "no-store" } : {});
}
