import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { digests } from './testing/digests.ts';
import { digestOf, type Layer, layersOf } from './testing/layers.ts';
import { zooGraph, zooListing, zooNames } from './zoo.ts';

const TABLE = '../shared/zoo-topologies.json';

interface Row extends Omit<Layer, 'pads' | 'macs'> {
  readonly pads_top_bottom_left_right?: readonly number[];
  readonly macs?: number;
}

describe('zoo topologies', () => {
  it.each(zooNames())('%s has its published layers', (name) => {
    expect(digestOf(layersOf(zooGraph(name)))).toBe(digests[name]);
  });

  it.skipIf(!existsSync(TABLE))('equal the shared table row by row (needs ../shared)', () => {
    const table: Record<string, Row[]> = JSON.parse(readFileSync(TABLE, 'utf8'));
    expect(zooNames().sort()).toEqual(Object.keys(table).sort());
    for (const [name, rows] of Object.entries(table)) {
      const expected = rows.map((r) => ({
        name: r.name,
        kind: r.kind,
        inputs: r.inputs,
        out: r.out,
        macs: r.macs ?? 0,
      }));
      const layers = layersOf(zooGraph(name));
      const found = layers.map(({ name: layer, kind, inputs, out, macs }) => ({
        name: layer,
        kind,
        inputs,
        out,
        macs,
      }));
      expect(found, name).toEqual(expected);
      rows.forEach((r, i) => {
        if (!['conv', 'dw', 'deconv', 'pool'].includes(r.kind)) return;
        const [top, bottom, left, right] = r.pads_top_bottom_left_right!;
        const { kernel, stride, pads, out } = layers[i];
        expect({ kernel, stride }, `${name} ${r.name}`).toEqual({ kernel: r.kernel, stride: r.stride });
        expect(pads, `${name} ${r.name} ${out}`).toEqual([top, left, bottom, right]);
      });
    }
  });

  it('lists every network without making a weight', () => {
    const list = zooListing();
    expect(list.find((m) => m.name === 'vgg16')).toEqual({
      name: 'vgg16',
      input: [1, 3, 224, 224],
      macs: 15470264320,
      weightBytes: 4 * 138357544,
    });
  });

  it('names what exists when asked for what does not', () => {
    expect(() => zooGraph('vgg17')).toThrow(/no zoo model vgg17: expected one of alexnet, vgg16/);
  });
});
