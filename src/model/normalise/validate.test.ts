import { describe, expect, test } from 'vitest';
import type { Graph } from '../../graph/graph.ts';
import { sketch } from './testing/small-graphs.ts';
import { validate } from './validate.ts';

const graph = sketch((s) => s.op('Exp', [s.relu(s.conv(s.input([1, 4, 4, 2]), 3))]));

function broken(change: (g: { -readonly [K in keyof Graph]: Graph[K] }) => void): Graph {
  const copy = { ...graph };
  change(copy);
  return copy;
}

describe('validate', () => {
  test('accepts a graph and gives it back', () => {
    expect(validate(graph)).toBe(graph);
  });

  const [conv, clip, exp] = graph.operators;
  const wrong: [string, Graph, RegExp][] = [
    [
      'order',
      broken((g) => {
        g.operators = [clip, conv, exp].map((op, id) => ({ ...op, id }));
      }),
      /before it is written/,
    ],
    [
      'ids',
      broken((g) => {
        g.operators = [{ ...conv, id: 5 }, clip, exp];
      }),
      /expected id 0/,
    ],
    [
      'two producers',
      broken((g) => {
        g.operators = [conv, clip, { ...exp, outputs: clip.outputs }];
      }),
      /has a value already/,
    ],
    [
      'shape',
      broken((g) => {
        g.tensors = g.tensors.map((t) => (t.id === conv.outputs[0] ? { ...t, shape: [1, 4, 4, 4] } : t));
      }),
      /the output is \[1,4,4,3\]/,
    ],
    [
      'quantisation',
      broken((g) => {
        g.tensors = g.tensors.map((t) =>
          t.id === 0 ? { ...t, quant: { scale: [1, 2, 3], zeroPoint: [0], axis: 0 } } : t,
        );
      }),
      /3 scales and 1 zero points/,
    ],
    [
      'port',
      broken((g) => {
        g.outputs = [{ ...g.outputs[0], shape: [1, 3, 4, 5] }];
      }),
      /is not the tensor's/,
    ],
    [
      'missing tensor',
      broken((g) => {
        g.operators = [conv, clip, { ...exp, inputs: [99] }];
      }),
      /no tensor 99/,
    ],
    [
      'epilogue',
      broken((g) => {
        g.operators = [
          conv,
          clip,
          { ...exp, epilogue: [{ kind: 'Conv', attrs: {}, from: { dtype: 'f32' }, to: { dtype: 'f32' } }] },
        ];
      }),
      /cannot be an epilogue/,
    ],
  ];

  test.each(wrong)('refuses a wrong %s', (_what, bad, message) => {
    expect(() => validate(bad)).toThrow(message);
  });
});
