/** Limits on planning in the commands that go on with the plan, and in those whose search has one result at its end. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { missingTools } from '../../src/cli/board/toolchain.ts';
import { temporaryFolder, tidemark, tidemarkJson } from './tidemark.ts';

/** Layer by layer it is planned in some milliseconds, all else takes seconds; a run is short. */
const SMALL = ['zoo:mobilenetv2-0.35-144', '--dtype', 'int8'];
const LAYERWISE_BYTES = 311_040;
const NO_TIME = ['--time-limit', '0.001'];
const SHORT = ['--time-limit', '1'];

const linesOf = (text: string) => text.split('\n').filter((line) => line !== '');

test('run goes on with the best plan found by then, and says so', () => {
  const { status, stdout, stderr } = tidemark(['run', ...SMALL, ...SHORT, '--json']);
  expect(status).toBe(0);
  const d = JSON.parse(stdout);
  expect(d).toMatchObject({ stoppedBy: 'time', outputs: [{ shape: [1, 1000] }] });
  expect(d.arenaBytes).toBeLessThanOrEqual(LAYERWISE_BYTES);
  expect(linesOf(stderr).at(-1)).toBe(
    'tidemark: the time limit is reached; going on with the best plan found so far',
  );
});

test('a model that does not fit by then may yet: the line says so', () => {
  const { status, stdout } = tidemark(['check', ...SMALL, ...SHORT, '--ram', '1K']);
  expect(status).toBe(1);
  expect(stdout).toMatch(
    /does not fit: .* by the best plan found \(the time limit is reached\), 1 KiB are given\n$/,
  );
});

test('verify proves and runs that plan', () => {
  expect(tidemarkJson(['verify', ...SMALL, ...SHORT])).toMatchObject({
    stoppedBy: 'time',
    verified: true,
    exact: true,
  });
});

const WITHOUT: readonly (readonly string[])[] = [
  ['csdf', 'zoo:resnet8'],
  ['overlap', 'zoo:resnet8'],
  ['partition', 'zoo:resnet8', '--chip', '64K'],
  ['pipeline', 'zoo:resnet8', '--chip', '64K'],
];

test.each(WITHOUT)('%s has nothing to keep: one line, exit code 2, nothing written', (...args) => {
  const folder = path.join(temporaryFolder(), 'out');
  const files = args[0] === 'csdf' ? ['--plan', path.join(folder, 'plan.json')] : ['-o', folder];
  const { status, stdout, stderr } = tidemark([...args, ...files, ...NO_TIME]);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toBe(
    'tidemark: the time limit of 0.001 s is reached: zoo:resnet8: the search has no result before its end: give it more time or memory\n',
  );
  expect(fs.existsSync(folder) ? fs.readdirSync(folder) : []).toEqual([]);
});

test.each(['run', 'verify'])('%s without even a first plan is one line too', (command) => {
  const { status, stdout, stderr } = tidemark([command, ...SMALL, ...NO_TIME, '--json']);
  expect([status, stdout]).toEqual([2, '']);
  const failures = linesOf(stderr).filter((line) => line.startsWith('tidemark:'));
  expect(failures).toEqual([
    expect.stringMatching(
      /the time limit of 0.001 s is reached: .*stopped before even the layer-by-layer plan/,
    ),
  ]);
});

test('a limit that is not reached changes nothing, and nothing is said of it', () => {
  const args = ['overlap', 'zoo:resnet8', '--dtype', 'int8'];
  expect(tidemarkJson([...args, '--time-limit', '600', '--memory-limit', '64G'])).toEqual(tidemarkJson(args));
});

test('csdf keeps the choices of phases that its search has found', () => {
  const d = tidemarkJson(['csdf', 'zoo:resnet8', '--pareto', '1000000', '--time-limit', '1']);
  expect(d).toMatchObject({ stoppedBy: 'time', checked: true, pareto: { exact: false } });
  expect(d.pareto.tried).toBeLessThan(2 ** 14);
});

test('bench times the best plan found by then', () => {
  const d = tidemarkJson(['bench', ...SMALL, '--plan', 'smallest', '--turns', '1', ...SHORT]);
  expect(d.rows).toEqual([expect.objectContaining({ plan: 'smallest', stoppedBy: 'time' })]);
});

const missing = missingTools();

test.skipIf(missing !== undefined)(`board takes limits too${missing ? ` (skipped: ${missing})` : ''}`, () => {
  const { status, stdout, stderr } = tidemark(['board', 'zoo:ds-cnn', '--board', 'stm32f405', ...NO_TIME]);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/\ntidemark: the time limit of 0.001 s is reached: .*stopped before .*\n$/);
});
