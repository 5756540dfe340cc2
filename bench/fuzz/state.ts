/** Counts of a long run, kept in a file so that a stopped run goes on where it was. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { NETWORKS } from './work.ts';

export interface GroupCounts {
  /** The next seed. */
  next: number;
  cases: number;
  /** By what was done to the file. */
  kinds: Record<string, number>;
  /** By what came of it. */
  outcomes: Record<string, number>;
  /** What ONNX Runtime said of files that ran. */
  compared: Record<string, number>;
  cpuSeconds: number;
}

export interface FoundCase {
  readonly group: string;
  readonly seed: number;
  readonly kind: string;
  readonly phase: string;
  readonly what: string;
  /** Where the case was written down. */
  readonly file: string;
}

export interface State {
  seed: number;
  groups: Record<string, GroupCounts>;
  /** Runs of networks by technique and backend. */
  ran: Record<string, number>;
  findings: FoundCase[];
  /** Findings beside those listed, that say the same. */
  alike: number;
  slowest?: { group: string; seed: number; kind: string; seconds: number };
  /** Cases in which ONNX Runtime itself crashed or did not come back. */
  runtimeDied: number;
  wallSeconds: number;
  /** Commits that it ran at. */
  commits: string[];
}

export function emptyCounts(next: number): GroupCounts {
  return { next, cases: 0, kinds: {}, outcomes: {}, compared: {}, cpuSeconds: 0 };
}

export function loadState(file: string, seed: number): State {
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as State;
  return {
    seed,
    groups: {},
    ran: {},
    findings: [],
    alike: 0,
    runtimeDied: 0,
    wallSeconds: 0,
    commits: [],
  };
}

export function saveState(file: string, state: State): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.part`, JSON.stringify(state));
  renameSync(`${file}.part`, file);
}

export const add = (counts: Record<string, number>, key: string, n = 1): void => {
  counts[key] = (counts[key] ?? 0) + n;
};

/** Damaged files so far, and networks. */
export function totals({ groups }: State): { files: number; networks: number } {
  const of = (name: string) => groups[name]?.cases ?? 0;
  const files = Object.keys(groups).reduce((n, name) => n + (name === NETWORKS ? 0 : of(name)), 0);
  return { files, networks: of(NETWORKS) };
}
