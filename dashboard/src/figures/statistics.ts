/** Medians and the like, as PostgreSQL computes them. */

const FEW = 128;

/** How often each whole number occurs: what percentiles of a hundred thousand days need, without sorting them. */
export class Counts {
  /** Of 0 up to FEW; almost all days are there. */
  private readonly few = new Int32Array(FEW);
  private readonly others = new Map<number, number>();
  size = 0;

  add(value: number): void {
    this.put(value, 1);
  }

  addAll(other: Counts): void {
    for (const [value, count] of other.entries()) this.put(value, count);
  }

  /** The smallest value that at least this share of all do not exceed: percentile_disc. Null without values. */
  percentile(share: number): number | null {
    let left = Math.max(1, Math.ceil(share * this.size));
    for (const [value, count] of this.entries()) {
      left -= count;
      if (left <= 0) return value;
    }
    return null;
  }

  private put(value: number, count: number): void {
    if (value >= 0 && value < FEW) this.few[value] = (this.few[value] as number) + count;
    else this.others.set(value, (this.others.get(value) ?? 0) + count);
    this.size += count;
  }

  /** Values and how often each is there, ascending. */
  private entries(): [number, number][] {
    const found: [number, number][] = [...this.others];
    this.few.forEach((count, value) => {
      if (count > 0) found.push([value, count]);
    });
    return found.sort(([one], [other]) => one - other);
  }
}

/** The middle value, or the mean of both in the middle: percentile_cont(0.5). Null where there is no value. */
export function median(values: ArrayLike<number>): number | null {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
}
