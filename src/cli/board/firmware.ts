/** From a program to a firmware image: emitted, compiled with boards/, measured, linked into the part's memory. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BoardLayout } from '../../boards/layout.ts';
import { marksOf, readSymbols } from '../../boards/marks.ts';
import { readCallGraph, readDisassembly, type StackFunction, stackBound } from '../../boards/stack-bound.ts';
import { emitC } from '../../emit/c/model.ts';
import type { Program } from '../../kernels/program.ts';
import { COMPILER, hostCompiler, runTool } from './toolchain.ts';

/** The firmware's own files, beside the package's src or dist. */
const BOARDS = fileURLToPath(new URL('../../../boards/', import.meta.url));

export interface FirmwareOptions {
  /** Builds in what report.ts calls attempts. */
  readonly tries?: boolean;
  /** Bytes of the arena's section, where it is to be another than planned. */
  readonly arenaBytes?: number;
  /** How the model is compiled. Left out: MODEL_FLAGS. */
  readonly flags?: readonly string[];
}

export interface Firmware {
  readonly folder: string;
  readonly program: Program;
  readonly layout: BoardLayout;
  /** Whether it was linked into the part's memory; else only its sizes are known. */
  readonly fits: boolean;
  /** Code, constants, and what data begins as. */
  readonly flashBytes: number;
  /** Static data beside arena and stack. */
  readonly dataBytes: number;
  readonly arenaBytes: number;
  readonly stackBoundBytes: number;
  /** The deepest chain of calls. */
  readonly stackPath: readonly string[];
}

const MODEL_FLAGS = ['-O2'];
const SOURCES = ['startup', 'guard', 'main'] as const;
const CALLBACKS = ['read_input', 'write_output'] as const;

/** Temporary folders of this process, removed when it ends. */
const folders = new Set<string>();

function removeFolders(): void {
  for (const folder of folders) fs.rmSync(folder, { recursive: true, force: true });
}

export function buildFirmware(
  program: Program,
  layout: BoardLayout,
  options: FirmwareOptions = {},
): Firmware {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidemark-board-'));
  if (folders.size === 0) process.once('exit', removeFolders);
  folders.add(folder);
  const { files } = emitC(program);
  for (const [name, content] of Object.entries(files))
    fs.writeFileSync(path.join(folder, name), name === 'model.c' ? apart(content as string) : content);
  compile(folder, program, layout, options);
  const functions = new Map<string, StackFunction>();
  const own = new Set<string>();
  for (const source of [...SOURCES, 'model']) {
    const before = new Set(functions.keys());
    readCallGraph(fs.readFileSync(path.join(folder, `${source}.ci`), 'utf8'), functions);
    if (source !== 'model') for (const name of functions.keys()) if (!before.has(name)) own.add(name);
  }
  // Linked without limits first: the stack's bound needs the whole program, and sizes are wanted where it is too large.
  const arenaBytes = options.arenaBytes ?? Math.max(1, program.arenaBytes);
  const roomy = { ...layout, flashBytes: 2 ** 26, ramBytes: arenaBytes + 2 ** 20 };
  link(folder, 'roomy.elf', roomy, arenaBytes, 2 ** 16);
  const disassembly = runTool('arm-none-eabi-objdump', ['-d', '-j', '.text', 'roomy.elf'], folder);
  readDisassembly(disassembly, symbolsOf(folder, 'roomy.elf'), functions);
  if (options.tries)
    for (const [name, fn] of functions) if (/^recurse/.test(name)) functions.set(name, { ...fn, calls: [] });
  const bound = stackBound(functions, 'Reset_Handler', CALLBACKS);
  const stackBoundBytes = Math.ceil(bound.bytes / 8) * 8;
  const sections = sizes(runTool('arm-none-eabi-size', ['-A', 'roomy.elf'], folder));
  const of = (name: string) => sections.get(name) ?? 0;
  const flashBytes = of('.text') + of('.rodata') + of('.ARM.exidx') + of('.data');
  const dataBytes = of('.data') + of('.bss');
  const ramNeeded = stackBoundBytes + dataBytes + layout.fenceBytes + Math.ceil(arenaBytes / 32) * 32;
  const fits = flashBytes <= layout.flashBytes && ramNeeded <= layout.ramBytes;
  if (fits) {
    link(folder, 'firmware.elf', layout, arenaBytes, stackBoundBytes);
    fs.writeFileSync(
      path.join(folder, 'marks.txt'),
      marksOf(symbolsOf(folder, 'firmware.elf'), program.actors, own),
    );
    runTool(
      hostCompiler()!,
      ['-O2', '-fPIC', '-shared', path.join(BOARDS, 'plugin/count.c'), '-o', 'libcount.so'],
      folder,
    );
  }
  return {
    folder,
    program,
    layout,
    fits,
    flashBytes,
    dataBytes,
    arenaBytes,
    stackBoundBytes,
    stackPath: bound.path,
  };
}

const symbolsOf = (folder: string, elf: string) =>
  readSymbols(runTool('arm-none-eabi-nm', ['-S', '--defined-only', elf], folder));

/**
 * The functions of actors stay functions of their own, so that what is executed can be told apart by addresses; a
 * call costs a few instructions more than code put in place.
 */
function apart(source: string): string {
  return source.replace(/^static void (fire_\d+)\(/gm, '__attribute__((noipa)) static void $1(');
}

function compile(folder: string, program: Program, layout: BoardLayout, options: FirmwareOptions): void {
  const holes = layout.holes
    .map(({ base, log2Bytes }) => `{0x${base.toString(16)}u,${log2Bytes}u}`)
    .join(',');
  const common = [
    ...layout.machine.cpu,
    '-mthumb',
    '-std=gnu99',
    '-Wall',
    '-Wextra',
    '-ffunction-sections',
    '-fdata-sections',
    '-ffp-contract=off',
    '-fcallgraph-info=su',
    '-DMODEL_ARENA=tidemark_arena',
    `-DMODEL_ARENA_BYTES=${Math.max(1, program.arenaBytes)}`,
    `-I${BOARDS}`,
    '-I.',
    '-c',
  ];
  const firmware = [
    '-Os',
    '-ffreestanding',
    '-fno-tree-loop-distribute-patterns',
    `-DBOARD_HOLES=${holes}`,
    `-DBOARD_LINE_BYTES=${lineBytes(program)}`,
  ];
  if (options.tries) firmware.push('-DBOARD_TRIES');
  for (const source of SOURCES)
    runTool(
      COMPILER,
      [...common, ...firmware, path.join(BOARDS, `${source}.c`), '-o', `${source}.o`],
      folder,
    );
  runTool(COMPILER, [...common, ...(options.flags ?? MODEL_FLAGS), 'model.c', '-o', 'model.o'], folder);
}

/** Bytes of a line of the first input, where it is a picture that is streamed; else 0. */
function lineBytes({ inputs: [input] }: Program): number {
  if (input?.where !== 'streamed' || input.shape.length !== 4) return 0;
  return input.bytes / (input.shape[0] * input.shape[1]);
}

function link(
  folder: string,
  out: string,
  layout: BoardLayout,
  arenaBytes: number,
  stackBytes: number,
): void {
  const symbols: Readonly<Record<string, number>> = {
    FLASH_ORIGIN: layout.flashOrigin,
    FLASH_BYTES: layout.flashBytes,
    RAM_ORIGIN: layout.ramOrigin,
    RAM_BYTES: layout.ramBytes,
    STACK_BYTES: stackBytes,
    ARENA_BYTES: arenaBytes,
    FENCE_BYTES: layout.fenceBytes,
  };
  const defined = Object.entries(symbols).map(([name, value]) => `-Wl,--defsym=${name}=${value}`);
  runTool(
    COMPILER,
    [
      ...layout.machine.cpu,
      '-mthumb',
      '-nostartfiles',
      `-T${path.join(BOARDS, 'board.ld')}`,
      '-Wl,--gc-sections',
      '-Wl,--no-warn-rwx-segments',
      ...defined,
      ...SOURCES.map((s) => `${s}.o`),
      'model.o',
      '-o',
      out,
    ],
    folder,
  );
}

/** `size -A`: bytes of each section. */
function sizes(text: string): Map<string, number> {
  return new Map(
    text.split('\n').flatMap((line) => {
      const match = /^(\.\S+)\s+(\d+)/.exec(line);
      return match ? [[match[1], Number(match[2])] as const] : [];
    }),
  );
}
