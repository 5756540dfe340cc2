/**
 * Writes bench/results/models.md: every public model planned by `fit`, the plan proven, run in its arena, and the
 * result compared with the run layer by layer and with the outside reference. The table is written anew after
 * each model, so that a run that is stopped leaves what it has.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { formatSize } from '../../src/report/format.ts';
import { runOnnxRuntime } from '../../src/run/onnx-runtime.ts';
import { MISSING } from '../../test/conformance/tflite/reference-data.ts';
import { EXPECTED } from '../../test/models/expected.ts';
import { planned } from '../../test/models/planned-run.ts';
import {
  FORMATS,
  filesOf,
  formatOf,
  haveModels,
  judged,
  pathOf,
  relativeTo,
} from '../../test/models/public-models.ts';
import {
  isWeak,
  type Loaded,
  load,
  type PlannedModel,
  planModel,
  type RunVerdict,
  runModel,
} from '../../test/models/verify.ts';
import { writeResult, writtenBy } from '../report.ts';

interface Row {
  readonly file: string;
  readonly verified: boolean;
  readonly cells: readonly (string | number)[];
}

const rows: Row[] = [];

describe.skipIf(!haveModels)(`public models${haveModels ? '' : ` (skipped: ${MISSING})`}`, () => {
  test.each(smallestFirst())('%s', async (file) => {
    const loaded = load(file);
    const row = 'refused' in loaded ? refusedRow(file, loaded.refused) : await verifiedRow(loaded);
    rows.push(row);
    write();
    expect(row.verified, row.cells.join(' | ')).toBe(EXPECTED[file] === 'verified');
  });

  afterAll(write);
});

/** So that a run that is stopped early has most of them. */
function smallestFirst(): string[] {
  const files = FORMATS.flatMap(filesOf).map((file) => {
    const loaded = load(file);
    return { file, macs: 'refused' in loaded ? 0 : loaded.profile.macs };
  });
  return files.sort((a, b) => a.macs - b.macs).map(({ file }) => file);
}

const byFile = (a: Row, b: Row) =>
  formatOf(a.file).localeCompare(formatOf(b.file)) || a.file.localeCompare(b.file);

function refusedRow(file: string, why: string): Row {
  return { file, verified: false, cells: [file, ...new Array(11).fill(''), `refused: ${why}`] };
}

async function verifiedRow(loaded: Loaded): Promise<Row> {
  const { file, graph, profile } = loaded;
  const model = planModel(loaded);
  const streamed = planned(graph, { input: 'streamed', output: 'whole' });
  const run = await runModel(loaded, model.fit.plan);
  const { error, within, reference, why } = await outside(loaded, run);
  const checked = model.layerwise.checked && model.fit.checked && streamed.checked;
  const equal = run.difference === undefined;
  const cells = [
    file,
    profile.operators,
    (profile.macs / 1e6).toFixed(1),
    formatSize(profile.livenessPeakBytes),
    formatSize(model.layerwise.plan.arenaBytes),
    formatSize(model.fit.plan.arenaBytes),
    formatSize(streamed.plan.arenaBytes),
    checked ? 'yes' : `**no**: ${problemOf(model) ?? streamed.problem}`,
    equal ? 'yes' : `**no**: ${run.difference}`,
    `${error === 0 ? '0' : error.toExponential(1)}${within ? '' : ' **off**'}`,
    model.fit.seconds.toFixed(1),
    model.fit.firings,
    [reference, why, isWeak(file) ? 'constant output: compared layer by layer with seeded weights' : '']
      .filter(Boolean)
      .join('; '),
  ];
  return { file, verified: checked && equal && within, cells };
}

const problemOf = ({ layerwise, fit }: PlannedModel) => fit.problem ?? layerwise.problem;

/** Whole outputs against ONNX Runtime where it can run the file here; else against the stored outputs. */
async function outside({ file, graph }: Loaded, { inputs, outputs, comparison }: RunVerdict) {
  if (formatOf(file) !== 'onnx') return comparison;
  const given = graph.inputs.map(({ name, dtype, shape }, i) => {
    return [name, { dtype: dtype as 'f32', shape, values: inputs[i] }] as const;
  });
  const results = await runOnnxRuntime(pathOf(file), new Map(given));
  let error = comparison.error;
  for (const { name, values } of outputs) {
    const theirs = results.get(name);
    if (!theirs) throw new Error(`${file}: ONNX Runtime gives no ${name}`);
    error = Math.max(error, relativeTo(values, theirs.values));
  }
  return { ...comparison, error, ...judged(file, graph, error) };
}

function totals(): string[] {
  return FORMATS.map((format) => {
    const files = filesOf(format);
    const verified = rows.filter((r) => formatOf(r.file) === format && r.verified).length;
    const refused = rows.filter((r) => formatOf(r.file) === format && !r.verified);
    const names = refused.map((r) => `${r.file} (${r.cells.at(-1)})`).join(', ');
    const name = { onnx: 'ONNX', tflite: 'TFLite' }[format];
    return `- ${verified} of ${files.length} ${name} files verified${names ? `; not: ${names}` : ''}`;
  });
}

function write(): void {
  const done = rows.length;
  const text = [
    '# Public models, planned, proven and run',
    '',
    writtenBy('bench:models'),
    '',
    'Each file is read, normalised and planned by `fit --ram min`: input overwritten once it is read, output whole, no',
    'multiply-accumulate computed twice. "Streamed input" is the arena where the input arrives in runs instead of lying there whole.',
    'All plans (layer by layer, fit, streamed input) go through the checker; the fit plan is run in an arena of exactly that size,',
    'painted first, and must equal the run without a plan bit for bit. "Error" is the largest difference to the outside reference',
    'over the range of its output, at the tolerances of the conformance tests: TFLite integers must be equal. "Live" is the most',
    'that is alive at once layer by layer, in the order of the file.',
    '',
    ...totals(),
    ...(done < FORMATS.flatMap(filesOf).length ? ['', `Incomplete: ${done} models so far.`] : []),
    '',
    '| model | operators | million MACs | live | layer by layer | fit | streamed input | checked | equal | error | planning, s | firings | reference, notes |',
    '|---|---:|---:|---:|---:|---:|---:|---|---|---:|---:|---:|---|',
    ...[...rows].sort(byFile).map((r) => `| ${r.cells.join(' | ')} |`),
    '',
  ].join('\n');
  writeResult('models.md', text);
}
