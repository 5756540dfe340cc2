/** Many small networks as one C program: compiled together and run once, in one arena that nobody cleans between them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emitC } from '../../src/emit/c/model.ts';
import { allocate, type Graph } from '../../src/graph/graph.ts';
import { lowerPlan } from '../../src/kernels/lower.ts';
import type { Machine } from '../../src/kernels/machine.ts';
import type { Program } from '../../src/kernels/program.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { difference, type Subject } from '../random/random-plans.ts';
import { joined } from './wire.ts';

interface Member {
  readonly seed: number;
  readonly name: string;
  readonly subject: Subject;
  readonly program: Program;
  readonly source: string;
  readonly header: string;
}

export interface CResult {
  /** Techniques whose answers were right, one a network. */
  readonly agreed: readonly string[];
  readonly problems: { seed: number; problem: string }[];
}

/** Every so many batches are built with the compiler's checks of memory and of undefined behaviour. */
const SANITISED_EVERY = 6;
let batches = 0;

export class CBatch {
  readonly #machine: Machine;
  readonly #members: Member[] = [];

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  add(seed: number, name: string, subject: Subject, graph: Graph, plan: Plan): void {
    const program = lowerPlan(graph, plan, this.#machine);
    const prefix = `n${this.#members.length}`;
    const { files } = emitC(program, { prefix, weights: 'arrays' });
    const [source, header] = [String(files[`${prefix}.c`]), String(files[`${prefix}.h`])];
    this.#members.push({ seed, name, subject, program, source, header });
  }

  run(): CResult {
    if (this.#members.length === 0) return { agreed: [], problems: [] };
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-fuzz-'));
    try {
      return this.#runIn(folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  #runIn(folder: string): CResult {
    const members = this.#members;
    const arenaBytes = Math.max(16, ...members.map((m) => m.program.arenaBytes));
    members.forEach(({ source, header }, i) => {
      // One arena for all: each finds what the one before has left.
      const arena = `#define N${i}_ARENA fuzz_arena\n#define N${i}_ARENA_BYTES ${arenaBytes}\n`;
      writeFileSync(join(folder, `n${i}.h`), arena + header);
      writeFileSync(join(folder, `n${i}.c`), source);
    });
    writeFileSync(
      join(folder, 'main.c'),
      mainOf(
        members.map((m) => m.program),
        arenaBytes,
      ),
    );
    const inputs = members.flatMap(({ subject }) =>
      subject.inputs.map((v) => new Uint8Array(v.buffer, v.byteOffset, v.byteLength)),
    );
    writeFileSync(join(folder, 'inputs.bin'), joined(inputs));
    const sources = members.map((_, i) => `n${i}.c`);
    const checks =
      ++batches % SANITISED_EVERY === 0
        ? ['-O0', '-fsanitize=address,undefined', '-fno-sanitize-recover=all']
        : ['-O0'];
    const args = ['-std=c99', ...checks, '-ffp-contract=off', '-w', ...sources, 'main.c', '-o', 'run'];
    const compiled = spawnSync('gcc', args, { cwd: folder, encoding: 'utf8' });
    const all = (problem: string) => ({
      agreed: [],
      problems: [{ seed: members[0].seed, problem: `${this.#names()}: ${problem}` }],
    });
    if (compiled.status !== 0) return all(`the C does not compile: ${compiled.stderr.slice(0, 600)}`);
    const ran = spawnSync('./run', [], { cwd: folder, encoding: 'utf8', timeout: 60_000 });
    if (ran.status !== 0) return all(`the C fails: ${ran.signal ?? ''} ${ran.stderr.slice(0, 1500)}`);
    return this.#compared(new Uint8Array(readFileSync(join(folder, 'outputs.bin'))));
  }

  #names(): string {
    return `seeds ${this.#members[0].seed} to ${this.#members.at(-1)!.seed}, C for ${this.#machine.name}`;
  }

  #compared(bytes: Uint8Array): CResult {
    const agreed: string[] = [];
    const problems: { seed: number; problem: string }[] = [];
    let at = 0;
    for (const { seed, name, subject } of this.#members) {
      const found = subject.graph.outputs.map((port, o) => {
        const values = allocate(subject.graph.tensors[port.tensor].dtype, subject.expected[o].length);
        new Uint8Array(values.buffer).set(bytes.subarray(at, at + values.byteLength));
        at += values.byteLength;
        return values;
      });
      const wrong = difference(found, subject.expected);
      if (wrong)
        problems.push({ seed, problem: `seed ${seed}, ${name}, C for ${this.#machine.name}: ${wrong}` });
      else agreed.push(name);
    }
    return { agreed, problems };
  }
}

/** Reads the inputs of all from one file, runs each, writes all outputs to another. */
function mainOf(programs: readonly Program[], arenaBytes: number): string {
  const each = programs.map((program, i) => {
    const inputs = program.inputs.map(
      (p, k) =>
        `  io.inputs[${k}] = room(${p.bytes}); if (fread((void *)io.inputs[${k}], 1, ${p.bytes}, in) != ${p.bytes}) exit(3);`,
    );
    const room = program.outputs.map((p, k) => `  io.outputs[${k}] = room(${p.bytes});`);
    const write = program.outputs.map((p, k) => `  fwrite(io.outputs[${k}], 1, ${p.bytes}, out);`);
    return [
      `static void run${i}(FILE *in, FILE *out) {`,
      `  static n${i}_io io;`,
      ...inputs,
      ...room,
      `  n${i}_run(&io);`,
      ...write,
      '}',
    ].join('\n');
  });
  return [
    '#define _POSIX_C_SOURCE 200112L',
    '#include <stdio.h>',
    '#include <stdlib.h>',
    '#include <string.h>',
    ...programs.map((_, i) => `#include "n${i}.h"`),
    `uint8_t fuzz_arena[${arenaBytes}] __attribute__((aligned(64)));`,
    'static void *room(size_t bytes) { void *p = 0; if (posix_memalign(&p, 64, bytes ? bytes : 1)) exit(3); return p; }',
    ...each,
    'int main(void) {',
    '  FILE *in = fopen("inputs.bin", "rb"), *out = fopen("outputs.bin", "wb");',
    '  if (!in || !out) return 3;',
    `  memset(fuzz_arena, 0xa5, ${arenaBytes});`,
    ...programs.map((_, i) => `  run${i}(in, out);`),
    '  return fclose(out) == 0 ? 0 : 3;',
    '}',
    '',
  ].join('\n');
}
