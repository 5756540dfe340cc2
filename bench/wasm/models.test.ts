/**
 * Writes bench/results/wasm-models.md: public models as WebAssembly, planned layer by layer and by `fit`, each run equal to the
 * reference executor's bit for bit, and what the code takes. The table is written anew after each model.
 */
import { statSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { validate } from '../../src/emit/wasm/testing/validate.ts';
import { TidemarkError } from '../../src/errors.ts';
import type { Graph, TypedArray } from '../../src/graph/graph.ts';
import { formatSize } from '../../src/report/format.ts';
import { executePlan } from '../../src/run/execute.ts';
import { toGraphLayout } from '../../src/run/reference.ts';
import { emitPlan, WasmModel } from '../../src/run/wasm-backend.ts';
import { MISSING } from '../../test/conformance/tflite/reference-data.ts';
import { MIN_POLICY, planned } from '../../test/models/planned-run.ts';
import {
  FORMATS,
  filesOf,
  haveModels,
  loadModel,
  pathOf,
  seededInputs,
} from '../../test/models/public-models.ts';
import { difference } from '../../test/random/random-plans.ts';
import { writeResult, writtenBy } from '../report.ts';

const rows: (readonly [file: string, ...cells: string[]])[] = [];

describe.skipIf(!haveModels)(`public models${haveModels ? '' : ` (skipped: ${MISSING})`}`, () => {
  test.each(smallestFirst())('%s', async (file) => {
    let graph: Graph;
    try {
      graph = loadModel(file);
    } catch (error) {
      return refused(file, error);
    }
    const inputs = (await seededInputs(file, graph)).map((v, i) => toGraphLayout(graph.inputs[i], v));
    const cells: string[] = [];
    let wrong: string | undefined;
    for (const method of ['layerwise', undefined] as const) {
      try {
        const result = asWasm(graph, inputs, method);
        cells.push(result.arena, result.code, result.wrong ? `**no**: ${result.wrong}` : 'yes');
        wrong ??= result.wrong;
      } catch (error) {
        return refused(file, error);
      }
    }
    rows.push([file, ...cells]);
    write();
    expect(wrong).toBe(undefined);
  });

  afterAll(write);
});

/** So that a run that is stopped early has most of them. */
function smallestFirst(): string[] {
  const bytes = (file: string) => statSync(pathOf(file)).size;
  return FORMATS.flatMap(filesOf).sort((a, b) => bytes(a) - bytes(b));
}

function asWasm(graph: Graph, inputs: readonly TypedArray[], method: 'layerwise' | undefined) {
  const { plan } = planned(graph, MIN_POLICY, method);
  const emitted = emitPlan(graph, plan, { weights: 'beside' });
  validate(emitted.wasm);
  const model = new WasmModel(new WebAssembly.Module(emitted.wasm), emitted);
  const { outputs } = model.run(inputs, { paint: 0xa5 });
  const wrong = difference(outputs, executePlan(graph, plan, inputs).outputs);
  return { arena: formatSize(plan.arenaBytes), code: formatSize(emitted.wasm.length), wrong };
}

function refused(file: string, error: unknown): void {
  if (!(error instanceof TidemarkError)) throw error;
  rows.push([file, '', '', '', '', '', `refused: ${error.message.replace(/^\S*\/\S*: /, '')}`]);
  write();
}

function write(): void {
  const all = FORMATS.flatMap(filesOf).length;
  const good = rows.filter((r) => r[3] === 'yes' && r[6] === 'yes').length;
  const text = [
    '# Public models as WebAssembly',
    '',
    writtenBy('bench:wasm-models'),
    '',
    'Each model is planned layer by layer and by `fit --ram min`, emitted, accepted by wabt and by the engine, and run on seeded inputs in',
    'a painted arena. "Equal": every output is what the reference executor gives, bit for bit. "Module" is without weights.',
    '',
    `${good} of ${rows.length} equal in both plans.${rows.length < all ? ` Incomplete: ${all} models in all.` : ''}`,
    '',
    '| model | layer by layer: arena | module | equal | fit: arena | module | equal |',
    '|---|---:|---:|---|---:|---:|---|',
    ...[...rows].sort((a, b) => a[0].localeCompare(b[0])).map((r) => `| ${r.join(' | ')} |`),
    '',
  ].join('\n');
  writeResult('wasm-models.md', text);
}
