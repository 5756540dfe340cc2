import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../graph/builder.ts';
import { type Graph, producers, type TypedArray } from '../graph/graph.ts';
import { normalise } from '../model/normalise/normalise.ts';
import { dequantiser, quantiser } from '../ops/stored.ts';
import { fingerprint } from '../plan/fingerprint.ts';
import { calibrate, calibrationInputs, runLayers } from './calibrate.ts';
import { Net } from './net.ts';
import { quantiseGraph } from './quantise.ts';
import { calibratedZooGraph, zooGraph, zooNames } from './zoo.ts';

const F32 = { dtype: 'f32' } as const;

function stored(graph: Graph, inputs: readonly TypedArray[]): TypedArray[] {
  return inputs.map((values, i) => {
    const type = graph.tensors[graph.inputs[i].tensor];
    const encode = quantiser(type);
    return type.quant ? Int8Array.from(values, (v) => encode(v)) : values;
  });
}

/** Signal to noise of the int8 outputs, in decibels. */
function quality(float: Graph, int8: Graph, seed: string): number {
  const inputs = calibrationInputs(float, seed);
  const exact = runLayers(float, inputs);
  let signal = 0;
  let noise = 0;
  runLayers(int8, stored(int8, inputs)).forEach((values, i) => {
    const decode = dequantiser(int8.tensors[int8.outputs[i].tensor]);
    for (const [k, q] of values.entries()) {
      signal += exact[i][k] ** 2;
      noise += (decode(q) - exact[i][k]) ** 2;
    }
  });
  return 10 * Math.log10(signal / noise);
}

describe('int8 zoo', () => {
  it.each(zooNames())('%s has the same operators and tensors as its float form', (name) => {
    const float = zooGraph(name);
    const int8 = zooGraph(name, { dtype: 'int8' });
    expect(int8.operators.map((o) => [o.id, o.kind, o.inputs, o.outputs])).toEqual(
      float.operators.map((o) => [o.id, o.kind, o.inputs, o.outputs]),
    );
    expect(int8.tensors.map((t) => t.shape)).toEqual(float.tensors.map((t) => t.shape));
    const by = producers(int8);
    const flowing = int8.tensors.filter((t) => by[t.id] || int8.inputs.some((p) => p.tensor === t.id));
    expect(new Set(flowing.map((t) => t.dtype))).toEqual(new Set(['i8']));
    expect(int8.inputs[0].dtype).toBe('i8');
    for (const op of int8.operators) {
      if (op.kind !== 'Concat') continue;
      const types = [...op.inputs, ...op.outputs].map((id) => int8.tensors[id].quant);
      expect(new Set(types.map((q) => JSON.stringify(q))).size).toBe(1);
    }
  });

  it.each([
    ['squeezenet1.1', 26],
    ['inceptionv3', 75],
    ['densenet121', 32],
    ['tinyyolov3', 32],
    ['unet', 16],
  ])('a plan of %s with placeholder scales is one of the calibrated network', (name, side) => {
    const options = { size: [side, side], width: 1 / 16 } as const;
    const calibrated = normalise(calibratedZooGraph(name, options));
    expect(fingerprint(normalise(zooGraph(name, { ...options, dtype: 'int8' })))).toBe(
      fingerprint(calibrated),
    );
  });

  it.each(['resnet8', 'ds-cnn', 'mobilenetv1-0.25-96', 'mobilenetv2-0.35-144', 'squeezenet1.1'])(
    '%s keeps its outputs on a picture that it was not calibrated on',
    (name) => {
      const int8 = calibratedZooGraph(name);
      expect(quality(zooGraph(name), int8, 'another picture')).toBeGreaterThan(20);
      const planned = zooGraph(name, { dtype: 'int8' });
      expect(int8.operators.map((o) => [o.id, o.kind, o.inputs, o.outputs])).toEqual(
        planned.operators.map((o) => [o.id, o.kind, o.inputs, o.outputs]),
      );
      expect(int8.tensors.map((t) => [t.id, t.shape, t.dtype])).toEqual(
        planned.tensors.map((t) => [t.id, t.shape, t.dtype]),
      );
    },
  );

  it.each(['fsrcnn', 'espcn', 'tinyyolov3', 'unet', 'densenet121'])(
    '%s keeps its outputs, made small',
    (name) => {
      const options = { size: [64, 64], width: 0.25 } as const;
      expect(quality(zooGraph(name, options), calibratedZooGraph(name, options), 'another')).toBeGreaterThan(
        15,
      );
    },
  );
});

describe('quantiseGraph', () => {
  it('keeps operators without integer form float, between a Dequantize and a Quantize', () => {
    const b = new GraphBuilder('mixed', 'onnx');
    const x = b.input({ name: 'x', shape: [1, 4, 4, 2], dtype: 'f32' }, F32);
    const doubled = b.op('Add', [x, b.constant('c', [2], Float32Array.of(0.5, -0.5))], {});
    const scale = b.constant('scale', [2], Float32Array.of(1, 2));
    const shift = b.constant('shift', [2], Float32Array.of(0, 1));
    const normal = b.op('InstanceNormalization', [doubled, scale, shift], { epsilon: 1e-5 });
    b.output(b.op('Clip', [normal], { min: 0, max: null }), { name: 'y', shape: [1, 4, 4, 2], dtype: 'f32' });
    const graph = b.build();
    const ranges = calibrate(graph, calibrationInputs(graph, 'mixed'));
    const int8 = quantiseGraph(graph, ranges);
    expect(int8.operators.map((o) => o.kind)).toEqual([
      'Add',
      'Dequantize',
      'InstanceNormalization',
      'Quantize',
      'Clip',
    ]);
    expect(quality(graph, int8, 'mixed')).toBeGreaterThan(25);
  });

  it('quantises a constant once for each type that it is wanted in', () => {
    const net = new Net('shared', 'relu', {});
    const x = net.input(6, 6, 2);
    const graph = net.finish(net.conv(net.conv(x, 2, 3), 2, 3));
    // Both convolutions share the bias of the first, whose scale differs between them.
    const bias = graph.operators[0].inputs[2];
    const operators = graph.operators.map((o) => ({ ...o, inputs: [o.inputs[0], o.inputs[1], bias] }));
    const shared = { ...graph, operators };
    const int8 = quantiseGraph(shared, calibrate(shared, calibrationInputs(shared, 's')));
    const [one, two] = int8.operators.map((o) => int8.tensors[o.inputs[2]]);
    expect(one.id).not.toBe(two.id);
    expect(one.quant).not.toEqual(two.quant);
    expect(quality(shared, int8, 'other')).toBeGreaterThan(20);
  });
});
