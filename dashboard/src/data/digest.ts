/** Whether a file is the one that was published: what a browser keeps for a year may have come broken, or be another. */

/**
 * Whether a body has the length that is known of it, if one is, and the digest that its name ends with.
 *
 * Only a page that comes encrypted, or from this machine, can compute a digest.
 */
export async function isPublished(path: string, body: ArrayBuffer, bytes = body.byteLength): Promise<boolean> {
  if (body.byteLength !== bytes) return false;
  const { subtle } = crypto as { readonly subtle?: SubtleCrypto };
  if (subtle === undefined) return true;
  const digits = /-([0-9a-f]+)\.\w+$/.exec(path)?.[1] ?? "";
  const digest = new Uint8Array(await subtle.digest("SHA-256", body));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0"))
    .join("")
    .startsWith(digits);
}
