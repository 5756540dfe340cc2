/**
 * Runs a plan as the C that would be deployed: emitted into a temporary folder, compiled by the host's compiler, and
 * run as a process of its own. For Node.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { emitC } from '../emit/c/model.ts';
import { TidemarkError } from '../errors.ts';
import { allocate, elementCount, type Graph, type TypedArray } from '../graph/graph.ts';
import { lowerPlan } from '../kernels/lower.ts';
import { type Machine, PLAIN, VECTOR16, VECTOR32, VECTOR64, VECTOR64_VNNI } from '../kernels/machine.ts';
import type { Program } from '../kernels/program.ts';
import { firingRights } from '../kernels/rights.ts';
import type { Plan } from '../plan/plan.ts';
import type { Backend, Prepared } from './backend.ts';
import { harness } from './c-harness.ts';
import { rightsFile, type Watch, watchCommand, watchFlags, watchSource } from './c-watch.ts';
import type { ExecuteOptions, ExecuteResult } from './execute.ts';

export interface CompileOptions {
  /** Left out: the first of cc, gcc, clang that there is. */
  readonly compiler?: string;
  /** Left out: the widest vectors that the host has. */
  readonly machine?: Machine;
  /** Left out: -O2 and the machine's instructions. */
  readonly flags?: readonly string[];
  /** Lets products and sums be fused, and sums be reordered: faster, and results differ in the last bits. */
  readonly fast?: boolean;
  /** Watches every access of every firing: slow. */
  readonly watch?: Watch;
}

export const cBackend: Backend = {
  name: 'c',
  prepare: (graph, plan, onProgress) => compileC(graph, plan, {}, onProgress),
};

/** Optimised as far as it goes: products and sums of floats are fused, and the last bits differ. */
export const fastCBackend: Backend = {
  name: 'c-fast',
  prepare: (graph, plan, onProgress) => compileC(graph, plan, { fast: true, flags: ['-O3'] }, onProgress),
};

/** Run with every access of every firing watched. */
export const watchedCBackend = (watch: Watch): Backend => ({
  name: `c, watched (${watch})`,
  prepare: (graph, plan, onProgress) => compileC(graph, plan, { watch }, onProgress),
});

/** The host's C compiler, or undefined. */
export function findCompiler(names: readonly string[] = ['cc', 'gcc', 'clang']): string | undefined {
  return names.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
}

/** The machine with the widest vectors that this host runs. */
export function hostMachine(): Machine {
  const flags = hostFlags();
  if (flags.has('avx512bw') && flags.has('avx512vl'))
    return flags.has('avx512_vnni') ? VECTOR64_VNNI : VECTOR64;
  if (flags.has('avx2')) return VECTOR32;
  return process.arch === 'x64' || process.arch === 'arm64' ? VECTOR16 : PLAIN;
}

function hostFlags(): Set<string> {
  try {
    const line = /^flags\s*:(.*)$/m.exec(fs.readFileSync('/proc/cpuinfo', 'utf8'));
    return new Set((line?.[1] ?? '').split(/\s+/));
  } catch {
    return new Set();
  }
}

/** Processor time of a run from which on a single one says enough. */
const SLOW_MS = 500;

export class CompiledModel implements Prepared {
  readonly #folder: string;
  readonly #graph: Graph;
  #cpuMs = 0;
  readonly program: Program;
  readonly #watch: Watch | undefined;

  constructor(folder: string, graph: Graph, program: Program, watch?: Watch) {
    this.#folder = folder;
    this.#graph = graph;
    this.program = program;
    this.#watch = watch;
  }

  run(inputs: readonly TypedArray[], options: ExecuteOptions = {}): ExecuteResult {
    return this.measure(inputs, { ...options, repeats: 1 });
  }

  /** Runs several times; `seconds` has the time of each run. */
  measure(
    inputs: readonly TypedArray[],
    options: ExecuteOptions & { readonly repeats: number },
  ): ExecuteResult & { readonly seconds: readonly number[]; readonly cpuSeconds: readonly number[] } {
    inputs.forEach((values, i) => {
      const port = this.program.inputs[i];
      if (values.byteLength !== port.bytes)
        throw new TidemarkError(
          'input-invalid',
          `input ${port.name}: expected ${port.bytes} bytes, received ${values.byteLength}`,
        );
      fs.writeFileSync(
        path.join(this.#folder, `input${i}.bin`),
        new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
      );
    });
    const args = [String(options.repeats), String(options.paint ?? 0)];
    const [command, ...before] = watchCommand(this.#watch);
    const result = spawnSync(command, [...before, ...args], { cwd: this.#folder, encoding: 'utf8' });
    if (result.status !== 0) {
      const why = result.error?.message ?? (this.#said(result.stderr) || `signal ${result.signal}`);
      throw new TidemarkError('internal', `the compiled model failed: ${why}`);
    }
    const outputs = this.#graph.outputs.map((port, i) => {
      const tensor = this.#graph.tensors[port.tensor];
      const values = allocate(tensor.dtype, elementCount(tensor.shape));
      const bytes = fs.readFileSync(path.join(this.#folder, `output${i}.bin`));
      new Uint8Array(values.buffer).set(bytes);
      return values;
    });
    const arena = new Uint8Array(fs.readFileSync(path.join(this.#folder, 'arena.bin')));
    const lines = result.stdout.trim().split('\n');
    const [seconds, cpuSeconds] = [0, 1].map((i) => lines.map((line) => Number(line.split(' ')[i])));
    return { outputs, arena, seconds, cpuSeconds };
  }

  /** What a failed run said that matters, with the actor's name. */
  #said(stderr: string): string {
    const lines = stderr.trim().split('\n');
    const line =
      lines.find((l) => l.startsWith('firing ')) ?? lines.find((l) => /error/i.test(l)) ?? lines[0];
    return line.replace(
      /^(firing \d+) of actor (-?\d+)/,
      (_, firing, actor) => `${firing} (${this.program.actors[Number(actor)]?.name ?? 'outputs leave'})`,
    );
  }

  /** Milliseconds of each of several runs. Processor time, which is another process's, is in `cpuMs` after it. */
  time(inputs: readonly TypedArray[], times: number): readonly number[] {
    // Several have one before them that brings memory up. The first time is a trial, and slow models do not feel it.
    const one = this.#cpuMs === 0 || this.#cpuMs > SLOW_MS;
    const repeats = one ? times : Math.max(2, times);
    const { seconds, cpuSeconds } = this.measure(inputs, { repeats });
    this.#cpuMs = (1000 * cpuSeconds.reduce((n, s) => n + s, 0)) / cpuSeconds.length;
    return seconds.map((s) => 1000 * s);
  }

  /** Processor time of a run, of those that were timed last. */
  get cpuMs(): number {
    return this.#cpuMs;
  }

  /** Removes the temporary folder. */
  dispose(): void {
    fs.rmSync(this.#folder, { recursive: true, force: true });
  }
}

const folders = new Set<string>();

/** Sees to it that a folder does not outlive the process. */
function temporary(folder: string): void {
  if (folders.size === 0) {
    process.once('exit', () => {
      for (const f of folders) fs.rmSync(f, { recursive: true, force: true });
    });
  }
  folders.add(folder);
}

/** Emits, compiles, and makes ready to run. */
export function compileC(
  graph: Graph,
  plan: Plan,
  options: CompileOptions = {},
  onProgress?: (done: number) => void,
): CompiledModel {
  const compiler = options.compiler ?? findCompiler();
  if (!compiler)
    throw new TidemarkError(
      'runtime-missing',
      'no C compiler: expected cc, gcc or clang on the path; install one, or use --backend wasm',
    );
  if (options.watch === 'valgrind' && !findCompiler(['valgrind']))
    throw new TidemarkError(
      'runtime-missing',
      'no valgrind: expected it on the path; install it, or use --sanitize bytes',
    );
  // Valgrind does not know all vectors that hosts have.
  const own: Machine = options.machine ?? (options.watch === 'valgrind' ? PLAIN : hostMachine());
  const machine = options.fast ? { ...own, reorders: true } : own;
  const program = lowerPlan(graph, plan, machine, { onProgress });
  const { watch } = options;
  const { files } = emitC(program, { weights: 'file', firings: watch !== undefined });
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidemark-c-'));
  temporary(folder);
  const write = (name: string, content: string | Uint8Array) =>
    fs.writeFileSync(path.join(folder, name), content);
  for (const [name, content] of Object.entries(files)) write(name, content);
  write('run.c', harness(program, watch));
  const flags = [...(watch ? watchFlags(watch, isClang(compiler)) : ['-O2']), ...(options.flags ?? [])];
  const native =
    machine.lanes > 1 && process.arch === 'x64' ? ['-march=native', '-mprefer-vector-width=512'] : [];
  const fast = options.fast ? ['-DMODEL_FAST', '-ffp-contract=fast'] : ['-ffp-contract=off'];
  const build = (...args: string[]) => {
    const result = spawnSync(compiler, ['-std=c99', ...args], { cwd: folder, encoding: 'utf8' });
    if (result.status === 0) return;
    const first = result.error?.message ?? result.stderr.split('\n').find((l) => l.includes('error')) ?? '';
    throw new TidemarkError('internal', `${compiler} refused the emitted C: ${first} (in ${folder})`);
  };
  if (watch) {
    write('watch.c', watchSource(watch));
    write('rights.bin', rightsFile(firingRights(graph, plan, program)));
    build('-O1', '-c', 'watch.c', '-o', 'watch.o');
  }
  build(...flags, ...native, ...fast, 'run.c', ...(watch ? ['watch.o'] : []), '-o', 'run');
  return new CompiledModel(folder, graph, program, watch);
}

function isClang(compiler: string): boolean {
  return /clang/.test(spawnSync(compiler, ['--version'], { encoding: 'utf8' }).stdout ?? '');
}
