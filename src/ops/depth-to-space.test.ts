import { describe, expect, it } from 'vitest';
import { depthToSpace } from './depth-to-space.ts';
import { spaceToDepth } from './space-to-depth.ts';
import { checkOperator, contextFor, pick, randomInput, seeded } from './testing/check-operator.ts';

/** Channel of the deep tensor for a place in the block and a channel of the wide one. */
const deepChannel = (order: string, block: number, channels: number, part: number, c: number) =>
  order === 'DCR' ? part * channels + c : c * block * block + part;

describe('DepthToSpace and SpaceToDepth', () => {
  it.each(['DCR', 'CRD'])('move blocks in order %s, one undoing the other', (order) => {
    const random = seeded(5);
    for (let round = 0; round < 15; round++) {
      const block = pick(random, 1, 3);
      const [n, h, w, c] = [pick(random, 1, 2), pick(random, 1, 3), pick(random, 1, 4), pick(random, 1, 3)];
      const x = randomInput(random, [n, h, w, c * block * block]);
      const given = { inputs: [x], attrs: { block, order } };
      const [wide] = checkOperator(depthToSpace, given, round);
      const { shape } = contextFor(depthToSpace, given).outputs[0];
      expect(shape).toEqual([n, h * block, w * block, c]);
      wide.forEach((v, i) => {
        const column = Math.floor(i / c) % (w * block);
        const row = Math.floor(i / c / (w * block));
        const part = (row % block) * block + (column % block);
        const pixel = Math.floor(row / block) * w + Math.floor(column / block);
        expect(v).toBe(x.values[pixel * c * block * block + deepChannel(order, block, c, part, i % c)]);
      });
      const back = { inputs: [{ shape, type: x.type, values: wide }], attrs: { block, order } };
      expect(checkOperator(spaceToDepth, back, round)[0]).toEqual(x.values);
    }
  });

  it('refuse sizes that do not divide', () => {
    const inputs = [randomInput(seeded(1), [1, 3, 4, 2])];
    expect(() => contextFor(spaceToDepth, { inputs, attrs: { block: 2, order: 'DCR' } })).toThrow(
      /blocks of 2/,
    );
    expect(() => contextFor(depthToSpace, { inputs, attrs: { block: 2, order: 'DCR' } })).toThrow(
      /no multiple/,
    );
  });
});
