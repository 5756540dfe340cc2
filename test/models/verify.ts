/** One model from its file to its verdict: what `npm test` asserts and `npm run bench:models` writes down. */
import { TidemarkError } from '../../src/errors.ts';
import type { Graph, TypedArray } from '../../src/graph/graph.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { type Profile, profileOf } from '../../src/report/profile.ts';
import { type ReferenceOutput, runReference } from '../../src/run/reference.ts';
import { readJson } from '../conformance/tflite/reference-data.ts';
import { firstDifference, MIN_POLICY, type Planned, planned, runPlanned } from './planned-run.ts';
import { type Comparison, compareWithStored, loadModel, seededInputs } from './public-models.ts';
import { withSeededWeights } from './seeded-weights.ts';

export interface Loaded {
  readonly file: string;
  readonly graph: Graph;
  readonly profile: Profile;
}

export interface PlannedModel extends Loaded {
  readonly layerwise: Planned;
  readonly fit: Planned;
}

/** A model, or the one line that a user would see. */
export function load(file: string): Loaded | { readonly refused: string } {
  try {
    const graph = loadModel(file);
    return { file, graph, profile: profileOf(graph) };
  } catch (error) {
    if (error instanceof TidemarkError) return { refused: error.message };
    throw error;
  }
}

export function planModel(loaded: Loaded): PlannedModel {
  const { graph } = loaded;
  return { ...loaded, layerwise: planned(graph, MIN_POLICY, 'layerwise'), fit: planned(graph, MIN_POLICY) };
}

export interface RunVerdict {
  /** First difference from the run layer by layer; undefined where the two are equal bit for bit. */
  readonly difference?: string;
  readonly comparison: Comparison;
  readonly outputs: readonly ReferenceOutput[];
  readonly inputs: readonly TypedArray[];
}

/**
 * Runs the model under a plan and layer by layer. Where its own weights give a constant output, the two runs that
 * must be equal are done with other weights.
 */
export async function runModel({ file, graph }: Loaded, plan: Plan): Promise<RunVerdict> {
  const inputs = await seededInputs(file, graph);
  // Memory that holds something already must make no difference.
  const outputs = runPlanned(graph, plan, inputs, 0xa5);
  const other = isWeak(file) ? withSeededWeights(graph) : undefined;
  const difference = other
    ? firstDifference(runPlanned(other, plan, inputs, 0x5a), runReference(other, inputs))
    : firstDifference(outputs, runReference(graph, inputs));
  return { difference, comparison: compareWithStored(file, graph, outputs), outputs, inputs };
}

/** True where the output says little, because it is the same everywhere. */
export const isWeak = (file: string): boolean => Boolean(readJson('goldens/goldens.json')[file]?.weak);
