/** A float model as int8 for a board, with scales from the very inputs that it will be run on. */
import { TidemarkError } from '../../errors.ts';
import type { Graph } from '../../graph/graph.ts';
import { fromTensor, quantiseReal } from '../../run/input/port-values.ts';
import { calibrate } from '../../zoo/calibrate.ts';
import { quantiseGraph } from '../../zoo/quantise.ts';
import type { RunInputs } from '../inputs.ts';

export interface Quantised {
  readonly graph: Graph;
  readonly inputs: RunInputs;
}

export function quantised(graph: Graph, inputs: RunInputs): Quantised {
  const other = graph.inputs.find(({ tensor }) => graph.tensors[tensor].dtype !== 'f32');
  if (other)
    throw new TidemarkError(
      'usage',
      `--dtype int8: input ${other.name} is ${other.dtype}, only float models are quantised here; leave --dtype out`,
    );
  const result = quantiseGraph(graph, calibrate(graph, inputs.tensors));
  const tensors = result.inputs.map(({ tensor }, i) => {
    const to = result.tensors[tensor];
    return to.dtype === 'f32' ? inputs.tensors[i] : Int8Array.from(quantiseReal(inputs.tensors[i], to));
  });
  return {
    graph: result,
    inputs: { tensors, arrays: result.inputs.map((port, i) => fromTensor(port, tensors[i])) },
  };
}
