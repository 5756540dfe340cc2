/** The ONNX project's operator tests: what passes, and that the list of what does not is the one written down. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCases, runCase, testFolder } from './onnx/cases.ts';

/** The operators that the project promises; 3-D windows, TopK and LpPool are not among them. */
const PROMISED = new Set(
  `Conv ConvTranspose MaxPool AveragePool GlobalAveragePool GlobalMaxPool Gemm MatMul Add Sub Mul Div Relu Clip LeakyRelu PRelu
  Sigmoid HardSigmoid HardSwish Tanh Elu Exp Softmax LRN BatchNormalization Concat Slice Split Pad Reshape Flatten Transpose
  Squeeze Unsqueeze Resize Upsample DepthToSpace SpaceToDepth ReduceMean ReduceMax ReduceSum ArgMax Gather QuantizeLinear
  DequantizeLinear QLinearConv QLinearMatMul ConvInteger MatMulInteger`.split(/\s+/),
);

const known: Record<string, string[]> = JSON.parse(
  readFileSync(join(import.meta.dirname, 'onnx/known-failures.json'), 'utf8'),
);

const present = existsSync(testFolder());

describe.skipIf(!present)(`ONNX operator tests${present ? '' : ` (skipped: no ${testFolder()})`}`, () => {
  const outcomes = present ? readCases().map(runCase) : [];

  it('fails exactly where it is known to, and why is written down', () => {
    const failing = outcomes.filter((o) => o.failure !== undefined).map((o) => o.case.dir);
    expect(failing.sort()).toEqual(Object.values(known).flat().sort());
  });

  it('passes at least 90 % of the cases of the promised operators', () => {
    const cases = outcomes.filter((o) => o.case.ops.every((op) => PROMISED.has(op)));
    const passed = cases.filter((o) => o.failure === undefined);
    expect(cases.length).toBeGreaterThan(400);
    expect(passed.length / cases.length).toBeGreaterThanOrEqual(0.9);
  });

  it('never fails with a raw exception', () => {
    expect(outcomes.filter((o) => o.failure?.startsWith('raw'))).toEqual([]);
  });
});
