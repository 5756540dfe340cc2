/** Where elements come from as a sum of one table an axis. */
export interface AxisTable {
  readonly size: number;
  /** What a coordinate adds to the source element; -1 where the coordinate has no source. */
  readonly values: Int32Array;
  /** True where some coordinate has no source. */
  readonly holes: boolean;
  /** Coordinates [first, end) have sources, perhaps with holes between. */
  readonly first: number;
  readonly end: number;
  /** Value at `first`. */
  readonly start: number;
  /** Difference from each value to the next, where it is the same and there are no holes between. */
  readonly step?: number;
}

const HOLE = -2147483648;

/**
 * Tables, one for each axis, whose sum is the source of every element, the last one without holes in its middle;
 * undefined where there are none. `sources[e]` is the source of output element e, or -1.
 */
export function separate(sources: Int32Array, shape: readonly number[]): AxisTable[] | undefined {
  const strides: number[] = new Array(shape.length).fill(1);
  for (let k = shape.length - 2; k >= 0; k--) strides[k] = strides[k + 1] * shape[k + 1];
  const origin = sources.findIndex((s) => s >= 0);
  if (origin < 0) return shape.map((d) => tableOf(new Int32Array(d).fill(-1)));
  const base = sources[origin];
  const lines = shape.map((d, k) => {
    const at = Math.floor(origin / strides[k]) % d;
    return Int32Array.from({ length: d }, (_, c) => {
      const s = sources[origin + (c - at) * strides[k]];
      return s < 0 ? HOLE : s - base;
    });
  });
  // Each table begins at 0, so that none is negative; the rest goes into the last.
  const lows = lines.map((line) => line.reduce((n, v) => (v === HOLE ? n : Math.min(n, v)), 0));
  const rest = base + lows.reduce((sum, low) => sum + low, 0);
  const tables = lines.map((line, k) => {
    const more = k === shape.length - 1 ? rest : 0;
    return tableOf(line.map((v) => (v === HOLE ? -1 : v - lows[k] + more)));
  });
  return holds(sources, shape, tables) ? tables : undefined;
}

function tableOf(values: Int32Array): AxisTable {
  let first = 0;
  while (first < values.length && values[first] < 0) first++;
  let end = values.length;
  while (end > first && values[end - 1] < 0) end--;
  const inside = values.subarray(first, end);
  let step: number | undefined = inside.length > 1 ? inside[1] - inside[0] : 1;
  for (let c = 1; c < inside.length; c++) if (inside[c] - inside[c - 1] !== step) step = undefined;
  const gaps = inside.some((v) => v < 0);
  return {
    size: values.length,
    values,
    holes: inside.length < values.length || gaps,
    first,
    end,
    start: inside.length > 0 ? inside[0] : 0,
    ...(step === undefined || gaps ? {} : { step }),
  };
}

/** True where the tables give every source, and the last axis has no hole in its middle. */
function holds(sources: Int32Array, shape: readonly number[], tables: readonly AxisTable[]): boolean {
  const last = tables[tables.length - 1];
  if (last.values.subarray(last.first, last.end).some((v) => v < 0)) return false;
  const coordinates = new Array(shape.length).fill(0);
  for (let e = 0; e < sources.length; e++) {
    let sum = 0;
    let hole = false;
    for (let k = 0; k < shape.length; k++) {
      const v = tables[k].values[coordinates[k]];
      if (v < 0) hole = true;
      sum += v;
    }
    if ((hole ? -1 : sum) !== sources[e]) return false;
    for (let k = shape.length - 1; k >= 0; k--) {
      if (++coordinates[k] < shape[k]) break;
      coordinates[k] = 0;
    }
  }
  return true;
}
