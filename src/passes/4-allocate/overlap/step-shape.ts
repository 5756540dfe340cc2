/** What overlapping asks of a step: which of its inputs die there, and how it can be run. */
import { pixelsOf } from '../../../graph/graph.ts';
import { definitionOf } from '../../../ops/registry.ts';
import type { Network } from '../../3-schedule/steps.ts';

/** A step by itself, layer by layer. */
export interface LayerStep {
  readonly step: number;
  /** Roots read, each once, and roots written. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Inputs that nothing needs afterwards: their room is the output's to take. */
  readonly dying: readonly number[];
  /** A dying input that the output may be written over element by element. */
  readonly inPlace?: number;
  /** The output can chase a dying input, pixel by pixel or row by row. */
  readonly overlaps: boolean;
  /** Roots that are neither read nor written here and must stay. */
  readonly alive: readonly number[];
}

/** Where one firing makes all of the output, nothing dies before it is over. */
function firesInPieces({ graph }: Network, operator: number): boolean {
  const { kind, outputs } = graph.operators[operator];
  return definitionOf(kind).access === 'pixel' && pixelsOf(graph.tensors[outputs[0]].shape) > 1;
}

/** The steps of a network that compute, in order; inputs that arrive and outputs that leave among them. */
export function layerSteps(network: Network): LayerStep[] {
  const { roots } = network;
  const last = roots.map((r) => Math.max(r.readers.at(-1) ?? -1, r.writers.at(-1) ?? -1));
  const first = roots.map((r) => r.writers[0] ?? Number.POSITIVE_INFINITY);
  const used = roots.flatMap((r, i) => (r.external ? [] : [i]));
  return network.steps.map((step, s) => {
    const table = network.table(s, 'whole');
    const here = (list: readonly { root: number }[]) => [
      ...new Set(list.map((a) => a.root).filter((r) => !roots[r].external)),
    ];
    const inputs = here(table.reads);
    const outputs = here(table.writes);
    const dying = inputs.filter((r) => last[r] === s && !roots[r].kept && !outputs.includes(r));
    const inPlace = table.reads.find((r) => r.inPlace && dying.includes(r.root))?.root;
    const overlaps =
      step.kind === 'operator' &&
      inPlace === undefined &&
      dying.length > 0 &&
      outputs.length === 1 &&
      firesInPieces(network, step.index);
    const touched = new Set([...inputs, ...outputs]);
    const alive = used.filter((r) => !touched.has(r) && first[r] < s && (roots[r].kept || last[r] > s));
    return { step: s, inputs, outputs, dying, inPlace, overlaps, alive };
  });
}
