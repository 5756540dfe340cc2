/** Cases by group and seed: the same seed gives the same case on every machine. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { TidemarkError } from '../../src/errors.ts';
import { seeded } from '../../src/ops/testing/operator-case.ts';
import { checkPlan } from '../../src/plan/check.ts';
import { parsePlan } from '../../src/plan/read.ts';
import { executePlan } from '../../src/run/execute.ts';
import { haveModels, MODELS } from '../public-models-folder.ts';
import { MUTATION_NAMES, mutantOf } from '../random/mutants.ts';
import { difference, type NamedPlan, rawPlans, type Subject, subjectOf } from '../random/random-plans.ts';
import { Finding } from './finding.ts';
import { type JudgeOptions, judgeModel, refusal } from './judge.ts';
import { damagedJson, JSON_DAMAGE } from './mutate-json.ts';
import { damagedOnnx, ONNX_DAMAGE } from './mutate-onnx.ts';
import { damagedTflite, TFLITE_DAMAGE } from './mutate-tflite.ts';
import { ownOnnx, ownTflite } from './own-files.ts';
import { any, chance } from './values.ts';

/** What is damaged: files of our own making, public ones where they are, and plans. */
export const GROUPS = ['own ONNX', 'own TFLite', 'public ONNX', 'public TFLite', 'plan JSON'] as const;
export type Group = (typeof GROUPS)[number];

export interface FuzzCase {
  readonly group: Group;
  readonly seed: number;
  /** What was done to the file. */
  readonly kind: string;
  /** The damaged file. */
  readonly bytes: Uint8Array;
  /** What it is called in messages; its ending is the format's. */
  readonly file: string;
  /** The file that was damaged, for people. */
  readonly of: string;
  readonly judge: (options: Omit<JudgeOptions, 'seed'>) => Promise<Outcome>;
}

export interface Outcome {
  readonly outcome: string;
  readonly runtime?: string;
}

/** Public files up to this size are damaged mostly, larger ones now and then. */
const SMALL_FILE = 20_000;
const LARGE_FILE = 400_000;

let publicFiles: Record<'onnx' | 'tflite', { small: string[]; large: string[] }> | undefined;

function publicOf(format: 'onnx' | 'tflite') {
  if (publicFiles) return publicFiles[format];
  publicFiles = { onnx: { small: [], large: [] }, tflite: { small: [], large: [] } };
  const walk = (folder: string): void => {
    for (const name of readdirSync(folder).sort()) {
      const path = join(folder, name);
      const status = statSync(path);
      if (status.isDirectory()) {
        walk(path);
        continue;
      }
      const of = name.endsWith('.onnx') ? 'onnx' : name.endsWith('.tflite') ? 'tflite' : undefined;
      if (!of || status.size > LARGE_FILE) continue;
      publicFiles![of][status.size <= SMALL_FILE ? 'small' : 'large'].push(path);
    }
  };
  if (haveModels) walk(MODELS);
  return publicFiles[format];
}

/** The groups that there is something for on this machine. */
export function groupsHere(): Group[] {
  return GROUPS.filter((g) => !g.startsWith('public') || haveModels);
}

/** The case of a seed; undefined where the file has no place for that damage. */
export function caseOf(group: Group, seed: number): FuzzCase | undefined {
  const random = seeded(seed);
  if (group === 'plan JSON') return planCase(seed, random);
  const format = group.endsWith('ONNX') ? 'onnx' : 'tflite';
  const kinds = format === 'onnx' ? ONNX_DAMAGE : TFLITE_DAMAGE;
  const kind = kinds[seed % kinds.length];
  let of = `seed ${seed}`;
  let whole: Uint8Array;
  if (group.startsWith('own')) whole = format === 'onnx' ? ownOnnx(seed) : ownTflite(seed);
  else {
    const { small, large } = publicOf(format);
    of = any(random, large.length > 0 && chance(random, 0.03) ? large : small);
    whole = new Uint8Array(readFileSync(of));
  }
  let bytes: Uint8Array | undefined;
  try {
    bytes = format === 'onnx' ? damagedOnnx(kind, whole, random) : damagedTflite(kind, whole, random);
  } catch {
    // A public file that the damager itself cannot take apart: damaged as bytes only.
    return undefined;
  }
  if (!bytes) return undefined;
  const file = `case.${format}`;
  const made = bytes;
  return { group, seed, kind, bytes, file, of, judge: (o) => judgeModel(made, file, { ...o, seed }) };
}

const subjects = new Map<number, { subject: Subject; plans: readonly NamedPlan[] }>();

/** Damaged plans share some graphs, since making one takes longer than damaging its plan. */
const SUBJECTS = 400;

function planCase(seed: number, random: () => number): FuzzCase | undefined {
  const of = Math.floor(random() * SUBJECTS);
  const known = subjects.get(of);
  const subject = known?.subject ?? subjectOf(of, { greatest: 6 });
  const plans = known?.plans ?? rawPlans(subject);
  subjects.set(of, { subject, plans });
  if (plans.length === 0) return undefined;
  let { plan } = any(random, plans);
  const kinds = [...JSON_DAMAGE, 'plan'];
  const kind = kinds[seed % kinds.length];
  let text = '';
  if (kind === 'plan') {
    plan = mutantOf(any(random, MUTATION_NAMES), plan, subject.graph, random) ?? plan;
    text = JSON.stringify(plan);
  } else text = damagedJson(kind, JSON.stringify(plan), random);
  const bytes = new TextEncoder().encode(text);
  const file = 'plan.json';
  const judge = async ({ mark }: Omit<JudgeOptions, 'seed'>): Promise<Outcome> =>
    judgePlan(text, subject, mark);
  return { group: 'plan JSON', seed, kind, bytes, file, of: `a plan of graph ${of}`, judge };
}

/** A plan that is read and proven must give the right answer, whatever was done to it. */
export function judgePlan(text: string, subject: Subject, mark: (phase: string) => void = () => {}): Outcome {
  try {
    mark('reading');
    const plan = parsePlan(text, 'plan.json', subject.graph);
    mark('checking');
    const { ok, problem } = checkPlan(subject.graph, plan);
    if (!ok) return { outcome: 'refused by the checker', ...(problem ? {} : { runtime: 'no reason' }) };
    mark('running');
    const { outputs } = executePlan(subject.graph, plan, subject.inputs, { paint: 0xa5 });
    const wrong = difference(outputs, subject.expected);
    if (wrong) throw new Finding(`a plan that the checker lets pass: ${wrong}`);
    return { outcome: 'ran' };
  } catch (error) {
    if (!(error instanceof TidemarkError)) throw error;
    refusal(error);
    return { outcome: 'refused' };
  }
}
