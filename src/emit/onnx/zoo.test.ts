import { describe, expect, it } from 'vitest';
import type { Graph } from '../../graph/graph.ts';
import { normalise } from '../../model/normalise/normalise.ts';
import { readOnnx } from '../../model/onnx/read.ts';
import { quantiser } from '../../ops/stored.ts';
import { calibrationInputs, runLayers } from '../../zoo/calibrate.ts';
import type { NetOptions } from '../../zoo/net.ts';
import { calibratedZooGraph, zooGraph } from '../../zoo/zoo.ts';
import { compareWithRuntime } from './testing/compare.ts';
import { writeOnnx } from './write.ts';

const small = (size: number, width = 0.25): NetOptions => ({ size: [size, size], width });

/** Every family; the large ones made small. */
const CASES: readonly (readonly [string, NetOptions])[] = [
  ['resnet8', {}],
  ['ds-cnn', {}],
  ['mobilenetv1-0.25-96', {}],
  ['mobilenetv2-0.35-144', {}],
  ['squeezenet1.1', {}],
  ['squeezenet1.0', small(96)],
  ['alexnet', small(99, 0.125)],
  ['vgg16', small(64, 0.125)],
  ['resnet18', small(64)],
  ['resnet50', small(64)],
  ['inceptionv3', small(107)],
  ['googlenet', small(64)],
  ['densenet121', small(64)],
  ['tinyyolov2', small(64)],
  ['tinyyolov3', small(64)],
  ['ssd-mobilenetv1-300', small(100)],
  ['dncnn-17', small(32)],
  ['fsrcnn', small(32, 1)],
  ['espcn', small(32, 1)],
  ['unet', small(32)],
];

const float = (name: string, options: NetOptions) => zooGraph(name, options);
const int8 = (name: string, options: NetOptions) => calibratedZooGraph(name, options);

function inputsFor(graph: Graph, name: string) {
  return calibrationInputs(graph, `${name}/test`).map((values, i) => {
    const type = graph.tensors[graph.inputs[i].tensor];
    const encode = quantiser(type);
    return type.quant ? Int8Array.from(values, (v) => encode(v)) : values;
  });
}

/** What two graphs must agree on to be the same network. */
function operators(graph: Graph) {
  return graph.operators.map(({ name, kind, attrs, epilogue, outputs }) => {
    const { shape, dtype, quant } = graph.tensors[outputs[0]];
    const steps = epilogue?.map((step) => [step.kind, step.attrs, step.from.quant, step.to.quant]);
    return { name, kind, attrs, steps, shape, dtype, quant };
  });
}

const reread = (graph: Graph, name: string) =>
  normalise(readOnnx(writeOnnx(graph), { name, file: `${name}.onnx` }));

/** The same without names and order, which making operators integer may change. */
const sorted = (graph: Graph) =>
  operators(graph)
    .map(({ name: _, attrs, ...rest }) => JSON.stringify([rest, Object.entries(attrs).sort()]))
    .sort();

describe('written zoo networks', () => {
  it.each(CASES)('%s as float runs alike in ONNX Runtime', async (name, options) => {
    const graph = float(name, options);
    expect((await compareWithRuntime(graph, inputsFor(graph, name))).relative).toBeLessThan(1e-4);
  });

  it.each(CASES)('%s as int8 gives the same integers in ONNX Runtime', async (name, options) => {
    const graph = int8(name, options);
    const { greatest, count } = await compareWithRuntime(graph, inputsFor(graph, name));
    expect({ greatest, count }).toEqual({ greatest: 0, count: 0 });
  });

  it.each(CASES)('%s as float is read back as it was', (name, options) => {
    const graph = float(name, options);
    const back = reread(graph, name);
    expect(operators(back)).toEqual(operators(normalise(graph)));
    const inputs = inputsFor(graph, name);
    expect(runLayers(back, inputs)).toEqual(runLayers(graph, inputs));
  });

  it.each(CASES)('%s as int8 is read back as it was, but for the order of branches', (name, options) => {
    const graph = int8(name, options);
    const back = reread(graph, name);
    expect(sorted(back)).toEqual(sorted(normalise(graph)));
    const inputs = inputsFor(graph, name);
    expect(runLayers(back, inputs)).toEqual(runLayers(graph, inputs));
  });
});
