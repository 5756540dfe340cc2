/**
 * Cutting a row of layers into spans: the least cost by dynamic programming, the longest prefix again and again
 * (what the optimum is compared with), and all ways there are (for tests).
 */

/** What a span costs; undefined where it may not be one. */
export type SpanCost = (first: number, last: number) => number | undefined;

export interface Cuts {
  readonly cost: number;
  readonly spans: readonly (readonly [first: number, last: number])[];
}

/**
 * Least cost, then fewest spans. `best[j] = min over i of best[i - 1] + cost(i, j)`. Where a span may not be one,
 * neither may a longer one that holds it. Undefined where there is no way at all.
 */
export function bestCuts(count: number, cost: SpanCost): Cuts | undefined {
  const best = [{ cost: 0, spans: 0, first: 0 }];
  for (let j = 0; j < count; j++) {
    let found = { cost: Number.POSITIVE_INFINITY, spans: 0, first: -1 };
    for (let i = j; i >= 0; i--) {
      const own = cost(i, j);
      if (own === undefined) break;
      const value = best[i].cost + own;
      const spans = best[i].spans + 1;
      if (value < found.cost || (value === found.cost && spans < found.spans))
        found = { cost: value, spans, first: i };
    }
    if (found.first < 0) return undefined;
    best.push(found);
  }
  const spans: [number, number][] = [];
  for (let j = count; j > 0; j = best[j].first) spans.push([best[j].first, j - 1]);
  return { cost: best[count].cost, spans: spans.reverse() };
}

/** The longest span from the first layer on, then from where it ends, and so on. */
export function greedyCuts(count: number, cost: SpanCost): Cuts {
  const spans: [number, number][] = [];
  let sum = 0;
  for (let i = 0; i < count; ) {
    let j = i;
    let own = cost(i, i) ?? 0;
    for (let next: number | undefined; j + 1 < count; j++) {
      next = cost(i, j + 1);
      if (next === undefined) break;
      own = next;
    }
    spans.push([i, j]);
    sum += own;
    i = j + 1;
  }
  return { cost: sum, spans };
}

/** Every way to cut: for small counts only. */
export function* allCuts(count: number): Generator<readonly (readonly [number, number])[]> {
  for (let mask = 0; mask < 2 ** Math.max(0, count - 1); mask++) {
    const spans: [number, number][] = [];
    let first = 0;
    for (let j = 0; j < count; j++) {
      if (j + 1 < count && ((mask >> j) & 1) === 0) continue;
      spans.push([first, j]);
      first = j + 1;
    }
    yield spans;
  }
}

/** The least of the greatest span cost, with no more spans than allowed; then the least sum. */
export function levelCuts(count: number, cost: SpanCost, mostSpans: number): Cuts | undefined {
  // worst[m][j]: the least greatest cost of layers before j in at most m spans.
  let worst = new Array<number>(count + 1).fill(Number.POSITIVE_INFINITY);
  worst[0] = 0;
  const from: number[][] = [];
  for (let m = 1; m <= mostSpans; m++) {
    const next = worst.slice();
    const first = new Array<number>(count + 1).fill(-1);
    for (let j = 1; j <= count; j++)
      for (let i = j; i >= 1; i--) {
        const own = cost(i - 1, j - 1);
        if (own === undefined) break;
        const value = Math.max(worst[i - 1], own);
        if (value < next[j]) {
          next[j] = value;
          first[j] = i - 1;
        }
      }
    from.push(first);
    worst = next;
  }
  if (!Number.isFinite(worst[count])) return undefined;
  const spans: [number, number][] = [];
  for (let j = count, m = mostSpans - 1; j > 0 && m >= 0; m--) {
    if (from[m][j] < 0) continue;
    spans.push([from[m][j], j - 1]);
    j = from[m][j];
  }
  return { cost: worst[count], spans: spans.reverse() };
}
