/** Channel groups as emitted code: a middle of many channels in parts, their sums rounded once, the same bits. */
import { describe, expect, it } from 'vitest';
import { randomInputs } from '../../../test/random/random-graph.ts';
import { difference } from '../../../test/random/random-plans.ts';
import { fitGraph } from '../../fit/fit.ts';
import type { Graph } from '../../graph/graph.ts';
import { normalise } from '../../model/normalise/normalise.ts';
import { applyTiles } from '../../passes/1-restructure/apply.ts';
import { channelChain } from '../../passes/1-restructure/channel-groups.ts';
import { evenCuts } from '../../passes/1-restructure/tiling.ts';
import { runReference, toGraphLayout } from '../../run/reference.ts';
import { wasmBackend } from '../../run/wasm-backend.ts';
import { calibratedZooGraph } from '../../zoo/zoo.ts';
import { ARM_DSP, PLAIN, VECTOR16 } from '../machine.ts';
import { guardedRun } from '../testing/guarded-run.ts';

/** The first two inverted bottlenecks, their middles in three groups each. */
function inGroups(graph: Graph): Graph {
  const regions = graph.operators.slice(0, -2).flatMap(({ id }) => {
    const chain = channelChain(graph, [id, id + 1, id + 2]);
    if (!chain) return [];
    const [, height, width] = graph.tensors[chain.narrow.outputs[0]].shape;
    const channels = evenCuts(chain.middle, 3);
    const region = { operators: [id, id + 1, id + 2], rows: [0, height], columns: [0, width], channels };
    return [region];
  });
  return applyTiles(graph, { regions: regions.slice(0, 2) });
}

describe.each(['onnx', 'tflite'] as const)('channel groups, %s', (dialect) => {
  const options = { size: [12, 12], width: 0.25 } as const;
  const graph = { ...normalise(calibratedZooGraph('mobilenetv2-0.35-144', options)), dialect };
  const tiled = inGroups(graph);
  const values = randomInputs(graph, 1);
  const inputs = values.map((v, i) => toGraphLayout(graph.inputs[i], v));
  const expected = runReference(graph, values).map((o) => o.values);
  const { plan } = fitGraph(tiled, { policy: { input: 'reuse', output: 'whole' } });

  it('is what is planned', () => {
    expect(tiled.operators.filter((op) => op.kind === 'RequantizeSums')).toHaveLength(2);
  });

  it.each([PLAIN, VECTOR16, ARM_DSP])('for $name, every access watched', (machine) => {
    expect(difference(guardedRun(tiled, plan, machine, inputs), expected)).toBeUndefined();
  });

  it('as WebAssembly', () => {
    const { outputs } = wasmBackend.prepare(tiled, plan).run(inputs, { paint: 0x5a });
    expect(difference(outputs, expected)).toBeUndefined();
  });
});
