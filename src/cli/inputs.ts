/** The inputs of a run from `--input FILE...`: files in order or as NAME=FILE, or made-up numbers from a seed. */
import { type Command, Option } from 'commander';
import { TidemarkError } from '../errors.ts';
import type { Graph, Port, TypedArray } from '../graph/graph.ts';
import type { FileArray } from '../run/input/file-array.ts';
import { readNpz } from '../run/input/npz.ts';
import { type PictureOptions, RAW } from '../run/input/picture-input.ts';
import { fitArray, portType, toTensor } from '../run/input/port-values.ts';
import { PRESETS } from '../run/input/preprocess.ts';
import { randomArray } from '../run/input/random.ts';
import { readInput } from '../run/input/read-input.ts';
import { readChecked } from './model-files.ts';
import { oneOf, parseCount, parseNumbers } from './options/values.ts';
import { note } from './output.ts';

export interface InputOptions extends PictureOptions {
  readonly input?: readonly string[];
  readonly seed: number;
}

export interface RunInputs {
  /** One a graph input, as files have them. */
  readonly arrays: readonly FileArray[];
  /** The same as the arena has them. */
  readonly tensors: readonly TypedArray[];
}

export function withInputs(command: Command): Command {
  return command
    .option(
      '--input <files...>',
      'inputs in order, or NAME=FILE: .npy, .npz, .png, .jpg, .bmp or .bin; made-up numbers where left out',
    )
    .addOption(
      new Option(
        '--preprocess <range>',
        `what a picture's bytes become: ${[...Object.keys(PRESETS), ...RAW].join(', ')} (default: raw for 8-bit inputs, 0..1 for others)`,
      ).argParser(oneOf('--preprocess', [...Object.keys(PRESETS), ...RAW])),
    )
    .addOption(
      new Option('--resize <how>', 'crop the middle to the aspect of the input, stretch, or none')
        .default('crop')
        .argParser(oneOf('--resize', ['crop', 'stretch', 'none'])),
    )
    .addOption(
      new Option('--color <order>', 'rgb, bgr or grey').argParser(oneOf('--color', ['rgb', 'bgr', 'grey'])),
    )
    .option('--mean <a,b,c>', 'subtracted from each channel, after --scale', (t) => parseNumbers(t, '--mean'))
    .option('--std <a,b,c>', 'divides each channel, last', (t) => parseNumbers(t, '--std'))
    .option(
      '--scale <factor>',
      'multiplies the bytes of a picture, first',
      (t) => parseNumbers(t, '--scale')[0],
    )
    .option('--seed <n>', 'seed of made-up inputs', (t) => parseCount(t, '--seed'), 1);
}

/** Reads or makes every input of a graph. Says on stderr what it chose, once all is read. */
export function loadInputs(graph: Graph, options: InputOptions): RunInputs {
  const notes: string[] = [];
  const files = assign(graph, options, notes);
  const arrays = graph.inputs.map((port, i) => {
    const given = files.get(i);
    if (given) return given(port);
    const array = randomArray(portType(port), port.shape, options.seed + i);
    notes.push(`input ${port.name}: made up (${array.dtype}[${array.shape}], seed ${options.seed + i})`);
    return array;
  });
  notes.forEach(note);
  return {
    arrays,
    tensors: graph.inputs.map((port, i) => toTensor(port, graph.tensors[port.tensor], arrays[i])),
  };
}

/** What gives each input, by its index. */
function assign(
  graph: Graph,
  options: InputOptions,
  notes: string[],
): Map<number, (port: Port) => FileArray> {
  const by = new Map<number, (port: Port) => FileArray>();
  let next = 0;
  for (const spec of options.input ?? []) {
    const { name, file } = split(graph, spec);
    const bytes = readChecked(file, file);
    if (bytes[0] === 0x50 && bytes[1] === 0x4b && name === undefined) {
      const inside = readNpz(bytes, file);
      let order = next;
      for (const [key, array] of inside) {
        const index = indexOf(graph, key) ?? order++;
        by.set(index, (port) => fitArray(port, graph.tensors[port.tensor], array, `${file}: ${key}`));
      }
      next = order;
      continue;
    }
    const index = name === undefined ? next++ : indexOf(graph, name)!;
    by.set(index, (port) => {
      const { array, how } = readInput(bytes, file, port, graph.tensors[port.tensor], options);
      if (how) notes.push(`input ${port.name}: ${file}, ${how}`);
      return array;
    });
  }
  const most = Math.max(-1, ...by.keys());
  if (most >= graph.inputs.length) {
    throw new TidemarkError(
      'usage',
      `--input gives ${most + 1} inputs, the model has ${graph.inputs.length} (${names(graph)})`,
    );
  }
  return by;
}

/** NAME=FILE where NAME is an input of the model; else the whole is a file. */
function split(graph: Graph, spec: string): { name?: string; file: string } {
  for (let at = spec.indexOf('='); at > 0; at = spec.indexOf('=', at + 1)) {
    const name = spec.slice(0, at);
    if (indexOf(graph, name) !== undefined) return { name, file: spec.slice(at + 1) };
  }
  return { file: spec };
}

function indexOf(graph: Graph, name: string): number | undefined {
  const index = graph.inputs.findIndex((port) => port.name === name);
  return index < 0 ? undefined : index;
}

function names(graph: Graph): string {
  return graph.inputs.map((port) => port.name).join(', ');
}
