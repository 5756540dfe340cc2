/**
 * The cheapest way to cut a region so that no moment of it takes more than a limit. Rows are cut from the top, each band
 * as high as the limit lets it be: fewest bands, least halo. Columns are cut evenly.
 */
import { channelsOf, elementBytes } from '../../graph/graph.ts';
import type { Candidate } from './candidates.ts';
import { type Interval, lengthOf } from './interval.ts';
import type { Sequence } from './sequence.ts';
import { type TileFigures, tileFigures } from './tile-memory.ts';
import { evenCuts } from './tiling.ts';

export interface Cutting {
  readonly region: Candidate;
  readonly rows: readonly number[];
  readonly columns: readonly number[];
  /** Live bytes at the worst moment. */
  readonly peakBytes: number;
  /** Multiply-accumulates beyond the region's own. */
  readonly extraMacs: number;
}

/** Answers for one region; figures of tiles are kept. */
export class RegionCutter {
  readonly region: Candidate;
  readonly #sequence: Sequence;
  readonly #figures = new Map<string, TileFigures | undefined>();
  readonly #height: number;
  readonly #width: number;
  readonly #ownMacs: number;

  constructor(sequence: Sequence, region: Candidate) {
    this.region = region;
    this.#sequence = sequence;
    [, this.#height, this.#width] = sequence.graph.tensors[region.output].shape;
    this.#ownMacs = region.macs.reduce((a, b) => a + b, 0);
  }

  /** Undefined where no number of rows a band meets the limit with columns cut into `across` parts. */
  within(limitBytes: number, across = 1): Cutting | undefined {
    const { throughBytes, dyingBytes, outputBytes } = this.region;
    if (throughBytes + Math.max(dyingBytes, outputBytes) > limitBytes || across > this.#width)
      return undefined;
    const columns = evenCuts(this.#width, across);
    const rows = this.#bands(limitBytes, columns);
    if (!rows || (rows.length === 2 && across === 1)) return undefined;
    const even = this.cut(evenCuts(this.#height, rows.length - 1), columns);
    const found = this.cut(rows, columns);
    if (even && even.peakBytes <= limitBytes && even.extraMacs <= found!.extraMacs) return even;
    return found;
  }

  /** Cut evenly into rows and columns of tiles; undefined where the output has fewer. */
  even([down, across]: readonly [number, number]): Cutting | undefined {
    if (down > this.#height || across > this.#width) return undefined;
    return this.cut(evenCuts(this.#height, down), evenCuts(this.#width, across));
  }

  /** The figures of given cuts; undefined where a tile cannot be made by itself. */
  cut(rows: readonly number[], columns: readonly number[]): Cutting | undefined {
    let peakBytes = 0;
    let macs = 0;
    const last = rows.length - 2;
    for (let r = 0; r <= last; r++) {
      const band = this.#band({ lo: rows[r], hi: rows[r + 1] }, columns, r === 0, r === last);
      if (!band) return undefined;
      peakBytes = Math.max(peakBytes, band.peakBytes);
      macs += band.macs;
    }
    return { region: this.region, rows, columns, peakBytes, extraMacs: macs - this.#ownMacs };
  }

  #bands(limitBytes: number, columns: readonly number[]): number[] | undefined {
    const rows = [0];
    const fits = (lo: number, hi: number) => {
      const band = this.#band({ lo, hi }, columns, lo === 0, hi === this.#height);
      return band !== undefined && band.peakBytes <= limitBytes;
    };
    for (let lo = 0; lo < this.#height; lo = rows[rows.length - 1]) {
      if (fits(lo, this.#height)) {
        rows.push(this.#height);
        break;
      }
      let [least, most] = [0, this.#height - lo - 1];
      while (least < most) {
        const middle = Math.ceil((least + most) / 2);
        if (fits(lo, lo + middle)) least = middle;
        else most = middle - 1;
      }
      if (least === 0) return undefined;
      rows.push(lo + least);
    }
    return rows;
  }

  /** Rows [lo, hi) in all columns, one tile after another. */
  #band(
    rows: Interval,
    columns: readonly number[],
    first: boolean,
    last: boolean,
  ): { peakBytes: number; macs: number } | undefined {
    const tiles = columns.length - 1;
    if (tiles === 1) {
      const figures = this.#tile(rows, { lo: 0, hi: this.#width }, tiles);
      return figures && { peakBytes: figures.peakBytes[+first][+last], macs: figures.macs };
    }
    const t = this.#sequence.graph.tensors[this.region.output];
    let peakBytes = 0;
    let macs = 0;
    // Tiles of a band wait for one another, and are then copied into place.
    let waiting = 0;
    for (let c = 0; c < tiles; c++) {
      const across = { lo: columns[c], hi: columns[c + 1] };
      const figures = this.#tile(rows, across, tiles);
      if (!figures) return undefined;
      peakBytes = Math.max(peakBytes, waiting + figures.peakBytes[+first][+(last && c === tiles - 1)]);
      macs += figures.macs;
      waiting += lengthOf(rows) * lengthOf(across) * channelsOf(t.shape) * elementBytes(t);
    }
    const { throughBytes, dyingBytes, outputBytes } = this.region;
    peakBytes = Math.max(peakBytes, throughBytes + (last ? 0 : dyingBytes) + outputBytes + waiting);
    return { peakBytes, macs };
  }

  #tile(rows: Interval, columns: Interval, across: number): TileFigures | undefined {
    const key = `${rows.lo} ${rows.hi} ${columns.lo} ${columns.hi}`;
    if (this.#figures.has(key)) return this.#figures.get(key);
    const cut = { rows: lengthOf(rows) < this.#height, columns: across > 1 };
    const figures = tileFigures(this.#sequence, this.region, { rows, columns }, cut);
    this.#figures.set(key, figures);
    return figures;
  }
}
