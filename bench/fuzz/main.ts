/**
 * `npm run fuzz`: damaged files and random networks for as long as one likes. Ctrl-C keeps the counts, and the same
 * seed goes on where it stopped. docs/fuzzing.md says what is looked for.
 */
import './models.ts';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { caseOf, GROUPS, groupsHere } from '../../test/fuzz/cases.ts';
import type { Done, Job } from './protocol.ts';
import { reportOf } from './report.ts';
import { add, emptyCounts, loadState, type State, saveState, totals } from './state.ts';
import { Watched } from './watch.ts';
import { NETWORKS, nextJob } from './work.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    files: { type: 'string', default: '100000' },
    networks: { type: 'string', default: '10000' },
    out: { type: 'string' },
    report: { type: 'string' },
  },
});

function numberOf(name: 'minutes' | 'seed' | 'files' | 'networks'): number {
  const value = Number(values[name]);
  if (Number.isFinite(value) && value >= 0) return value;
  process.stderr.write(`fuzz: --${name} expects a number, got '${values[name]}'\n`);
  process.exit(2);
}

const seed = numberOf('seed');
const goals = { files: numberOf('files'), networks: numberOf('networks') };
const folder = resolve(values.out ?? join('out', `fuzz-${seed}`));
const stateFile = join(folder, 'state.json');
const state: State = loadState(stateFile, seed);
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
if (!state.commits.includes(commit)) state.commits.push(commit);
for (const name of [...groupsHere(), NETWORKS])
  state.groups[name] ??= emptyCounts(1 + (seed - 1) * 10_000_000);

const groupOf = (job: Job): string => ('seeds' in job ? job.group : NETWORKS);

/** Findings that say the same, but for numbers and names, are kept this often. */
const KEPT_ALIKE = 3;

function keep(job: Job, { seed: of, kind, finding = '' }: Done, phase: string): void {
  const group = groupOf(job);
  const gist = (text: string) =>
    text
      .split('\n')[0]
      .replace(/[\d.e+-]+/g, '#')
      .slice(0, 80);
  const alike = state.findings.filter((f) => gist(f.what) === gist(finding));
  if (alike.length >= KEPT_ALIKE) {
    state.alike++;
    return;
  }
  mkdirSync(folder, { recursive: true });
  const name = `${group.replaceAll(' ', '-').toLowerCase()}-${of}`;
  let file = join(folder, `${name}.txt`);
  const known = GROUPS.find((g) => g === group);
  const made = known && caseOf(known, of);
  if (made) {
    file = join(folder, `${name}.${made.file.split('.').pop()}`);
    writeFileSync(file, made.bytes);
  }
  const about = [`${group}, seed ${of}, ${kind}, ${phase}`, made ? `of ${made.of}` : '', finding];
  writeFileSync(join(folder, `${name}.txt`), `${about.join('\n')}\n`);
  state.findings.push({ group, seed: of, kind, phase, what: finding, file });
  process.stdout.write(
    `finding: ${group}, seed ${of} (${kind}), ${phase}: ${finding.split('\n')[0]}\n  kept in ${file}\n`,
  );
}

const watched = new Watched({
  done(job, done, phase) {
    const counts = state.groups[groupOf(job)];
    // ONNX Runtime's own crashes on damaged files are no findings of ours.
    const died = done.finding?.startsWith('in ONNX Runtime: ') ?? false;
    if (died) state.runtimeDied++;
    const outcome = died ? 'ran' : done.outcome;
    if (done.finding && !died) keep(job, done, phase);
    if (done.again) return;
    counts.next = done.seed + 1;
    if (outcome === 'none') return;
    counts.cases++;
    counts.cpuSeconds += done.seconds;
    add(counts.kinds, done.kind);
    add(counts.outcomes, outcome);
    if (done.compared) add(counts.compared, done.compared);
    if (done.seconds > (state.slowest?.seconds ?? 0))
      state.slowest = { group: groupOf(job), seed: done.seed, kind: done.kind, seconds: done.seconds };
  },
  ran(counts) {
    for (const [key, n] of Object.entries(counts)) add(state.ran, key, n);
  },
});

const started = performance.now();
let stopping = false;
let last = performance.now();

function save(): void {
  const now = performance.now();
  state.wallSeconds += (now - last) / 1000;
  last = now;
  saveState(stateFile, state);
}

function finish(): never {
  watched.stop();
  save();
  const text = `${reportOf(state).join('\n')}\n`;
  process.stdout.write(`\n${text}\ncounts and findings are in ${folder}\n`);
  if (values.report) writeFileSync(values.report, text);
  process.exit(state.findings.length > 0 ? 1 : 0);
}

process.on('SIGINT', () => {
  if (stopping) process.exit(130);
  stopping = true;
  finish();
});

const deadline = started + numberOf('minutes') * 60_000;
for (let said = 0; performance.now() < deadline; ) {
  const job = nextJob(state, goals);
  if (!job) break;
  await watched.run(job);
  save();
  if (performance.now() - said < 30_000) continue;
  said = performance.now();
  const { files, networks } = totals(state);
  process.stdout.write(
    `${files} files, ${networks} networks, ${state.findings.length + state.alike} findings\n`,
  );
}
finish();
