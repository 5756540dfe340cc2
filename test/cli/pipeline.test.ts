/** `tidemark pipeline`: figures, files, refusals; and worker threads that are killed while they work. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder, tidemark, tidemarkJson } from './tidemark.ts';

const folder = temporaryFolder();

test('VGG16 on twelve chips: formulas, simulation and baselines', () => {
  const document = tidemarkJson([
    'pipeline',
    'zoo:vgg16',
    '--dtype',
    'int8',
    '--no-dense',
    '--chip',
    '3M',
    '--chips',
    '12',
  ]);
  expect(document).toMatchObject({
    model: 'zoo:vgg16',
    chips: 12,
    trafficBytes: 2_784_768,
    mode: 'staggered',
  });
  expect(document.stages).toHaveLength(7);
  const rates = document.stages.map((s: { seconds: number; replicas: number }) => s.seconds / s.replicas);
  expect(document.throughput).toBeCloseTo(1 / Math.max(...rates), 6);
  expect(document.simulated.throughput).toBeCloseTo(document.throughput, 3);
  expect(document.simulated.latencySeconds).toBeCloseTo(document.latencySeconds, 6);
  expect(document.base.trafficBytes).toBe(44_995_904);
  expect(document.energyJoules).toBeLessThan(document.base.energyJoules);
  expect(document.energyJoules).toBeLessThan(document.layerFusion.energyJoules);
  expect(document.modes.map((m: { mode: string }) => m.mode)).toEqual([
    'staggered',
    'unstaggered',
    'synchronous',
  ]);
});

test('goals: the least period for chips, the fewest chips for a rate', () => {
  const model = ['pipeline', 'zoo:resnet18', '--dtype', 'int8', '--no-dense', '--chip', '3M'];
  const traffic = tidemarkJson([...model, '--chips', '10']);
  const period = tidemarkJson([...model, '--chips', '10', '--goal', 'period']);
  expect(period.throughput).toBeGreaterThanOrEqual(traffic.throughput);
  expect(period.chips).toBeLessThanOrEqual(10);
  const rate = Math.floor(traffic.throughput * 2);
  const chips = tidemarkJson([...model, '--rate', String(rate), '--goal', 'chips']);
  expect(chips.throughput).toBeGreaterThanOrEqual(rate);
  expect(chips.chips).toBeLessThanOrEqual(tidemarkJson([...model, '--rate', String(rate)]).chips);
});

describe('files and refusals', () => {
  test('a trace, a drawing, and the document', () => {
    const out = path.join(folder, 'out');
    const chip = path.join(folder, 'chip.json');
    const { chip: preset } = tidemarkJson([
      'pipeline',
      'zoo:ds-cnn',
      '--dtype',
      'int8',
      '--preset',
      'microcontroller',
    ]);
    fs.writeFileSync(chip, JSON.stringify({ ...preset, name: 'mine', clockHz: 1e8 }));
    const { files, chip: used } = tidemarkJson([
      'pipeline',
      'zoo:ds-cnn',
      '--dtype',
      'int8',
      '--chip',
      '16K',
      '--chip-file',
      chip,
      '--batches',
      '9',
      '-o',
      out,
    ]);
    expect(used).toMatchObject({ name: 'mine', clockHz: 1e8, capacityBytes: 16_384 });
    expect(files.map((f: string) => path.basename(f))).toEqual([
      'pipeline.json',
      'timeline.svg',
      'trace.json',
    ]);
    const { traceEvents } = JSON.parse(fs.readFileSync(path.join(out, 'trace.json'), 'utf8'));
    const stages = JSON.parse(fs.readFileSync(path.join(out, 'pipeline.json'), 'utf8')).stages.length;
    expect(traceEvents.filter((e: { cat?: string }) => e.cat === 'work')).toHaveLength(9 * stages);
    expect(fs.readFileSync(path.join(out, 'timeline.svg'), 'utf8')).not.toMatch(/NaN|Infinity/);
  });

  test.each([
    [['--chips', '1', '--chip', '16K'], /give at least \d+/],
    [['--preset', 'gpu'], /no chip gpu: expected one of edge/],
    [['--chip-file', 'nowhere.json'], /nowhere.json: cannot be read/],
    [['--goal', 'period'], /--chips/],
    [['--goal', 'chips'], /--rate/],
    [['--mode', 'fast'], /--mode expects one of/],
  ])('%s ends in one line', (args, message) => {
    const { status, stderr } = tidemark(['pipeline', 'zoo:ds-cnn', '--dtype', 'int8', ...args]);
    expect(status).toBe(2);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(message);
  });
});

describe('worker threads', () => {
  test('images through one thread a chip equal a run in one thread', () => {
    const { run, trafficBytes } = tidemarkJson([
      'pipeline',
      'zoo:resnet8',
      '--dtype',
      'int8',
      '--chip',
      '48K',
      '--chips',
      '6',
      '--run',
      '7',
      '--batch',
      '2',
    ]);
    expect(run).toMatchObject({ images: 7, workers: 6, equal: true, failed: [], died: 0 });
    // What went between threads is what the model of traffic says.
    expect(run.movedBytes).toBe(trafficBytes);
    for (const bytes of run.arenaBytes) expect(bytes).toBeLessThanOrEqual(48 * 1024);
  });

  test('threads killed at work: nothing is lost, nothing comes twice, all results are right', () => {
    const script = path.join(import.meta.dirname, 'killed-threads.mjs');
    const { status, stdout, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({ batches: 16, delivered: 16, right: 16, twice: 0, failed: [] });
    expect(document.stages).toBeGreaterThan(1);
    expect(document.died).toBeGreaterThanOrEqual(2);
    expect(document.reported).toBe(document.died);
  });
});
