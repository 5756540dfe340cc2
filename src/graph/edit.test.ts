import { describe, expect, test } from 'vitest';
import { GraphBuilder } from './builder.ts';
import { GraphEdit } from './edit.ts';
import type { Graph } from './graph.ts';

function chain(...kinds: string[]): Graph {
  const b = new GraphBuilder('chain', 'onnx');
  let x = b.input({ name: 'x', shape: [2, 3], dtype: 'f32' }, { dtype: 'f32' });
  for (const kind of kinds) x = b.op(kind, [x], {}, { name: kind });
  b.output(x, { name: 'y', shape: [2, 3], dtype: 'f32' });
  return b.build();
}

const kinds = (graph: Graph) => graph.operators.map((op) => op.kind);

describe('GraphEdit', () => {
  test('gives back the very graph when nothing changed', () => {
    const graph = chain('Tanh', 'Exp');
    expect(new GraphEdit(graph).finish()).toBe(graph);
  });

  test('redirecting drops what becomes unread, and the port follows', () => {
    const graph = chain('Tanh', 'Exp', 'Neg');
    const edit = new GraphEdit(graph);
    const [tanh, exp] = graph.operators;
    edit.redirect(exp.outputs[0], tanh.outputs[0]);
    expect(kinds(edit.finish())).toEqual(['Tanh', 'Neg']);
    expect(kinds(graph)).toEqual(['Tanh', 'Exp', 'Neg']);
  });

  test('a new operator stands right before its first reader; a replaced one keeps its place', () => {
    const graph = chain('Tanh', 'Exp', 'Neg');
    const edit = new GraphEdit(graph);
    const [tanh, exp, neg] = graph.operators;
    const id = edit.add('Abs', [exp.outputs[0]]);
    edit.replace(neg, { inputs: [id] });
    edit.replace(tanh, { kind: 'Sin' });
    const result = edit.finish();
    expect(kinds(result)).toEqual(['Sin', 'Exp', 'Abs', 'Neg']);
    expect(result.operators.map((op) => op.id)).toEqual([0, 1, 2, 3]);
  });

  test('operators on constants become lazy constants', () => {
    const graph = chain('Tanh');
    const edit = new GraphEdit(graph);
    const c = edit.constant('c', [3], { dtype: 'f32' }, () => Float32Array.of(1, 2, 3));
    const id = edit.add('Neg', [c]);
    expect(edit.producer(id)).toBeUndefined();
    expect(Array.from(edit.tensor(id).constant!.load())).toEqual([-1, -2, -3]);
  });

  test('the sole reader is one operator that reads once, of a tensor no output shows', () => {
    const b = new GraphBuilder('g', 'onnx');
    const x = b.input({ name: 'x', shape: [2], dtype: 'f32' }, { dtype: 'f32' });
    const once = b.op('Tanh', [x]);
    const twice = b.op('Exp', [once]);
    const y = b.op('Mul', [twice, twice]);
    b.output(y, { name: 'y', shape: [2], dtype: 'f32' });
    const edit = new GraphEdit(b.build());
    const [tanh, exp, mul] = edit.operators();
    expect(edit.soleReader(tanh.outputs[0])).toBe(exp);
    expect(edit.soleReader(exp.outputs[0])).toBeUndefined();
    expect(edit.soleReader(mul.outputs[0])).toBeUndefined();
  });

  test('a cycle is an error, not a hang', () => {
    const graph = chain('Tanh', 'Exp');
    const edit = new GraphEdit(graph);
    const [tanh, exp] = graph.operators;
    edit.replace(tanh, { inputs: [exp.outputs[0]] });
    expect(() => edit.finish()).toThrow(/depends on its own output/);
  });
});
