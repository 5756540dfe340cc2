/** Every network of the zoo made small: the same operators, branches and strides, on few pixels and few channels. */
import { elementCount, type Graph, type TypedArray } from '../../src/graph/graph.ts';
import { normalise } from '../../src/model/normalise/normalise.ts';
import { randomValues, seeded } from '../../src/ops/testing/operator-case.ts';
import { graphMacs } from '../../src/plan/metrics.ts';
import { fromGraphLayout, runReference } from '../../src/run/reference.ts';
import { calibratedZooGraph, zooGraph, zooNames } from '../../src/zoo/zoo.ts';

export type DType = 'f32' | 'int8';

export interface Network {
  readonly name: string;
  readonly dtype: DType;
  /** Place in the zoo: whose turn it is, where cases take turns. */
  readonly turn: number;
  readonly macs: number;
  readonly graph: Graph;
  /** In the file's order of axes, as `expected` is: what the layers give one by one, without a plan. */
  readonly inputs: readonly TypedArray[];
  readonly expected: readonly TypedArray[];
}

/** Height and width, and the share of the channels. Sizes from which every layer still has pixels, and some have several. */
const SMALL: Readonly<Record<string, readonly [size: number, width: number]>> = {
  alexnet: [75, 1 / 16],
  vgg16: [32, 1 / 32],
  vgg19: [32, 1 / 32],
  'squeezenet1.0': [30, 1 / 8],
  'squeezenet1.1': [26, 1 / 8],
  resnet18: [20, 1 / 16],
  resnet34: [20, 1 / 16],
  resnet50: [20, 1 / 16],
  resnet101: [12, 1 / 16],
  resnet152: [12, 1 / 16],
  'mobilenetv1-1.0-224': [24, 1 / 16],
  'mobilenetv1-0.25-96': [24, 1 / 4],
  'mobilenetv2-1.0-224': [20, 1 / 16],
  'mobilenetv2-0.35-144': [20, 1 / 8],
  inceptionv3: [75, 1 / 32],
  googlenet: [32, 1 / 16],
  densenet121: [32, 1 / 16],
  tinyyolov2: [32, 1 / 16],
  tinyyolov3: [32, 1 / 16],
  'ssd-mobilenetv1-300': [16, 1 / 16],
  'dncnn-17': [12, 1 / 16],
  fsrcnn: [10, 1 / 4],
  espcn: [10, 1 / 8],
  unet: [16, 1 / 16],
  'ds-cnn': [13, 1 / 8],
  resnet8: [12, 1 / 4],
};

export const networkNames: readonly string[] = zooNames();

export function networkOf(name: string, dtype: DType): Network {
  const [side, width] = SMALL[name] ?? [32, 1 / 16];
  const options = { size: [side, side], width } as const;
  const read = dtype === 'int8' ? calibratedZooGraph(name, options) : zooGraph(name, options);
  const graph = normalise(read);
  const random = seeded(networkNames.indexOf(name) + 1);
  const inputs = graph.inputs.map((port) => {
    const t = graph.tensors[port.tensor];
    return fromGraphLayout(port, randomValues(random, t, elementCount(t.shape)));
  });
  return {
    name,
    dtype,
    turn: networkNames.indexOf(name),
    macs: graphMacs(graph),
    graph,
    inputs,
    expected: runReference(graph, inputs).map((o) => o.values),
  };
}
