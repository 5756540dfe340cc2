/** What is done next: groups of damaged files in their shares, and networks, so that both end together. */
import { GROUPS, type Group, groupsHere } from '../../test/fuzz/cases.ts';
import type { Job } from './protocol.ts';
import type { State } from './state.ts';

export const NETWORKS = 'networks';

/** Of a hundred files. */
const SHARES: Readonly<Record<Group, number>> = {
  'own ONNX': 25,
  'own TFLite': 30,
  'public ONNX': 10,
  'public TFLite': 10,
  'plan JSON': 25,
};

export const FILES_A_JOB = 50;
export const NETWORKS_A_JOB = 50;

export interface Goals {
  readonly files: number;
  readonly networks: number;
}

/** The job whose part of its goal is furthest behind; undefined when all are reached. */
export function nextJob({ groups }: State, { files, networks }: Goals): Job | undefined {
  const here = groupsHere();
  const shares = here.reduce((n, g) => n + SHARES[g], 0);
  const progress = [
    ...here.map((group) => ({ name: group as string, goal: Math.ceil((files * SHARES[group]) / shares) })),
    { name: NETWORKS, goal: networks },
  ]
    .map(({ name, goal }) => ({ name, done: goal > 0 ? (groups[name]?.cases ?? 0) / goal : 1 }))
    .filter(({ done }) => done < 1)
    .sort((a, b) => a.done - b.done);
  if (progress.length === 0) return undefined;
  const [{ name }] = progress;
  const next = groups[name].next;
  if (name === NETWORKS) return { from: next, to: next + NETWORKS_A_JOB };
  const group = GROUPS.find((g) => g === name)!;
  return { group, seeds: Array.from({ length: FILES_A_JOB }, (_, i) => next + i) };
}
