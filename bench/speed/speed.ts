/**
 * Times rows of models, one test each, and writes a table: plans of ours beside other runtimes, in turns. The table is
 * written anew after each model. With ROWS in the environment only those rows run, and the table is printed instead.
 */
import { expect, test } from 'vitest';
import {
  type BenchOptions,
  benchLoaded,
  geometricMeans,
  type Mean,
  onnxOf,
  type Row,
} from '../../src/cli/bench/bench-model.ts';
import { formatSize } from '../../src/report/format.ts';
import { writeResult, writtenBy } from '../report.ts';
import { ortRunBytes } from './ort-memory.ts';
import { chosenRows, loadRow, titleOf } from './rows.ts';

export interface SpeedBench {
  /** Name in bench/results. */
  readonly file: string;
  /** The npm script. */
  readonly script: string;
  readonly title: string;
  /** What the reader must know of how it was measured. */
  readonly about: readonly string[];
  readonly backend: BenchOptions['backend'];
  readonly against: BenchOptions['against'];
  readonly plan: BenchOptions['plan'];
  /** Columns of ratios. */
  readonly ratios: readonly (readonly [head: string, of: (row: Row) => number | null])[];
  readonly mean: (mean: Mean) => string;
}

const quiet = { step() {}, done() {} };
const TURNS = 5;

export function speedBench(bench: SpeedBench): void {
  const { backend, against, plan } = bench;
  const rows: Row[] = [];
  test.each(chosenRows().map((row) => [`${titleOf(row)} ${row.dtype}`, row] as const))(
    '%s',
    async (_, row) => {
      const turns = row.turns ?? TURNS;
      const options = { dtype: row.dtype, backend, against, plan, turns, seed: 1, slack: 0.1 };
      const loaded = loadRow(row);
      const found = await benchLoaded(loaded, options, quiet);
      const memory = (r: Row) => (r.runtime === 'ort' ? ortRunBytes(onnxOf(loaded)) : r.arenaBytes);
      rows.push(...found.map((r) => ({ ...r, model: titleOf(row), arenaBytes: memory(r) })));
      const text = tableOf(bench, rows);
      if (process.env.ROWS === undefined) writeResult(bench.file, text);
      else console.log(text);
      expect(found.length).toBeGreaterThan(2);
    },
  );
}

export const ratio = (v: number | null) => (v === null ? '' : v.toFixed(2));

const HEAD = ['model', 'type', 'runtime', 'plan', 'CPU, ms', 'median, ms', 'best, ms', 'peak memory'];
const RIGHT = new Set(['CPU, ms', 'median, ms', 'best, ms', 'peak memory']);

function tableOf({ title, script, about, ratios, mean }: SpeedBench, rows: readonly Row[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const cells = (r: Row) => [
    r.model,
    r.dtype,
    r.runtime,
    r.plan ?? '',
    r.cpuMs.toFixed(3),
    r.medianMs.toFixed(3),
    r.minMs.toFixed(3),
    r.arenaBytes === null ? '' : formatSize(r.arenaBytes),
    ...ratios.map(([, of]) => ratio(of(r))),
  ];
  return [
    `# ${title}`,
    '',
    writtenBy(script),
    '',
    ...about,
    '',
    line([...HEAD, ...ratios.map(([head]) => head)]),
    line([...HEAD.map((head) => (RIGHT.has(head) ? '---:' : '---')), ...ratios.map(() => '---:')]),
    ...rows.map((r) => line(cells(r))),
    '',
    ...geometricMeans(rows).map(
      (m) => `- ${m.runtime}, ${m.plan}: geometric mean over ${m.models} rows ${mean(m)}`,
    ),
    '',
  ].join('\n');
}
