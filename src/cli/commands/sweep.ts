/** `tidemark sweep`: many models, budgets and methods from one file; one JSON line a result, as each is there. */
import fs from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { TidemarkError } from '../../errors.ts';
import type { Graph } from '../../graph/graph.ts';
import { boundedSearch, leaveEmptyHanded, searched } from '../bounded.ts';
import { compareMethods, METHODS, type MethodRow } from '../comparison.ts';
import type { Interruptible } from '../interrupt.ts';
import { loadModel } from '../model.ts';
import { type PlanningBounds, withPlanningBounds } from '../options/limits.ts';
import { parseBudget } from '../options/size.ts';
import { planModel } from '../planning.ts';
import { type Progress, startProgress } from '../terminal/progress.ts';

const size = z.union([z.int().positive(), z.string()]);

const configSchema = z.strictObject({
  models: z
    .array(
      z.union([
        z.string(),
        z.strictObject({
          model: z.string(),
          dtype: z.enum(['f32', 'int8']).optional(),
          shape: z.record(z.string(), z.array(z.int().positive())).optional(),
        }),
      ]),
    )
    .min(1),
  methods: z.array(z.enum(METHODS)).min(1).default(['layerwise', 'fit']),
  budgets: z.array(size).default(['min']),
  dtype: z.enum(['f32', 'int8']).default('f32'),
  input: z.enum(['reuse', 'keep', 'external', 'streamed']).default('reuse'),
  output: z.enum(['whole', 'streamed']).default('whole'),
  accounting: z.enum(['all', 'ops-only']).default('all'),
  maxOverhead: z.number().min(0).default(0),
});

type Config = z.infer<typeof configSchema>;

export function define(command: Command): void {
  command
    .argument('<config>', 'a JSON file: models, and optionally methods, budgets, dtype, input, output')
    .option('--json', 'accepted for uniformity: results are JSON lines anyway');
  withPlanningBounds(command)
    .addHelpText(
      'after',
      `\nThe file, with what is taken where a key is left out:\n  { "models": ["zoo:resnet8", "a.onnx", { "model": "b.onnx", "shape": { "x": [1, 3, 96, 96] } }],\n    "methods": ["layerwise", "fit"], "budgets": ["min"], "dtype": "f32", "input": "reuse",\n    "output": "whole", "accounting": "all", "maxOverhead": 0 }\nMethods: ${METHODS.join(', ')}. Paths count from the folder of the file.\n`,
    )
    .action(run);
}

/** What all models of a sweep share. */
interface Sweep {
  readonly config: Config;
  /** Paths of models count from here. */
  readonly folder: string;
  readonly progress: Progress;
  readonly work: Interruptible;
}

function run(file: string, bounds: PlanningBounds): void {
  const config = readConfig(file);
  const progress = startProgress();
  const { models, methods, budgets } = config;
  const all = models.length * methods.length * budgets.length;
  let written = 0;
  const work = boundedSearch(bounds, progress, () => `${written} of ${all} results were there by then`);
  const sweep = { config, folder: path.dirname(file), progress, work };
  const sweepAll = () => {
    for (const entry of models) {
      const model = typeof entry === 'string' ? entry : entry.model;
      const write = (result: object) => {
        process.stdout.write(`${JSON.stringify({ model, ...result })}\n`);
        written++;
      };
      try {
        sweepModel(sweep, entry, write);
      } catch (error) {
        // One model that cannot be read does not end the others.
        if (!(error instanceof TidemarkError)) throw error;
        if (work.stoppedBy) {
          if (written === 0) throw error;
          break;
        }
        write({ error: error.code, message: error.message });
        process.exitCode = 1;
      }
      if (work.stoppedBy) break;
    }
  };
  searched(work, sweepAll);
  if (written === 0) leaveEmptyHanded();
  progress.done();
}

function sweepModel(sweep: Sweep, entry: Config['models'][number], write: (result: object) => void): void {
  const { config, folder, progress, work } = sweep;
  const { model, dtype, shape } = typeof entry === 'string' ? { model: entry } : entry;
  const where = model.startsWith('zoo:') || path.isAbsolute(model) ? model : path.join(folder, model);
  const { graph } = loadModel(where, { dtype: dtype ?? config.dtype, shape });
  const { input, output, accounting } = config;
  const request = { input, output, accounting, progress, part: work.run };
  const budgets = config.budgets.map((b) => parseBudget(String(b), 'budgets'));
  for (const method of config.methods) {
    if (method === 'fit') {
      for (const budgetBytes of budgets) write(fitted(graph, sweep, budgetBytes));
      continue;
    }
    const rows = compareMethods(graph, { ...request, only: [method] });
    for (const row of rows) for (const budget of budgets) write(withBudget(row, budget));
    if (rows.length > 0 || work.stoppedBy) continue;
    write({
      method,
      error: 'shape-too-large',
      message: `${model}: its maps have too many pixels for ${method} to follow; give smaller shapes`,
    });
    process.exitCode = 1;
  }
}

function withBudget(
  { savingVsPingpong: _a, savingVsLayerwise: _b, ...row }: MethodRow,
  budget: number | undefined,
) {
  return { ramBudgetBytes: budget ?? null, fits: budget === undefined || row.arenaBytes <= budget, ...row };
}

function fitted(graph: Graph, { config, progress, work }: Sweep, budgetBytes: number | undefined) {
  const started = performance.now();
  const { input, output, accounting, maxOverhead } = config;
  const part = work.run;
  const policy = { input, output };
  const p = planModel(graph, { policy, accounting, budgetBytes, maxOverhead, progress, part });
  const { fits, arenaBytes, lowerBoundBytes, optimal, macs, macOverhead, checked } = p;
  const seconds = (performance.now() - started) / 1000;
  const figures = { fits, arenaBytes, lowerBoundBytes, optimal, macs, macOverhead, checked, seconds };
  const partial = work.stoppedBy ? { partial: true } : {};
  return { ramBudgetBytes: budgetBytes ?? null, method: 'fit', ...figures, ...partial };
}

function readConfig(file: string): Config {
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch {
    throw new TidemarkError('file-unreadable', `${file}: cannot be read; give the path of a JSON file`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new TidemarkError(
      'file-format',
      `${file}: expected JSON, ${(error as Error).message.split('\n')[0]}`,
    );
  }
  const parsed = configSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const at = issue.path.length > 0 ? issue.path.join('.') : 'the top';
  throw new TidemarkError('file-format', `${file}, ${at}: ${issue.message}; see tidemark sweep --help`);
}
