/** What can go wrong with the data, each with a sentence for the person who reads the page. */

/** There is nothing at this path. */
export class NotThere extends Error {
  override readonly name = "NotThere";
  constructor(readonly path: string) {
    super(`There is no ${path}.`);
  }
}

/** The server does not answer, or answers with an error. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

/** The data is written in a way that this page does not know. */
export class UnknownFormat extends Error {
  override readonly name = "UnknownFormat";
}

/** Nobody is signed in, or no longer. */
export class SignedOut extends Error {
  override readonly name = "SignedOut";
}
