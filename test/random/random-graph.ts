/**
 * Small random graphs, seeded: the same seed gives the same graph on every machine. They are meant to be awkward:
 * odd sizes, windows larger than the map, parts that are inputs or outputs, views of views, dead branches.
 */
import { TidemarkError } from '../../src/errors.ts';
import {
  type ElementType,
  elementCount,
  type Graph,
  lazyConstant,
  type TypedArray,
} from '../../src/graph/graph.ts';
import { randomValues, seeded } from '../../src/ops/testing/operator-case.ts';
import { quantiseGraph } from '../../src/zoo/quantise.ts';
import { placeholderRanges } from '../../src/zoo/ranges.ts';
import { concat, residual } from './constructions/joins.ts';
import { dense, mean, rarer, unary } from './constructions/layers.ts';
import { pad, reshape, shuffles, slice, transpose } from './constructions/movement.ts';
import { conv, convTranspose, dynamic, pool, resize } from './constructions/windows.ts';
import { GraphMaker } from './graph-maker.ts';

export interface RandomGraphOptions {
  /** Operators that are attempted. */
  readonly least?: number;
  readonly greatest?: number;
  /** Operators that seeds of before have not: products, gathers, normalisations. Left out: none, and no 8-bit unsigned. */
  readonly wide?: boolean;
  /** Float whatever the seed. */
  readonly float?: boolean;
}

/** A graph with 1 to 3 inputs and any number of outputs; float, or int8 in either dialect. */
export function randomGraph(seed: number, options: RandomGraphOptions = {}): Graph {
  const float = floatGraph(seed, options);
  const form = seed % 5;
  if (form < 2 || options.float) return float;
  const quantised = quantiseGraph(float, placeholderRanges(float));
  if (options.wide && form === 3) return unsigned(quantised);
  return form < 4 ? quantised : { ...quantised, dialect: 'tflite' };
}

/** Operators whose further inputs are weights: where those are constants they stay signed. */
const WEIGHTED = new Set(['Conv', 'ConvTranspose', 'FullyConnected']);

/** The same with unsigned activations: what is stored, and its zero point, is 128 more. */
function unsigned(graph: Graph): Graph {
  const weights = new Set(graph.operators.flatMap((op) => (WEIGHTED.has(op.kind) ? op.inputs.slice(1) : [])));
  const changed = <T extends ElementType>(type: T): T =>
    type.dtype === 'i8' && type.quant
      ? {
          ...type,
          dtype: 'u8',
          quant: { ...type.quant, zeroPoint: type.quant.zeroPoint.map((z) => z + 128) },
        }
      : type;
  const tensors = graph.tensors.map((t) => {
    if (t.constant && weights.has(t.id)) return t;
    const to = changed(t);
    const { constant } = t;
    if (to === t || !constant) return to;
    return { ...to, constant: lazyConstant(() => Uint8Array.from(constant.load(), (v) => v + 128)) };
  });
  const operators = graph.operators.map((op) => ({
    ...op,
    ...(op.epilogue
      ? { epilogue: op.epilogue.map((e) => ({ ...e, from: changed(e.from), to: changed(e.to) })) }
      : {}),
  }));
  const ports = (list: Graph['inputs']) => list.map((p) => ({ ...p, dtype: tensors[p.tensor].dtype }));
  return { ...graph, tensors, operators, inputs: ports(graph.inputs), outputs: ports(graph.outputs) };
}

/** Values for every input of a graph. */
export function randomInputs(graph: Graph, seed: number): TypedArray[] {
  const random = seeded(seed ^ 0x5bd1e995);
  return graph.inputs.map((p) => {
    const t = graph.tensors[p.tensor];
    return randomValues(random, t, elementCount(t.shape));
  });
}

/** Some constructions after 1 to 3 inputs. */
function floatGraph(seed: number, options: RandomGraphOptions): Graph {
  const make = new GraphMaker(seed);
  const operators = make.int(options.least ?? 2, options.greatest ?? 11);
  const batch = make.chance(0.15) ? 2 : 1;
  const shape = [batch, make.int(1, 11), make.int(1, 9), make.int(1, 6)];
  make.input(shape);
  if (make.chance(0.25)) make.input(make.chance(0.6) ? shape : [batch, shape[1], shape[2], make.int(1, 4)]);
  if (make.chance(0.08)) make.input([batch, 1, 1, shape[3]]);
  for (let made = 0, tries = 0; made < operators && tries < 60; tries++) {
    try {
      made += step(make, options.wide === true);
    } catch (error) {
      // The parameters did not fit together; others will.
      if (!(error instanceof TidemarkError) || error.code === 'internal') throw error;
    }
  }
  return make.finish();
}

/** Adds one construction; the number of operators it has. */
function step(make: GraphMaker, wide: boolean): number {
  if (wide && make.chance(0.15)) return rarer(make, make.picture());
  const dice = make.random();
  const list: readonly (readonly [number, () => number])[] = [
    [0.2, () => conv(make, make.picture())],
    [0.02, () => dynamic(make, make.picture())],
    [0.1, () => pool(make, make.picture())],
    [0.03, () => convTranspose(make, make.picture())],
    [0.04, () => resize(make, make.picture())],
    [0.14, () => residual(make)],
    [0.14, () => concat(make)],
    [0.08, () => slice(make, make.picture())],
    [0.04, () => pad(make, make.picture())],
    [0.06, () => reshape(make, make.picture())],
    [0.02, () => transpose(make, make.picture())],
    [0.04, () => shuffles(make, make.picture())],
    [0.03, () => mean(make, make.picture())],
    [0.03, () => dense(make, make.picture())],
    [0.03, () => unary(make, make.picture())],
  ];
  let sum = 0;
  for (const [share, construct] of list) {
    sum += share;
    if (dice < sum) return construct();
  }
  return conv(make, make.picture());
}
