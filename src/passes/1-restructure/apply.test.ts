import { describe, expect, it } from 'vitest';
import { randomGraph, randomInputs } from '../../../test/random/random-graph.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import type { Graph } from '../../graph/graph.ts';
import { pick, type Random, seeded } from '../../ops/testing/operator-case.ts';
import { graphMacs } from '../../plan/metrics.ts';
import { runReference } from '../../run/reference.ts';
import { applyTiles } from './apply.ts';
import { outputsOf, usesOf } from './region.ts';
import { regionOperators, tileOf } from './tile.ts';
import { evenCuts, type TiledRegion, type Tiling } from './tiling.ts';

/** Regions of consecutive operators with one output, cut at random, one after another. */
function randomRegions(graph: Graph, seed: number): TiledRegion[] {
  const random = seeded(seed);
  const regions: TiledRegion[] = [];
  for (let from = 0; from < graph.operators.length; ) {
    const region = randomRegion(graph, random, from);
    if (!region) break;
    regions.push(region);
    from = region.operators[region.operators.length - 1] + 1;
  }
  return regions;
}

function randomRegion(graph: Graph, random: Random, from: number): TiledRegion | undefined {
  const uses = usesOf(graph);
  const n = graph.operators.length;
  for (let tries = 0; tries < 12; tries++) {
    const first = pick(random, from, Math.min(n - 1, from + 3));
    const last = pick(random, first, n - 1);
    const operators = Array.from({ length: last - first + 1 }, (_, i) => first + i);
    const outputs = outputsOf(graph, uses, operators);
    if (outputs.length !== 1) continue;
    const { shape } = graph.tensors[outputs[0]];
    if (shape.length !== 4) continue;
    const cuts = (size: number) => {
      const inner = Array.from({ length: size - 1 }, (_, i) => i + 1).filter(() => random() < 0.4);
      return [0, ...(random() < 0.3 ? [] : inner), size];
    };
    const apart = random() < 0.5;
    const region = { operators, rows: cuts(shape[1]), columns: cuts(shape[2]), apart };
    const cut = { rows: region.rows.length > 2, columns: region.columns.length > 2 };
    if (!cut.rows && !cut.columns) continue;
    const parts = regionOperators(graph, operators);
    const tiles = region.rows.slice(1).flatMap((bottom, r) =>
      region.columns.slice(1).map((right, c) => ({
        rows: { lo: region.rows[r], hi: bottom },
        columns: { lo: region.columns[c], hi: right },
      })),
    );
    if (tiles.every((want) => tileOf(graph, parts, outputs[0], want, cut))) return region;
  }
  return undefined;
}

describe('random graphs cut into tiles', () => {
  it.each([0, 300, 600, 900])('seeds %i and on: equal to the original, bit for bit', (from) => {
    let cut = 0;
    const kinds = new Set<string>();
    for (let seed = from; seed < from + 300; seed++) {
      const graph = randomGraph(seed);
      const tiling: Tiling = { regions: randomRegions(graph, seed) };
      if (tiling.regions.length === 0) continue;
      const tiled = applyTiles(graph, tiling);
      const inputs = randomInputs(graph, seed);
      expect(runReference(tiled, inputs), `seed ${seed} ${JSON.stringify(tiling)}`).toEqual(
        runReference(graph, inputs),
      );
      for (const id of tiling.regions.flatMap((r) => r.operators)) kinds.add(graph.operators[id].kind);
      cut++;
    }
    expect(cut).toBeGreaterThan(120);
    expect(kinds.size).toBeGreaterThan(15);
  });
});

describe('two 3 x 3 convolutions of stride 1', () => {
  const H = 24;
  const builder = new GraphBuilder('pair', 'onnx');
  const x = builder.input({ name: 'x', shape: [1, H, 10, 4], dtype: 'f32' }, { dtype: 'f32' });
  const attrs = { stride: [1, 1], dilation: [1, 1], pads: [1, 1, 1, 1], groups: 1 };
  const weights = () => builder.constant('w', [4, 3, 3, 4], new Float32Array(144).fill(0.1));
  const middle = builder.op('Conv', [x, weights()], attrs);
  const y = builder.op('Conv', [middle, weights()], attrs);
  builder.output(y, { name: 'y', shape: y.shape, dtype: 'f32' });
  const graph = builder.build();

  it.each([2, 3, 4, 6])('in %i row tiles compute the middle map over H + 2 (n - 1) rows', (n) => {
    const tiled = applyTiles(graph, {
      regions: [{ operators: [0, 1], rows: evenCuts(H, n), columns: [0, 10] }],
    });
    const rows = H + 2 * (n - 1) + H;
    expect(graphMacs(tiled) / graphMacs(graph)).toBeCloseTo(rows / (2 * H), 12);
  });

  it.each([
    ['cuts that do not end at the height', { operators: [0, 1], rows: [0, 12, 20], columns: [0, 10] }],
    ['cuts that do not ascend', { operators: [0, 1], rows: [0, 12, 12, 24], columns: [0, 10] }],
    ['operators out of order', { operators: [1, 0], rows: [0, 12, 24], columns: [0, 10] }],
    ['operators that are not there', { operators: [0, 7], rows: [0, 12, 24], columns: [0, 10] }],
    ['a single tile', { operators: [0, 1], rows: [0, 24], columns: [0, 10] }],
    [
      'channels of what is no bottleneck',
      { operators: [0, 1], rows: [0, 24], columns: [0, 10], channels: [0, 2, 4] },
    ],
  ])('refuses %s', (_what, region) => {
    expect(() => applyTiles(graph, { regions: [region] })).toThrow(
      expect.objectContaining({ code: 'plan-invalid' }),
    );
  });
});
