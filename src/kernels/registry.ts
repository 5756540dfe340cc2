/** The kernels of every operator that can be emitted. A family is a file in ops/ and a line here. */
import { TidemarkError } from '../errors.ts';
import type { OpContext } from '../ops/operator.ts';
import type { OperatorKernels } from './kernel.ts';
import { argKernels } from './ops/arg-extreme.ts';
import { binaryKernels } from './ops/binary.ts';
import { convKernels } from './ops/conv.ts';
import { convTransposeKernels } from './ops/conv-transpose.ts';
import { fullyConnectedKernels } from './ops/fully-connected.ts';
import { lineKernels } from './ops/lines.ts';
import { matMulKernels } from './ops/mat-mul.ts';
import { movementKernels } from './ops/movement.ts';
import { normalisationKernels } from './ops/normalisation.ts';
import { poolKernels } from './ops/pool.ts';
import { reduceKernels } from './ops/reduce.ts';
import { requantiseSumsKernels } from './ops/requantise-sums.ts';
import { resizeKernels } from './ops/resize.ts';
import { unaryKernels } from './ops/unary.ts';
import { whereKernels } from './ops/where.ts';

const families: readonly (readonly OperatorKernels[])[] = [
  [convKernels],
  [convTransposeKernels],
  [resizeKernels],
  [fullyConnectedKernels],
  poolKernels,
  reduceKernels,
  binaryKernels,
  unaryKernels,
  movementKernels,
  lineKernels,
  argKernels,
  normalisationKernels,
  [matMulKernels],
  [whereKernels],
  [requantiseSumsKernels],
];

const byKind = new Map(families.flat().map((k) => [k.kind, k]));

/** The kernels of an operator. Throws `operator-unsupported` where there are none. */
export function kernelsOf({ op }: OpContext): OperatorKernels {
  const kernels = byKind.get(op.kind);
  if (kernels) return kernels;
  throw new TidemarkError(
    'operator-unsupported',
    `${op.kind} (${op.name}) has no kernel for C and WebAssembly yet; run the plan with --backend reference`,
  );
}

/** Kinds that can be emitted, sorted. */
export function emittedKinds(): string[] {
  return [...byKind.keys()].sort();
}
