/** `tidemark csdf` from the outside: the published figures, the documents, the files, and what is refused. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder, tidemark, tidemarkJson } from './tidemark.ts';

const folder = temporaryFolder();
const sum = (edges: readonly Record<string, number>[], key: string) => edges.reduce((n, e) => n + e[key], 0);

describe('tidemark csdf', () => {
  it("has the published figures of VGG16 in the authors' mode", () => {
    const args = ['csdf', 'zoo:vgg16', '--dtype', 'int8', '--padding', 'ignore'];
    const all = tidemarkJson(args);
    expect(all).toMatchObject({ model: 'zoo:vgg16', padding: 'ignore', accounting: 'all', checked: true });
    expect(all.betweenLayers).toMatchObject({
      naiveBytes: 15_086_080,
      bufferBytes: 635_392,
      reuseBytes: 602_112,
    });
    // The picture's three lines and the 1000 scores come on top.
    expect(all.bufferBytes).toBe(635_392 + 2016 + 1000);
    expect(sum(all.edges, 'bufferBytes')).toBe(all.bufferBytes);
    expect(sum(all.edges, 'wholeBytes')).toBe(all.naiveBytes);
    expect(all.edges[0]).toEqual({
      from: 'input0',
      to: 'conv1',
      wholeBytes: 150_528,
      bufferBytes: 2016,
      end: 'input',
    });
    const inner = tidemarkJson([...args, '--accounting', 'ops-only']);
    expect([inner.naiveBytes, inner.bufferBytes, inner.reuseBytes]).toEqual([15_086_080, 635_392, 602_112]);
    expect(inner.edges.length).toBe(20);
  });

  it('is a plan with exact padding, and writes it with the graph', () => {
    const file = (name: string) => path.join(folder, name);
    const found = tidemarkJson([
      ...['csdf', 'zoo:resnet8', '--dtype', 'int8', '--partitions', '3', '--pareto'],
      ...['--plan', file('plan.json'), '--sdf3', file('graph.xml'), '--dot', file('graph.dot')],
    ]);
    expect(found).toMatchObject({ padding: 'exact', checked: true, phases: 259 });
    expect(found.arenaBytes).toBeLessThanOrEqual(found.sharedBytes);
    expect(found.pipeline.stages.length).toBe(3);
    expect(found.pareto.exact).toBe(true);
    expect(found.pareto.choices[0].byParts).toMatch(/^[01]{14}$/);
    expect(found.files.length).toBe(3);
    expect(fs.readFileSync(file('graph.xml'), 'utf8')).toContain('<sdf3 type="csdf"');
    const verified = tidemarkJson(['verify', 'zoo:resnet8', '--dtype', 'int8', '--plan', file('plan.json')]);
    expect(verified).toMatchObject({ exact: true, arenaBytes: found.arenaBytes });
  });

  it('takes a choice of layers that work by parts', () => {
    const phases = (choice: string) =>
      tidemarkJson(['csdf', 'zoo:ds-cnn', '--phases', choice]).layers.map(
        (l: { phases: number }) => l.phases,
      );
    expect(phases('none')).toEqual(new Array(11).fill(1));
    expect(phases('11000000000')).toEqual([25, 25, ...new Array(9).fill(1)]);
  });

  it('is readable', () => {
    const { stdout, status } = tidemark(['csdf', 'zoo:ds-cnn', '--dtype', 'int8']);
    expect(status).toBe(0);
    expect(stdout).toContain('a FIFO for every edge');
    expect(stdout).toContain('the plan is proven');
  });

  it.each([
    [['--padding', 'some'], '--padding expects one of exact, ignore'],
    [['--phases', '101'], '--phases expects all, none, or 11 digits'],
    [['--partitions', '40'], 'has 11 layers'],
    [['--partitions', 'two'], '--partitions expects a positive whole number'],
    [['--padding', 'ignore', '--plan', 'x.json'], 'cannot be run'],
  ])('refuses %j', (args, message) => {
    const { stderr, status } = tidemark(['csdf', 'zoo:ds-cnn', ...args]);
    expect(status).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr.trim().split('\n').length).toBe(1);
  });
});
