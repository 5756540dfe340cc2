/**
 * What can be done with a region of the network so that it needs less: strips of columns, turned windows in them or
 * without them, groups of channels. Each option has its price in products, counted exactly, and a floor of the bytes
 * it needs, both found from shapes alone: only options that may fit are made into graphs and simulated.
 */
import {
  ABSENT,
  channelsOf,
  elementBytes,
  elementCount,
  type Graph,
  type Operator,
  type TensorId,
} from '../graph/graph.ts';
import { definitionOf } from '../ops/registry.ts';
import { channelFan } from '../passes/1-restructure/channel-groups.ts';
import { lengthOf } from '../passes/1-restructure/interval.ts';
import { outputsOf, type Uses, usesOf } from '../passes/1-restructure/region.ts';
import { regionOperators, type TileStep, tileOf } from '../passes/1-restructure/tile.ts';
import { evenCuts, type TiledRegion } from '../passes/1-restructure/tiling.ts';
import { linksOf, type Turnable, turnableAt, turnedRows } from '../passes/1-restructure/turn.ts';
import { type PartTensor, streamingFloor } from './region-floor.ts';

export interface RegionOption {
  /** Strips or channel groups; left out: the region stays in one piece. */
  readonly tiles?: TiledRegion;
  /** Convolutions that are turned. */
  readonly turned: readonly number[];
  readonly extraMacs: number;
  /** About the least that it can need. */
  readonly floorBytes: number;
}

/** Numbers of strips: widths fall by this factor at least. */
const NARROWER = 1.18;
/** Groups of channels. */
const GROUPS = [2, 4, 8];
/** Operators of a fan at most. */
const LONGEST_FAN = 4;

/** What surrounds a region. */
export interface RegionEnds {
  /** Bytes live before it, its inputs included. */
  readonly beforeBytes: number;
  /** Tensors that are never whole in the arena. */
  isOutside(id: TensorId): boolean;
  /** Inputs of the network arrive inside it, run by run: each strip would need all of them. */
  readonly streamedIn: boolean;
}

export class RegionOptions {
  readonly #graph: Graph;
  readonly #uses: Uses;
  readonly #turnables: ReadonlyMap<number, Turnable>;
  readonly #macs: readonly number[];

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#uses = usesOf(graph);
    const links = linksOf(graph);
    this.#turnables = new Map(
      graph.operators.flatMap((op) => {
        const turn = turnableAt(graph, links, op);
        return turn ? [[op.id, turn]] : [];
      }),
    );
    const all = regionOperators(
      graph,
      graph.operators.map((op) => op.id),
    );
    this.#macs = all.map(({ op, context }) => definitionOf(op.kind).macs(context));
  }

  /** Options for a run of operators, the cheapest first; none costs more than `mostMacs`. */
  of(ids: readonly number[], ends: RegionEnds, mostMacs: number): RegionOption[] {
    const found = [...(ends.streamedIn ? [] : this.#fans(ids)), ...this.#strips(ids, ends, mostMacs)];
    return found.sort((a, b) => a.extraMacs - b.extraMacs || a.floorBytes - b.floorBytes);
  }

  #fans(ids: readonly number[]): RegionOption[] {
    const fan = ids.length <= LONGEST_FAN ? channelFan(this.#graph, ids) : undefined;
    if (!fan) return [];
    const [, height, width] = this.#graph.tensors[fan.widen.outputs[0]].shape;
    return GROUPS.filter((groups) => fan.middle >= 2 * groups).map((groups) => ({
      tiles: {
        operators: [...ids],
        rows: [0, height],
        columns: [0, width],
        channels: evenCuts(fan.middle, groups),
      },
      turned: [],
      extraMacs: 0,
      floorBytes: 0,
    }));
  }

  #strips(ids: readonly number[], ends: RegionEnds, mostMacs: number): RegionOption[] {
    const options: RegionOption[] = [];
    const turnables = this.#turnablesOf(ids);
    const outputs = outputsOf(this.#graph, this.#uses, ids);
    const { shape } = this.#graph.tensors[outputs[0]];
    const cuttable = outputs.length === 1 && shape.length === 4 && !ends.streamedIn;
    const counts = cuttable ? stripCounts(shape[2]) : [1];
    for (const strips of counts) {
      const columns = evenCuts(shape[2], strips);
      const tiles = strips === 1 ? [this.#asItIs(ids)] : this.#tiles(ids, outputs[0], columns);
      if (!tiles) break;
      const stripMacs = tiles.reduce((sum, t) => sum + this.#macsOf(t), 0) - this.#macsOf(this.#asItIs(ids));
      if (stripMacs > mostMacs) break;
      const region = strips === 1 ? undefined : { operators: [...ids], rows: [0, shape[1]], columns };
      // The last tile may write over the input; of the others the widest needs most.
      const inner = tiles.slice(0, Math.max(1, strips - 1));
      const widest = inner.reduce((a, b) => (this.#macsOf(b) > this.#macsOf(a) ? b : a));
      const turns = turnables
        .map((turn) => ({
          turn,
          macs: tiles.reduce((sum, tile) => sum + this.#turnMacs(turn, tile), 0),
          saved: this.#savedBytes(turn, widest),
        }))
        .filter(({ saved }) => saved > 0)
        .sort((a, b) => b.saved / b.macs - a.saved / a.macs);
      let extraMacs = stripMacs;
      for (let k = strips === 1 ? 1 : 0; k <= turns.length; k++) {
        if (k > 0) extraMacs += turns[k - 1].macs;
        if (extraMacs > mostMacs) break;
        const turned = turns.slice(0, k).map(({ turn }) => turn);
        options.push({
          ...(region ? { tiles: region } : {}),
          turned: turned.map(({ window }) => window.id),
          extraMacs,
          floorBytes: this.#floor(ids, widest, turned, ends, strips > 1 ? outputs[0] : undefined),
        });
      }
    }
    return options;
  }

  #turnablesOf(ids: readonly number[]): Turnable[] {
    const inside = new Set(ids);
    return ids.flatMap((id) => {
      const turn = this.#turnables.get(id);
      return turn?.before.every((op) => inside.has(op.id)) ? [turn] : [];
    });
  }

  #asItIs(ids: readonly number[]): TileStep[] {
    return ids.map((id) => {
      const op = this.#graph.operators[id];
      const { shape } = this.#graph.tensors[op.outputs[0]];
      const [height, width] = shape.length === 4 ? [shape[1], shape[2]] : [1, 1];
      const made = { rows: { lo: 0, hi: height }, columns: { lo: 0, hi: width } };
      return { op, made, reads: [], attrs: () => op.attrs };
    });
  }

  #tiles(ids: readonly number[], output: TensorId, columns: readonly number[]): TileStep[][] | undefined {
    const operators = regionOperators(this.#graph, ids);
    const rows = { lo: 0, hi: this.#graph.tensors[output].shape[1] };
    const tiles: TileStep[][] = [];
    for (let c = 0; c + 1 < columns.length; c++) {
      const want = { rows, columns: { lo: columns[c], hi: columns[c + 1] } };
      const tile = tileOf(this.#graph, operators, output, want, { rows: false, columns: true });
      if (!tile) return undefined;
      tiles.push([...tile.steps]);
    }
    return tiles;
  }

  #macsOf(tile: readonly TileStep[]): number {
    return tile.reduce((sum, step) => sum + this.#macs[step.op.id] * this.#share(step), 0);
  }

  /** The share of an operator's columns that a tile makes. */
  #share({ op, made }: TileStep): number {
    const { shape } = this.#graph.tensors[op.outputs[0]];
    return shape.length === 4 ? lengthOf(made.columns) / shape[2] : 1;
  }

  #turnMacs({ window, before }: Turnable, tile: readonly TileStep[]): number {
    const again = turnedRows(this.#graph, window) / this.#graph.tensors[window.inputs[0]].shape[1] - 1;
    const inside = new Set(before.map((op) => op.id));
    return tile.reduce(
      (sum, step) => sum + (inside.has(step.op.id) ? again * this.#macs[step.op.id] * this.#share(step) : 0),
      0,
    );
  }

  /** Bytes that a tile's line buffers shrink by. */
  #savedBytes({ window, before, input }: Turnable, tile: readonly TileStep[]): number {
    const step = tile.find(({ op }) => op === before[before.length - 1]);
    if (!step) return 0;
    const width = lengthOf(step.made.columns);
    const [, kh, kw] = this.#graph.tensors[window.inputs[1]].shape;
    const lines = (kh - 1) * width;
    return (lines + kw - kh * kw) * this.#pixelBytes(window.inputs[0]) - lines * this.#pixelBytes(input);
  }

  #pixelBytes(id: TensorId): number {
    const t = this.#graph.tensors[id];
    return channelsOf(t.shape) * elementBytes(t);
  }

  /** `strip`: the region's output, where the tile is one of several. */
  #floor(
    ids: readonly number[],
    tile: readonly TileStep[],
    turned: readonly Turnable[],
    ends: RegionEnds,
    strip?: TensorId,
  ): number {
    const tensors = new Map<TensorId, PartTensor & { last: number; window: number }>();
    const lines = new Map(turned.map((t) => [t.window.id, t]));
    let base = ends.beforeBytes;
    const bytesOf = (id: TensorId, share: number) =>
      elementCount(this.#graph.tensors[id].shape) * elementBytes(this.#graph.tensors[id]) * share;
    const inside = new Set(ids);
    const readOutside = (id: TensorId) =>
      this.#uses.shown.has(id) || this.#uses.readers[id].some((op) => !inside.has(op.id));
    const lengths = new Map<TensorId, number>();
    tile.forEach((step, k) => {
      const { op } = step;
      for (const [i, id] of op.inputs.entries()) {
        if (id === ABSENT || this.#graph.tensors[id].constant || ends.isOutside(id)) continue;
        if (!tensors.has(id) && !lengths.has(id)) {
          // Strips keep the region's inputs whole.
          if (strip !== undefined || readOutside(id)) continue;
          const bytes = bytesOf(id, 1);
          base -= bytes;
          tensors.set(id, { made: -1, last: k, bytes, window: 0 });
        }
        const t = tensors.get(id);
        if (!t) continue;
        t.last = Math.max(t.last, k);
        const pixels = this.#window(op, i, lengths.get(id), lines);
        t.window = Math.max(t.window, Math.min(t.bytes, pixels * this.#pixelBytes(id)));
      }
      for (const turn of turned) {
        const t = turn.window.id === op.id ? tensors.get(turn.input) : undefined;
        const width = lengths.get(turn.input);
        if (!t || width === undefined) continue;
        const [, kh] = this.#graph.tensors[op.inputs[1]].shape;
        t.last = Math.max(t.last, k);
        t.window = Math.max(
          t.window,
          Math.min(t.bytes, ((kh - 1) * width + 1) * this.#pixelBytes(turn.input)),
        );
      }
      const [output] = op.outputs;
      lengths.set(output, lengthOf(step.made.columns));
      if (output === strip) return;
      const last = readOutside(output) ? tile.length : k;
      tensors.set(output, { made: k, last, bytes: bytesOf(output, this.#share(step)), window: 0 });
    });
    if (strip !== undefined) base += bytesOf(strip, 1);
    return base + streamingFloor([...tensors.values()], tile.length, strip === undefined ? 'none' : 'any');
  }

  /** Pixels of an input that stand in a ring of `width` columns, for one pixel of the output. */
  #window(
    op: Operator,
    index: number,
    width: number | undefined,
    lines: ReadonlyMap<number, Turnable>,
  ): number {
    const { reads, access } = definitionOf(op.kind);
    const [, height, full] = this.#graph.tensors[op.inputs[index]].shape;
    const out = this.#graph.tensors[op.outputs[0]].shape;
    if (width === undefined || out.length !== 4 || full === undefined) return 1;
    const columns = Math.min(width, full);
    if (access === 'whole' || !reads) return height * columns;
    if (index === 0 && lines.has(op.id)) {
      const [, kh, kw] = this.#graph.tensors[op.inputs[1]].shape;
      return kh * kw;
    }
    const [{ context }] = regionOperators(this.#graph, [op.id]);
    const middle = Math.floor(out[1] / 2) * out[2] + Math.floor(out[2] / 2);
    const { lo, hi } = reads(context, index, middle, middle + 1);
    if (hi <= lo) return 1;
    const [top, bottom] = [lo, hi - 1].map((p) => Math.floor(p / full));
    return Math.max(1, (bottom - top) * columns + ((hi - 1) % full) - (lo % full) + 1);
  }
}

/** Numbers of strips from one on, each the least for its width, widths falling by a factor at least. */
function stripCounts(width: number): number[] {
  const counts: number[] = [];
  let narrowest = Number.POSITIVE_INFINITY;
  for (let n = 1; n <= width; n++) {
    const widest = Math.ceil(width / n);
    if (widest * NARROWER > narrowest) continue;
    narrowest = widest;
    counts.push(n);
  }
  return counts;
}
