/** Medians and the like, as PostgreSQL computes them. */

/**
 * The smallest value that at least this share of all values do not exceed: percentile_disc.
 *
 * Null where there is no value.
 */
export function percentile(values: ArrayLike<number>, share: number): number | null {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
}

/** The middle value, or the mean of both in the middle: percentile_cont(0.5). Null where there is no value. */
export function median(values: ArrayLike<number>): number | null {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
}
