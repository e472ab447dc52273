/** Signing in at a Cognito user pool, and reading the bucket with the credentials that it leads to. */

import { AwsClient } from "aws4fetch";
import { SignedOut, Unreachable } from "./errors";
import { type BucketConfig, type Fetch, PATIENCE } from "./source";

const KEPT = "totes.session";
/** Credentials are fetched again so long before they end, in milliseconds. */
const MARGIN = 60_000;
/** What S3 says of credentials that have ended; by a clock that is slow they have not. */
const ENDED = /<Code>(ExpiredToken|InvalidToken)<\/Code>/;
/** What Cognito says, with a 400, to whoever asks too often. */
const TOO_OFTEN = /TooManyRequests|LimitExceeded/;

interface Tokens {
  readonly id: string;
  readonly refresh: string;
}
interface Credentials {
  readonly client: AwsClient;
  readonly until: number;
}
interface Answer {
  readonly AuthenticationResult?: { readonly IdToken: string; readonly RefreshToken?: string };
  readonly ChallengeName?: string;
  readonly ChallengeParameters?: { readonly USER_ID_FOR_SRP?: string };
  readonly Session?: string;
}

/** What the pool wants to go on with, where a person has to choose a password first. */
export interface Challenge {
  /** The pool's own name for the person: an e-mail address is refused here. */
  readonly user: string;
  readonly session: string;
}

/** What Cognito says when it refuses. */
export class Refused extends Error {
  override readonly name = "Refused";
}

/** A person's session: tokens in this tab alone, gone when it is closed. */
export class Session {
  private tokens: Tokens | null;
  private credentials: Promise<Credentials> | null = null;

  constructor(private readonly config: BucketConfig) {
    this.tokens = kept();
  }

  get signedIn(): boolean {
    return this.tokens !== null;
  }

  /**
   * Sign in; return a challenge where the pool asks for a new password.
   *
   * Throws Refused where name or password are wrong.
   */
  async signIn(user: string, password: string): Promise<Challenge | null> {
    const answer = await this.ask("InitiateAuth", {
      AuthFlow: "USER_PASSWORD_AUTH",
      ClientId: this.config.user_pool_client,
      AuthParameters: { USERNAME: user, PASSWORD: password },
    });
    if (answer.ChallengeName === "NEW_PASSWORD_REQUIRED") {
      return { user: answer.ChallengeParameters?.USER_ID_FOR_SRP ?? user, session: answer.Session ?? "" };
    }
    this.take(answer);
    return null;
  }

  /** Set the first password of one's own. Throws Refused where the pool does not take it. */
  async setPassword({ user, session }: Challenge, password: string): Promise<void> {
    const answer = await this.ask("RespondToAuthChallenge", {
      ChallengeName: "NEW_PASSWORD_REQUIRED",
      ClientId: this.config.user_pool_client,
      Session: session,
      ChallengeResponses: { USERNAME: user, NEW_PASSWORD: password },
    });
    this.take(answer);
  }

  signOut(): void {
    this.tokens = null;
    this.credentials = null;
    keep(null);
  }

  /** Fetches from the bucket; throws SignedOut where the session is over. */
  readonly fetch: Fetch = async (path, fresh, signal) => {
    const { bucket, prefix, region, endpoints } = this.config;
    const host =
      endpoints === undefined ? `https://${bucket}.s3.${region}.amazonaws.com` : `${endpoints.objects}/${bucket}`;
    const key = (prefix + path).split("/").map(encodeURIComponent).join("/");
    const ask = ({ client }: Credentials) =>
      client.fetch(`${host}/${key}`, { signal, ...(fresh ? { cache: "reload" } : {}) });
    const credentials = await this.current();
    const response = await ask(credentials);
    if (response.ok || !ENDED.test(await response.clone().text())) return response;
    await this.drop(credentials);
    return ask(await this.current());
  };

  /** Let go of credentials, if nobody else has meanwhile. */
  private async drop(credentials: Credentials): Promise<void> {
    const held = await this.credentials;
    if (held === credentials) this.credentials = null;
  }

  private async current(): Promise<Credentials> {
    const held = this.credentials === null ? null : await this.credentials.catch(() => null);
    if (held !== null && held.until - MARGIN > Date.now()) return held;
    this.credentials = this.exchange();
    return this.credentials;
  }

  /** A token for credentials that may read the data; a token that is too old is refreshed first. */
  private async exchange(): Promise<Credentials> {
    if (this.tokens === null) throw new SignedOut("Nobody is signed in.");
    const { region, user_pool, identity_pool, endpoints } = this.config;
    const identities = endpoints?.identities ?? `https://cognito-identity.${region}.amazonaws.com/`;
    if (expiry(this.tokens.id) - MARGIN < Date.now()) await this.refresh();
    const Logins = { [`cognito-idp.${region}.amazonaws.com/${user_pool}`]: this.tokens?.id };
    const call = (target: string, body: object) => post(identities, `AWSCognitoIdentityService.${target}`, body);
    try {
      const { IdentityId } = (await call("GetId", { IdentityPoolId: identity_pool, Logins })) as { IdentityId: string };
      const { Credentials: got } = (await call("GetCredentialsForIdentity", { IdentityId, Logins })) as {
        Credentials: { AccessKeyId: string; SecretKey: string; SessionToken: string; Expiration: number };
      };
      const client = new AwsClient({
        accessKeyId: got.AccessKeyId,
        secretAccessKey: got.SecretKey,
        sessionToken: got.SessionToken,
        service: "s3",
        region,
        retries: 2,
      });
      return { client, until: got.Expiration * 1000 };
    } catch (error) {
      throw this.over(error);
    }
  }

  private async refresh(): Promise<void> {
    try {
      const answer = await this.ask("InitiateAuth", {
        AuthFlow: "REFRESH_TOKEN_AUTH",
        ClientId: this.config.user_pool_client,
        AuthParameters: { REFRESH_TOKEN: this.tokens?.refresh ?? "" },
      });
      this.take(answer);
    } catch (error) {
      throw this.over(error);
    }
  }

  /** What is thrown for a refusal in the middle of a session: the person has to sign in again. */
  private over(error: unknown): unknown {
    if (!(error instanceof Refused)) return error;
    this.signOut();
    return new SignedOut("The session is over.");
  }

  private take(answer: Answer): void {
    const result = answer.AuthenticationResult;
    if (result === undefined)
      throw new Refused(`The sign-in asks for ${answer.ChallengeName ?? "something"} that this page does not offer.`);
    this.tokens = { id: result.IdToken, refresh: result.RefreshToken ?? this.tokens?.refresh ?? "" };
    keep(this.tokens);
  }

  private async ask(target: string, body: object): Promise<Answer> {
    const users = this.config.endpoints?.users ?? `https://cognito-idp.${this.config.region}.amazonaws.com/`;
    return (await post(users, `AWSCognitoIdentityProviderService.${target}`, body)) as Answer;
  }
}

async function post(url: string, target: string, body: object): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE),
    });
  } catch {
    throw new Unreachable("The sign-in does not answer.");
  }
  const answer = (await response.json().catch(() => ({}))) as { __type?: string; message?: string; Message?: string };
  if (response.ok) return answer;
  const said = answer.message ?? answer.Message ?? `The sign-in answers ${response.status}.`;
  // Who asks too often is not refused: the session goes on.
  const busy = response.status === 429 || TOO_OFTEN.test(answer.__type ?? "");
  if (response.status >= 500 || busy) throw new Unreachable(said);
  throw new Refused(said);
}

/** The tokens of this tab; null where there are none, or in a browser that keeps nothing. */
function kept(): Tokens | null {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? "null") as Tokens | null;
  } catch {
    return null;
  }
}

function keep(tokens: Tokens | null): void {
  try {
    if (tokens === null) sessionStorage.removeItem(KEPT);
    else sessionStorage.setItem(KEPT, JSON.stringify(tokens));
  } catch {
    // a browser that keeps nothing
  }
}

/** When a token ends, in milliseconds since 1970. */
function expiry(token: string): number {
  const body = token.split(".")[1] ?? "";
  const said = JSON.parse(atob(body.replace(/-/g, "+").replace(/_/g, "/"))) as { exp?: number };
  return (said.exp ?? 0) * 1000;
}
