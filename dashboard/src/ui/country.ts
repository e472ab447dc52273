/** Names of countries, compared; the map and what writes it (tools/world.mjs) use the same. */

/** A country's name without what people write in different ways: order, articles, accents. */
export function folded(name: string): string {
  const words = name
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/\bst\.?\b/g, "saint")
    .split(/[^\p{L}\p{N}]+/u);
  return [...new Set(words.filter((word) => word !== "" && !["the", "of", "and"].includes(word)))].sort().join(" ");
}
