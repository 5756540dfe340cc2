/** Every backend as the contract suite calls it: whether it takes a case, and what it makes of a part of it. */
import type { TypedArray } from '../../src/graph/graph.ts';
import { PLAIN, VECTOR16 } from '../../src/kernels/machine.ts';
import { guardedRun } from '../../src/kernels/testing/guarded-run.ts';
import { compileC, findCompiler } from '../../src/run/c-backend.ts';
import { executePlan } from '../../src/run/execute.ts';
import { wasmBackend } from '../../src/run/wasm-backend.ts';
import type { Network } from './networks.ts';
import type { Part } from './way.ts';

export interface ContractBackend {
  readonly name: string;
  /** Why it does not run a network at all; undefined where it does. */
  skips?(network: Network): string | undefined;
  /** Of a network's techniques, every how many it takes: 1, all. Which of them takes turns from network to network. */
  readonly every?: number;
  run(part: Part, inputs: readonly TypedArray[]): readonly TypedArray[];
}

/** What the interpreter, a node at a time and every access watched, gets through in a second or so. */
const MOST_INTERPRETED_MACS = 70_000;
const compilers = ['gcc', 'clang'].filter((name) => findCompiler([name]));
const STRICT = ['-Wall', '-Wextra', '-Werror', '-pedantic'];

export const backends: readonly ContractBackend[] = [
  {
    name: 'reference executor',
    run: ({ graph, plan }, inputs) => executePlan(graph, plan, inputs, { paint: 0xa5 }).outputs,
  },
  {
    name: 'interpreter, every access watched',
    skips: ({ macs }) =>
      macs > MOST_INTERPRETED_MACS
        ? `networks of more than ${MOST_INTERPRETED_MACS} multiply-accumulates take the interpreter too long`
        : undefined,
    run: ({ graph, plan }, inputs) => guardedRun(graph, plan, VECTOR16, inputs),
  },
  {
    name: 'WebAssembly',
    run: ({ graph, plan }, inputs) => wasmBackend.prepare(graph, plan).run(inputs, { paint: 0xa5 }).outputs,
  },
  {
    name: 'C, everything dead forbidden',
    skips: () => (compilers.length > 0 ? undefined : 'no C compiler; install gcc or clang'),
    // Compilers take a second or more for each: a network is compiled in one of its two element types.
    every: 14,
    run: ({ graph, plan }, inputs) => {
      // Compilers take turns.
      const compiler = compilers[graph.operators.length % compilers.length];
      const flags = [...STRICT, '-O0'];
      const model = compileC(graph, plan, { watch: 'bytes', machine: PLAIN, compiler, flags });
      try {
        return model.run(inputs, { paint: 0xa5 }).outputs;
      } finally {
        model.dispose();
      }
    },
  },
];
