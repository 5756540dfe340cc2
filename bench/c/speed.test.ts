/**
 * Writes bench/results/c-speed.md: plans as C beside native ONNX Runtime, each on one thread, in turns. Skipped where
 * there is no C compiler.
 */
import { describe } from 'vitest';
import { findCompiler } from '../../src/run/c-backend.ts';
import { ratio, speedBench } from '../speed/speed.ts';

const missing = findCompiler() === undefined;

describe.skipIf(missing)(`C${missing ? ' (skipped: no C compiler)' : ''}`, () => {
  speedBench({
    file: 'c-speed.md',
    script: 'bench:c-speed',
    title: 'C beside ONNX Runtime',
    about: [
      "One thread each, made-up inputs. 'c' gives the reference's bits (gcc -O2, products and sums of floats rounded apart), 'c-fast' is -O3 with",
      'them fused; both -march=native with the widest vectors. The runtimes take turns of about 100 ms. "CPU" is processor time, which other',
      'work on the machine disturbs least; "x ort" is that of onnxruntime-node over the row\'s, and above 1 is faster than it.',
      'Peak memory of ours is the arena; of ONNX Runtime, what resident memory grows by at most in its first run.',
    ],
    backend: ['c', 'c-fast'],
    against: ['ort'],
    plan: ['layerwise', 'fit'],
    ratios: [['x ort', (r) => r.cpuRatioVsOrt]],
    mean: (m) => `${ratio(m.cpuRatioVsOrt)} of ONNX Runtime's speed`,
  });
});
