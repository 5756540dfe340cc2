/** `tidemark board`: the firmware of a model on an emulated part, and what it takes there, measured. */
import { type Command, Option } from 'commander';
import { layoutOf } from '../../boards/layout.ts';
import { type Part, partOf, parts } from '../../boards/parts.ts';
import { TidemarkError } from '../../errors.ts';
import type { Graph } from '../../graph/graph.ts';
import { formatCount, formatSize } from '../../report/format.ts';
import { buildFor, type OnBoard, type OnBoardRequest, runBuilt } from '../board/on-board.ts';
import { quantised } from '../board/quantised.ts';
import { requireTools } from '../board/toolchain.ts';
import { boundedSearch, type StopDocument, searchedFor, stopDocument } from '../bounded.ts';
import { type InputOptions, loadInputs, withInputs } from '../inputs.ts';
import { loadModel } from '../model.ts';
import { type PlanningBounds, withPlanningBounds } from '../options/limits.ts';
import { type ModelOptions, withJson, withModel } from '../options/shared.ts';
import { parseBudget } from '../options/size.ts';
import { oneOf, parsePercent } from '../options/values.ts';
import { answer, answerNo } from '../output.ts';
import { readPlan } from '../plan-file.ts';
import { startProgress } from '../terminal/progress.ts';
import { style } from '../terminal/style.ts';
import { facts, table } from '../terminal/table.ts';
import { type TopEntry, topOf } from '../top.ts';

const POLICIES = ['reuse', 'keep', 'streamed'] as const;

interface Options extends ModelOptions, InputOptions, PlanningBounds {
  readonly board: string;
  readonly ram?: string;
  readonly plan?: string;
  readonly maxOverhead?: number;
  readonly policy?: (typeof POLICIES)[number];
  readonly output: 'whole' | 'streamed';
  readonly json?: boolean;
}

interface BoardDocument extends StopDocument {
  readonly model: string;
  readonly board: string;
  readonly machine: string;
  readonly fits: boolean;
  readonly flashBytes: number;
  readonly boardFlashBytes: number;
  readonly arenaBytes: number;
  readonly touchedBytes?: number;
  readonly stackBytes?: number;
  readonly stackBoundBytes: number;
  readonly dataBytes: number;
  /** Arena, static data and the stack's bound. */
  readonly ramBytes: number;
  readonly boardRamBytes: number;
  readonly instructions?: number;
  readonly equal?: boolean;
  readonly outputs?: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly dtype: string;
    readonly top5?: readonly TopEntry[];
  }[];
  readonly operators?: readonly { readonly name: string; readonly instructions: number }[];
}

export function define(command: Command): void {
  withModel(command);
  const emulated = parts.filter((p) => layoutOf(p)).map((p) => p.name);
  command
    .requiredOption('--board <name>', `an emulated part: ${emulated.join(', ')}`)
    .option('--ram <size>', "budget of the arena; min: the smallest there is; left out: the part's RAM")
    .option('--max-overhead <percent>', 'multiply-accumulates that may be computed again', (t) =>
      parsePercent(t, '--max-overhead'),
    )
    .option('--plan <file>', 'plan.json of an earlier fit; left out: one is made');
  withPlanningBounds(command);
  withInputs(command);
  command
    .addOption(
      new Option(
        '--policy <word>',
        'the input: reuse (in the arena, may be overwritten), keep, or streamed (asked for row by row); may stand in --input too',
      ).argParser(oneOf('--policy', [...POLICIES])),
    )
    .addOption(
      new Option('--output <policy>', 'whole: in the arena; streamed: handed out run by run')
        .default('whole')
        .argParser(oneOf('--output', ['whole', 'streamed'])),
    );
  withJson(command);
  command
    .addHelpText(
      'after',
      '\nWith --dtype int8 a float model is quantised, with scales from the given inputs.\nNeeds arm-none-eabi-gcc and qemu-system-arm: scripts/install-board-tools.sh.\n\nExamples:\n  tidemark board model.tflite --board stm32f405 --input cat.png\n  tidemark board model.tflite --board microbit --ram min --json\n  tidemark board model.tflite --board mps3-an547 --input streamed --input face.png\n',
    )
    .action(run);
}

async function run(model: string, options: Options): Promise<void> {
  const part = emulatedPart(options.board);
  refuseContradictions(options);
  requireTools();
  const { policy, files } = splitInput(options);
  const loaded = loadModel(model, { ...options, toRun: true });
  const ram = options.ram === undefined ? undefined : (parseBudget(options.ram, '--ram') ?? 'min');
  const given = loadInputs(loaded.graph, { ...options, input: files });
  const wanted = options.dtype === 'int8' && loaded.format !== 'zoo';
  const { graph, inputs } = wanted ? quantised(loaded.graph, given) : { graph: loaded.graph, inputs: given };
  const plan = options.plan ? readPlan(options.plan, graph) : undefined;
  const progress = startProgress();
  const work = boundedSearch(options, progress, () => 'going on with the best plan found so far', false);
  const request: OnBoardRequest = {
    policy: { input: policy, output: options.output },
    ram,
    plan,
    maxOverhead: options.maxOverhead,
    search: work.run,
    progress,
  };
  const built = searchedFor(work, () => buildFor(graph, part, request));
  const fits = built.firmware.fits && (typeof ram !== 'number' || built.plan.arenaBytes <= ram);
  const result = fits ? runBuilt(graph, built, inputs, progress) : undefined;
  progress.done();
  const found = documentOf(model, part, graph, { ...built, run: result });
  const document = { ...found, fits, ...stopDocument(work) };
  if (!document.fits || document.equal === false) answerNo();
  const over = built.firmware.fits && !fits ? ` --ram ${options.ram}` : '';
  answer(options.json, document, () => text(document, built.firmware.stackPath, over));
}

function refuseContradictions({ plan, ram, maxOverhead }: Options): void {
  if (plan === undefined || (ram === undefined && maxOverhead === undefined)) return;
  const option = ram === undefined ? '--max-overhead' : '--ram';
  throw new TidemarkError('usage', `${option} is for a plan made now and --plan names one: give one of them`);
}

function emulatedPart(name: string): Part {
  const part = partOf(name);
  if (part && layoutOf(part)) return part;
  const names = parts.filter((p) => layoutOf(p)).map((p) => p.name);
  const why = part ? `${part.title} (${part.core}) has no emulated machine` : 'there is no such board';
  throw new TidemarkError('usage', `--board ${name}: ${why}; expected one of ${names.join(', ')}`);
}

/** `--input streamed` says how the input comes, any other word is a file. */
function splitInput(options: Options): { policy: (typeof POLICIES)[number]; files: readonly string[] } {
  const words = options.input ?? [];
  const isPolicy = (word: string): word is (typeof POLICIES)[number] => POLICIES.some((p) => p === word);
  const said = [...words.filter(isPolicy), ...(options.policy ? [options.policy] : [])];
  if (new Set(said).size > 1)
    throw new TidemarkError(
      'usage',
      `--input and --policy say both ${[...new Set(said)].join(' and ')}: give one`,
    );
  return { policy: said[0] ?? 'reuse', files: words.filter((w) => !isPolicy(w)) };
}

function documentOf(
  model: string,
  part: Part,
  graph: Graph,
  { plan, firmware, run: result }: OnBoard,
): BoardDocument {
  const { flashBytes, dataBytes, stackBoundBytes } = firmware;
  return {
    model,
    board: part.name,
    machine: firmware.layout.machine.qemu,
    fits: firmware.fits,
    flashBytes,
    boardFlashBytes: part.flashBytes,
    arenaBytes: plan.arenaBytes,
    touchedBytes: result?.touchedBytes,
    stackBytes: result?.stackBytes,
    stackBoundBytes,
    dataBytes,
    ramBytes: plan.arenaBytes + dataBytes + stackBoundBytes,
    boardRamBytes: part.ramBytes,
    instructions: result?.instructions,
    equal: result?.equal,
    outputs: result?.outputs.map((array, i) => {
      const port = graph.outputs[i];
      const vector = array.shape.filter((d) => d > 1).length === 1;
      return {
        name: port.name,
        shape: array.shape,
        dtype: array.dtype,
        ...(vector ? { top5: topOf(array, graph.tensors[port.tensor].quant) } : {}),
      };
    }),
    operators: result?.operators,
  };
}

/** `over` names the budget that is too small, where the part would do. */
function text(d: BoardDocument, stackPath: readonly string[], over: string): string {
  const of = (bytes: number, most: number) =>
    `${formatSize(bytes)} of ${formatSize(most)} (${((100 * bytes) / most).toFixed(1)} %)`;
  const verdict = !d.fits
    ? `${style.red('does not fit')}${over}`
    : d.equal
      ? style.green('equal to the reference')
      : style.red('differs from the reference');
  const head = `${d.model} on ${partOf(d.board)!.title}, emulated by ${d.machine}: ${verdict}`;
  const memory = facts([
    ['flash', of(d.flashBytes, d.boardFlashBytes)],
    ['RAM', of(d.ramBytes, d.boardRamBytes)],
    [
      '  arena',
      `${formatSize(d.arenaBytes)}${d.touchedBytes === undefined ? '' : `, ${formatCount(d.touchedBytes)} of ${formatCount(d.arenaBytes)} bytes written`}`,
    ],
    [
      '  stack',
      `${d.stackBytes === undefined ? '' : `${d.stackBytes} bytes used, `}${d.stackBoundBytes} at most (${stackPath.join(' > ')})`,
    ],
    ['  data', `${d.dataBytes} bytes`],
    ...(d.instructions === undefined
      ? []
      : [['instructions', `${formatCount(d.instructions)} an inference`] as const]),
  ]);
  if (!d.operators || !d.instructions) return [head, '', memory].join('\n');
  const rows = d.operators
    .filter((o) => o.instructions > 0)
    .map((o) => [
      o.name,
      formatCount(o.instructions),
      `${((100 * o.instructions) / d.instructions!).toFixed(1)} %`,
    ]);
  const operators = table(
    [
      { title: 'operator', flexible: true },
      { title: 'instructions', align: 'right' },
      { title: 'share', align: 'right' },
    ],
    rows,
  );
  const outputs = (d.outputs ?? []).map((o) => {
    const top = o.top5?.map((t) => `${t.index}: ${t.value.toPrecision(4)}`).join('  ') ?? '';
    return `${o.name}  ${o.dtype}[${o.shape.join('x')}]  ${top}`.trimEnd();
  });
  return [head, '', memory, '', operators, '', ...outputs].join('\n');
}
