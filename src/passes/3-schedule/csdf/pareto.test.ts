import { describe, expect, it } from 'vitest';
import type { Graph } from '../../../graph/graph.ts';
import { normalise } from '../../../model/normalise/normalise.ts';
import { zooGraph } from '../../../zoo/zoo.ts';
import { csdfOf } from './from-graph.ts';
import { type ParetoSet, paretoSet } from './pareto.ts';
import { sizesOf } from './sizes.ts';

function setOf(graph: Graph, tries?: number): ParetoSet {
  const all = csdfOf(graph, { padding: 'exact' });
  const layers = all.actors.filter((a) => a.kind !== 'input' && a.kind !== 'output');
  return paretoSet({
    free: layers.map((a) => a.mostPhases > 1),
    tries,
    evaluate: (byParts) => {
      const sizes = sizesOf(csdfOf(graph, { padding: 'exact', byParts }), { preference: 'downstream' });
      return { bytes: sizes.reuseBytes, phases: sizes.phases };
    },
  });
}

describe('few layers', () => {
  const found = setOf(normalise(zooGraph('resnet8', { dtype: 'int8' })));

  it('all choices are tried', () => {
    expect(found.exact).toBe(true);
    expect(found.tried).toBe(2 ** 12);
  });

  it('more memory buys fewer phases, all the way', () => {
    const { choices } = found;
    expect(choices.length).toBeGreaterThan(2);
    for (let i = 1; i < choices.length; i++) {
      expect(choices[i].bytes).toBeGreaterThan(choices[i - 1].bytes);
      expect(choices[i].phases).toBeLessThan(choices[i - 1].phases);
    }
  });

  it('a search that tries some finds the ends', () => {
    const every = found.choices[0].byParts;
    const some = paretoSet({
      free: [...every, ...every].map(() => true),
      tries: 300,
      evaluate: (b) => ({ bytes: b.filter((x) => !x).length, phases: b.filter((x) => x).length }),
    });
    expect(some.exact).toBe(false);
    expect(some.choices[0].bytes).toBe(0);
    expect(some.choices.at(-1)!.phases).toBe(0);
  });
});
