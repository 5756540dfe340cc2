/**
 * The cheapest way to cut a region so that no moment of it takes more than a limit. Rows are cut from the top, each band
 * as high as the limit lets it be: fewest bands, least halo. Columns are cut evenly.
 */
import { channelsOf, elementBytes, type TensorId } from '../../graph/graph.ts';
import type { Candidate } from './candidates.ts';
import { type Interval, lengthOf } from './interval.ts';
import type { Sequence } from './sequence.ts';
import { type TileFigures, tileFigures } from './tile-memory.ts';
import { evenCuts } from './tiling.ts';

export interface Cutting {
  readonly region: Candidate;
  readonly rows: readonly number[];
  readonly columns: readonly number[];
  /** The bands of the output are not joined. */
  readonly apart: boolean;
  /** Where the middle channels are cut; rows and columns are then whole. */
  readonly channels?: readonly number[];
  /** Live bytes at the worst moment. */
  readonly peakBytes: number;
  /** Multiply-accumulates beyond the region's own. */
  readonly extraMacs: number;
}

/** Tensors that lie in bands of rows, and where they are cut. */
export type Bands = ReadonlyMap<TensorId, readonly number[]>;

/** What is around a region, and what is to become of its output. */
export interface Setting {
  readonly bands: Bands;
  readonly apart: boolean;
}

const JOINED: Setting = { bands: new Map(), apart: false };

/** Effort that a search may still take, in operators of tiles looked at: the same on every machine. */
export interface Work {
  left: number;
}

/** Bands of equal height may cost less than those found from the top: these may cost so much more than is allowed. */
const SLACK = 1.5;

/** Tiles of one region: each is a copy of the region's operators in the graph. */
const MAX_TILES = 512;

/** Answers for one region; figures of tiles are kept. */
export class RegionCutter {
  readonly region: Candidate;
  readonly #sequence: Sequence;
  readonly #figures = new Map<number, TileFigures | undefined>();
  readonly #work: Work;
  readonly #height: number;
  readonly #width: number;
  readonly #ownMacs: number;

  constructor(sequence: Sequence, region: Candidate, work: Work) {
    this.region = region;
    this.#work = work;
    this.#sequence = sequence;
    [, this.#height, this.#width] = sequence.graph.tensors[region.output].shape;
    this.#ownMacs = region.macs.reduce((a, b) => a + b, 0);
  }

  /**
   * Undefined where no height of bands meets both limits with columns cut into `across` parts. `finer` cuts each band
   * into as many again.
   */
  within(
    limitBytes: number,
    allowedMacs: number,
    across: number,
    setting: Setting,
    finer: number,
  ): Cutting | undefined {
    const { throughBytes, dyingBytes, outputBytes } = this.region;
    const least = throughBytes + (setting.bands.size > 0 ? outputBytes : Math.max(dyingBytes, outputBytes));
    if (least > limitBytes || across > this.#width) return undefined;
    const columns = evenCuts(this.#width, across);
    const rows = this.#bands(limitBytes, allowedMacs, columns, setting);
    if (!rows || (rows.length === 2 && across === 1)) return undefined;
    const found = this.cut(rows, columns, setting)!;
    const count = (rows.length - 1) * finer;
    if (count > this.#height || count * across > MAX_TILES) return undefined;
    const even = this.cut(evenCuts(this.#height, count), columns, setting);
    if (even && even.peakBytes <= limitBytes && (finer > 1 || even.extraMacs <= found.extraMacs)) return even;
    return finer > 1 ? undefined : found;
  }

  /** Cut evenly into rows and columns of tiles; undefined where the output has fewer. */
  even([down, across]: readonly [number, number]): Cutting | undefined {
    if (down > this.#height || across > this.#width) return undefined;
    return this.cut(evenCuts(this.#height, down), evenCuts(this.#width, across));
  }

  /** The figures of given cuts; undefined where a tile cannot be made by itself. */
  cut(rows: readonly number[], columns: readonly number[], setting: Setting = JOINED): Cutting | undefined {
    let peakBytes = 0;
    let macs = 0;
    for (let r = 0; r + 1 < rows.length; r++) {
      const band = this.#band({ lo: rows[r], hi: rows[r + 1] }, columns, setting);
      if (!band) return undefined;
      peakBytes = Math.max(peakBytes, band.peakBytes);
      macs += band.macs;
    }
    const { apart } = setting;
    return { region: this.region, rows, columns, apart, peakBytes, extraMacs: macs - this.#ownMacs };
  }

  #bands(
    limitBytes: number,
    allowedMacs: number,
    columns: readonly number[],
    setting: Setting,
  ): number[] | undefined {
    const rows = [0];
    let macs = 0;
    for (let lo = 0; lo < this.#height; lo = rows[rows.length - 1]) {
      const most = setting.apart && lo === 0 ? this.#height - 1 : this.#height;
      const hi = this.#highest(lo, most, (rest) => {
        const band = this.#band({ lo, hi: rest }, columns, setting);
        return band !== undefined && band.peakBytes <= limitBytes;
      });
      if (hi === undefined) return undefined;
      rows.push(hi);
      macs += this.#band({ lo, hi }, columns, setting)!.macs;
      // The first band has the least halo: the others will cost as much at least.
      const foreseen = macs * (this.#height / hi);
      if (foreseen - this.#ownMacs > SLACK * allowedMacs) return undefined;
      if (rows.length * (columns.length - 1) > MAX_TILES) return undefined;
    }
    return rows;
  }

  /** The greatest end of a band from `lo` on that fits: all that is left, or found by doubling and halving. */
  #highest(lo: number, most: number, fits: (hi: number) => boolean): number | undefined {
    if (most <= lo || !fits(lo + 1)) return undefined;
    if (most === lo + 1 || fits(most)) return most;
    let least = lo + 1;
    let beyond = most;
    for (let step = 2; lo + step < beyond; step *= 2) {
      if (fits(lo + step)) least = lo + step;
      else beyond = lo + step;
    }
    while (beyond - least > 1) {
      const middle = Math.floor((least + beyond) / 2);
      if (fits(middle)) least = middle;
      else beyond = middle;
    }
    return least;
  }

  /** Rows [lo, hi) in all columns, one tile after another. */
  #band(
    rows: Interval,
    columns: readonly number[],
    setting: Setting,
  ): { peakBytes: number; macs: number } | undefined {
    const tiles = columns.length - 1;
    const t = this.#sequence.graph.tensors[this.region.output];
    const { outputBytes, throughBytes } = this.region;
    const [first, last] = [rows.lo === 0, rows.hi === this.#height];
    const pixelBytes = channelsOf(t.shape) * elementBytes(t);
    const bandBytes = lengthOf(rows) * this.#width * pixelBytes;
    // What is there of the output before this band, and what its first write adds.
    const done = setting.apart ? rows.lo * this.#width * pixelBytes : first ? 0 : outputBytes;
    const added = setting.apart ? bandBytes : first ? outputBytes : 0;
    let output = done;
    let peakBytes = 0;
    let macs = 0;
    for (let c = 0; c < tiles; c++) {
      const figures = this.#tile(rows, { lo: columns[c], hi: columns[c + 1] }, tiles);
      if (!figures) return undefined;
      const around = this.#around(figures, setting, last && c === tiles - 1);
      figures.moments.forEach((m, k) => {
        if (m.writesOutput) output = done + added;
        peakBytes = Math.max(peakBytes, throughBytes + around(k) + output + m.ownBytes);
      });
      macs += figures.macs;
    }
    return { peakBytes, macs };
  }

  /** Bytes of the region's inputs, and of what is gathered from several bands, at each moment of a tile. */
  #around({ reads }: TileFigures, { bands }: Setting, ends: boolean): (k: number) => number {
    const changes: { bytes: number; first: number; last: number }[] = [];
    const always = Number.POSITIVE_INFINITY;
    for (const { root, tensor, bytes } of this.region.dying) {
      const cuts = bands.get(tensor);
      const own = reads.filter((r) => r.root === root);
      const least = Math.min(...own.map((r) => r.rows.lo));
      const from = cuts && own.length > 0 ? (cuts.findLast((c) => c <= least) ?? 0) : 0;
      const left = cuts ? (bytes * (cuts[cuts.length - 1] - from)) / cuts[cuts.length - 1] : bytes;
      changes.push({ bytes: left, first: 0, last: ends ? Math.max(-1, ...own.map((r) => r.last)) : always });
    }
    for (const { tensor, rows, bytes, first, last } of reads) {
      const spans = bands.get(tensor)?.some((c) => c > rows.lo && c < rows.hi);
      if (spans) changes.push({ bytes, first, last });
    }
    return (k) => changes.reduce((sum, c) => sum + (k >= c.first && k <= c.last ? c.bytes : 0), 0);
  }

  #tile(rows: Interval, columns: Interval, across: number): TileFigures | undefined {
    const key =
      ((rows.lo * (this.#height + 1) + rows.hi) * (this.#width + 1) + columns.lo) * (this.#width + 1) +
      columns.hi;
    if (this.#figures.has(key)) return this.#figures.get(key);
    if (this.#work.left <= 0) return undefined;
    this.#work.left -= this.region.operators.length;
    const cut = { rows: lengthOf(rows) < this.#height, columns: across > 1 };
    const figures = tileFigures(this.#sequence, this.region, { rows, columns }, cut);
    this.#figures.set(key, figures);
    return figures;
  }
}
