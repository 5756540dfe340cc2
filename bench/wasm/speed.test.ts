/**
 * Writes bench/results/wasm-speed.md: plans as WebAssembly beside ONNX Runtime in WebAssembly and native, each on one
 * thread, in turns in one process.
 */
import { PLANS } from '../../src/cli/bench/bench-model.ts';
import { ratio, speedBench } from '../speed/speed.ts';

speedBench({
  file: 'wasm-speed.md',
  script: 'bench:wasm-speed',
  title: 'WebAssembly beside ONNX Runtime',
  about: [
    'One thread each, made-up inputs, inputs put in and outputs taken out. The runtimes take turns of about 100 ms; the first 1.5 s of',
    'each are not counted. "CPU" is processor time, which other work on the machine disturbs least; ratios are of it: "x ort-web" is that of',
    "onnxruntime-web over the row's, and above 1 is faster than it. Peak memory of ours is the arena; of ONNX Runtime (native),",
    'what resident memory grows by at most in its first run.',
    '',
    'Plans: layer by layer; `fit`, the cheapest within the smallest arena and 10 % above it; the smallest, most of whose firings compute a',
    'single pixel where that saves memory, and then read all weights of a layer for each.',
  ],
  backend: ['wasm'],
  against: ['ort', 'ort-web'],
  plan: PLANS,
  ratios: [
    ['x ort (native)', (r) => r.cpuRatioVsOrt],
    ['x ort-web', (r) => r.cpuRatioVsOrtWeb],
  ],
  mean: (m) => `${ratio(m.cpuRatioVsOrtWeb)} of ort-web's speed, ${ratio(m.cpuRatioVsOrt)} of native ort's`,
});
