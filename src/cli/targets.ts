/**
 * What `fit --target` can write beside the plan. Adding a target is a file in targets/ that exports `target`, and
 * a line in the list. Only the modules of those that are asked for are loaded.
 */
import type { Compiled, ModelSource } from '../compile.ts';
import { TidemarkError } from '../errors.ts';

export interface Target {
  /** Refuses a model that it has no form for, before any planning: throws a TidemarkError. */
  refuse?(model: string, source: ModelSource): void;
  write(input: TargetInput): TargetOutput;
}

export interface TargetInput {
  /** MODEL as the user gave it. */
  readonly model: string;
  readonly source: ModelSource;
  readonly compiled: Compiled;
  readonly budgetBytes?: number;
}

export interface TargetOutput {
  readonly files: readonly TargetFile[];
  /** Stands in the document under `targets`, by the target's name. */
  readonly figures: Readonly<Record<string, unknown>>;
  /** False where this target needs more than the budget; the exit code is then 1. */
  readonly fits: boolean;
  /** Label and text of each line for people. */
  readonly lines: readonly (readonly [label: string, text: string])[];
}

export interface TargetFile {
  readonly name: string;
  readonly content: string | Uint8Array;
  /** For README.txt: what it is and how to use it, a few sentences. */
  readonly about: string;
}

interface Entry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<{ readonly target: Target }>;
}

const entries: readonly Entry[] = [
  { name: 'onnx', summary: 'the network as planned, as ONNX', load: () => import('./targets/onnx.ts') },
  {
    name: 'tflite',
    summary: 'the file with a plan for TFLite Micro',
    load: () => import('./targets/tflite.ts'),
  },
  {
    name: 'tflite-reference',
    summary: 'the same in less, for its reference kernels only',
    load: () => import('./targets/tflite-reference.ts'),
  },
  {
    name: 'wasm',
    summary: 'a WebAssembly module and its loader',
    load: () => import('./targets/wasm.ts'),
  },
  {
    name: 'wasm-relaxed',
    summary: 'the same, and a module that fuses products and sums of floats where the host has relaxed SIMD',
    load: async () => (await import('./targets/wasm.ts')).relaxed,
  },
  { name: 'c', summary: 'C99 for any compiler', load: () => import('./targets/c.ts') },
  {
    name: 'c-dsp',
    summary: "C with Arm's DSP instructions, as Cortex-M4, M7 and M33 have them, for GCC and Clang",
    load: async () => (await import('./targets/c.ts')).dsp,
  },
  {
    name: 'c-dsp-wide',
    summary: 'the same with weights in 16 bits: up to a tenth fewer instructions, twice the flash',
    load: async () => (await import('./targets/c.ts')).dspWide,
  },
  {
    name: 'c-helium',
    summary: 'C with Helium, as Cortex-M55 has it, for GCC and Clang',
    load: async () => (await import('./targets/c.ts')).helium,
  },
  {
    name: 'c-vector16',
    summary: 'C for GCC and Clang with vectors of 16 bytes, as SSE and NEON have them',
    load: async () => (await import('./targets/c.ts')).vector16,
  },
  {
    name: 'c-vector32',
    summary: 'of 32 bytes: AVX2',
    load: async () => (await import('./targets/c.ts')).vector32,
  },
  {
    name: 'c-vector64',
    summary: 'of 64 bytes: AVX-512',
    load: async () => (await import('./targets/c.ts')).vector64,
  },
  {
    name: 'c-vector64-vnni',
    summary: 'the same with dot products of bytes: AVX-512 VNNI',
    load: async () => (await import('./targets/c.ts')).vnni,
  },
];

/** Each target with what it writes, for help. */
export const targetsHelp = entries.map(({ name, summary }) => `${name} (${summary})`).join(', ');

/** A target of the list, by its name. */
export type NamedTarget = Target & { readonly name: string };

/** Loads the targets that are named, each once. */
export async function loadTargets(names: readonly string[]): Promise<readonly NamedTarget[]> {
  const wanted = [...new Set(names)].map((name) => {
    const entry = entries.find((e) => e.name === name);
    if (entry) return entry;
    const words = entries.map((e) => e.name).join(', ');
    throw new TidemarkError('usage', `--target expects one of ${words}, got '${name}'`);
  });
  return Promise.all(wanted.map(async ({ name, load }) => ({ name, ...(await load()).target })));
}
