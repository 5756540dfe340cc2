/** Networks as tables of layers and lines, as the authors' files have them, and their graphs. */
import { evenly, joinRates, windowRates } from '../lines.ts';
import type { CsdfEdge, CsdfGraph } from '../model.ts';

export interface LineLayer {
  readonly name: string;
  readonly kind: string;
  /** Layers it reads, by index. */
  readonly from: readonly number[];
  readonly kernel: number;
  readonly stride: number;
  /** Lines of its input, where it has one. */
  readonly inLines: number;
  readonly outLines: number;
  /** Elements of an output line. */
  readonly lineElements: number;
  readonly phases: number;
}

export interface LayerOptions {
  readonly kind?: string;
  readonly kernel?: number;
  readonly stride?: number;
  /** Left out: as many as the layer it reads makes. */
  readonly inLines?: number;
  /** Fires once, whatever its output. */
  readonly once?: boolean;
}

/** Written down layer by layer; `add` gives the new layer's index. */
export class LineTable {
  readonly layers: LineLayer[] = [];

  /** `shape` is lines, columns, channels of the output. */
  add(name: string, from: readonly number[], shape: readonly number[], options: LayerOptions = {}): number {
    const [outLines, columns, channels] = shape;
    const { kind = 'conv', kernel = 1, stride = 1, inLines, once = false } = options;
    this.layers.push({
      name,
      kind,
      from,
      kernel,
      stride,
      inLines: inLines ?? (from.length > 0 ? this.layers[from[0]].outLines : 1),
      outLines,
      lineElements: columns * channels,
      phases: once ? 1 : outLines,
    });
    return this.layers.length - 1;
  }

  /** The graph, in int8. `byParts`: by layer, false where it fires once. */
  graph(name: string, byParts?: readonly boolean[]): CsdfGraph {
    const phasesOf = (l: LineLayer) => (byParts && !byParts[this.layers.indexOf(l)] ? 1 : l.phases);
    const edges: CsdfEdge[] = [];
    this.layers.forEach((source, from) => {
      this.layers.forEach((reader, to) => {
        if (!reader.from.includes(from)) return;
        const tokens = source.outLines * source.lineElements;
        const walk = { ...reader, phases: phasesOf(reader) };
        const rates =
          reader.from.length > 1
            ? joinRates(tokens, { ...walk, lines: source.outLines })
            : windowRates(tokens, { ...walk, lines: reader.inLines });
        const made = evenly(tokens, phasesOf(source));
        edges.push({
          from,
          to,
          tensor: from,
          wholeTokens: tokens,
          tokenBytes: 1,
          made,
          ...rates,
          end: undefined,
        });
      });
    });
    const actors = this.layers.map((l) => ({
      name: l.name,
      kind: l.kind,
      phases: phasesOf(l),
      mostPhases: l.phases,
      macs: 0,
    }));
    return { name, actors, edges };
  }
}
