import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { normalise } from '../model/normalise/normalise.ts';
import { pick, seeded } from '../ops/testing/operator-case.ts';
import { allCuts } from '../passes/2-partition/cuts.ts';
import { layerFusion } from '../passes/2-partition/layer-fusion.ts';
import { layersOf } from '../passes/2-partition/layers.ts';
import { Partitioner } from '../passes/2-partition/partition.ts';
import { residualGraph } from '../passes/2-partition/testing/residual-graph.ts';
import { zooGraph } from '../zoo/zoo.ts';
import { chipPreset, chipPresets, chipSchema, macsPerCycle, parseChip } from './chip.ts';
import { layerTime } from './layer-time.ts';
import { fewestChips, leastPeriod } from './objectives.ts';
import { type PipelineMode, simulatePipeline } from './pipeline.ts';
import { ChipCosts } from './stages.ts';
import { replicasForChips, replicasForPeriod, stapFigures } from './stap.ts';
import { traceOf } from './trace.ts';

const zoo = (name: string) => layersOf(normalise(zooGraph(name, { dtype: 'int8' })), { dense: false });
const stages = (seconds: readonly number[], replicas: readonly number[]) =>
  seconds.map((s, i) => ({ seconds: s, replicas: replicas[i] }));

describe('staggered asynchronous pipelines', () => {
  test('t = (4, 1, 2) for a period of 1: replicas (4, 1, 2), latency 7', () => {
    const t = [4, 1, 2];
    const r = replicasForPeriod(t, 1);
    expect(r).toEqual([4, 1, 2]);
    expect(stapFigures(t, r)).toEqual({ periodSeconds: 1, throughput: 1, latencySeconds: 7, chips: 7 });
    expect(replicasForChips(t, 7)).toEqual(r);
    const run = simulatePipeline({ stages: stages(t, r), batches: 40 });
    expect(run.throughput).toBeCloseTo(1, 9);
    expect(run.latencySeconds).toBeCloseTo(7, 9);
    // Replicas of a stage start t_i / r_i after one another, and mini-batch b goes to replica b mod r.
    const first = run.visits.filter((v) => v.stage === 0).sort((a, b) => a.batch - b.batch);
    first.forEach((v, b) => {
      expect(v.start).toBeCloseTo(b, 9);
      expect(v.replica).toBe(b % 4);
    });
    for (const u of run.utilisation.flat()) expect(u).toBeGreaterThan(0.8);
  });

  test('formulas and simulation agree on 200 random pipelines', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = seeded(seed);
      const t = Array.from({ length: pick(random, 1, 7) }, () => pick(random, 1, 20) / 4);
      const chips = t.length + pick(random, 0, 9);
      const r = seed % 2 ? replicasForChips(t, chips) : replicasForPeriod(t, pick(random, 1, 8) / 2);
      const said = stapFigures(t, r);
      // Arriving at the pipeline's own pace nothing waits; all at once it runs at that pace as well.
      const paced = simulatePipeline({ stages: stages(t, r), batches: 60 });
      expect(paced.throughput, `seed ${seed}`).toBeCloseTo(said.throughput, 6);
      expect(paced.latencySeconds, `seed ${seed}`).toBeCloseTo(said.latencySeconds, 6);
      const flooded = simulatePipeline({ stages: stages(t, r), batches: 400, arrivalSeconds: 0, queue: 2 });
      expect(flooded.throughput, `seed ${seed}`).toBeLessThan(said.throughput * 1.07);
      expect(flooded.throughput, `seed ${seed}`).toBeGreaterThan(said.throughput * 0.93);
      expect(Math.max(...flooded.queued)).toBeLessThanOrEqual(2);
    }
  });

  test('every mini-batch passes every stage once, in time and in turn, in every mode', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = seeded(seed);
      const t = Array.from({ length: pick(random, 1, 5) }, () => pick(random, 1, 9));
      const r = t.map(() => pick(random, 1, 4));
      for (const mode of ['staggered', 'unstaggered', 'synchronous'] satisfies PipelineMode[]) {
        const run = simulatePipeline({ stages: stages(t, r), batches: 17, mode, arrivalSeconds: seed % 3 });
        expect(run.visits).toHaveLength(17 * t.length);
        for (let b = 0; b < 17; b++) {
          const own = run.visits.filter((v) => v.batch === b).sort((x, y) => x.stage - y.stage);
          expect(own.map((v) => v.stage)).toEqual(t.map((_, i) => i));
          for (let i = 1; i < own.length; i++) expect(own[i].start).toBeGreaterThanOrEqual(own[i - 1].left);
        }
        // A replica does one thing at a time.
        for (const a of run.visits)
          for (const b of run.visits)
            if (a !== b && a.stage === b.stage && a.replica === b.replica)
              expect(a.left <= b.start || b.left <= a.start).toBe(true);
      }
    }
  });

  test('synchronous: the slowest stage is the clock; unstaggered: no faster, and later', () => {
    const t = [4, 1, 2];
    const r = [4, 1, 2];
    const lockstep = simulatePipeline({ stages: stages(t, r), batches: 40, mode: 'synchronous' });
    expect(lockstep.throughput).toBeCloseTo(1 / 4, 9);
    expect(lockstep.latencySeconds).toBeCloseTo(12, 9);
    const staggered = simulatePipeline({ stages: stages(t, r), batches: 80 });
    const together = simulatePipeline({ stages: stages(t, r), batches: 80, mode: 'unstaggered' });
    expect(together.throughput).toBeLessThanOrEqual(staggered.throughput * 1.0001);
    expect(together.latencySeconds).toBeGreaterThan(staggered.latencySeconds);
  });

  test('links delay, and do not slow', () => {
    const plain = stages([2, 3, 1], [1, 1, 1]);
    const linked = plain.map((s) => ({ ...s, linkSeconds: 0.5 }));
    const run = simulatePipeline({ stages: linked, batches: 30 });
    expect(run.throughput).toBeCloseTo(1 / 3, 9);
    expect(run.latencySeconds).toBeCloseTo(7, 9);
  });
});

test('a trace has a row for each replica and an event for each visit', () => {
  const run = simulatePipeline({ stages: stages([4, 1, 2], [4, 1, 2]), batches: 5 });
  const { traceEvents } = traceOf(run, ['a', 'b', 'c']);
  expect(traceEvents.filter((e) => e.name === 'thread_name')).toHaveLength(7);
  const work = traceEvents.filter((e) => e.cat === 'work');
  expect(work).toHaveLength(15);
  expect(work.find((e) => e.pid === 0 && e.args?.batch === 0)).toMatchObject({ ts: 0, dur: 4e6, tid: 0 });
});

describe('chips', () => {
  test('presets are valid and say where their constants come from', () => {
    for (const chip of chipPresets) {
      expect(chipSchema.parse(chip)).toEqual(chip);
      expect(Object.keys(chip.sources!).length).toBeGreaterThanOrEqual(5);
    }
    expect(() => chipPreset('gpu')).toThrow(/edge, tpu-v1/);
    expect(macsPerCycle(chipPreset('edge'))).toBe(1024);
  });

  test('the chip that the page shows is the preset', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/pipeline.md'), 'utf8');
    const shown = /```json\n([\s\S]*?)```/.exec(page)![1];
    const { sources: _, ...preset } = chipPreset('edge');
    const chip = parseChip(JSON.parse(shown), 'docs/pipeline.md');
    for (const key of Object.keys(preset) as (keyof typeof preset)[])
      if (typeof preset[key] === 'number') expect(chip[key], key).toBeCloseTo(preset[key] as number, 20);
      else expect(chip[key], key).toEqual(preset[key]);
  });

  test('a chip from a file is checked', () => {
    const chip = chipPreset('edge');
    expect(parseChip(JSON.parse(JSON.stringify(chip)), 'chip.json')).toEqual(chip);
    expect(() => parseChip({ ...chip, clockHz: -1 }, 'chip.json')).toThrow(/^chip.json: clockHz/);
    expect(() => parseChip({ ...chip, speed: 1 }, 'chip.json')).toThrow(/chip.json/);
    expect(() => parseChip(undefined, 'chip.json')).toThrow(/chip.json/);
  });

  test('utilisation follows the shape of a layer', () => {
    const net = zoo('mobilenetv1-1.0-224');
    const chip = chipPreset('edge');
    const share = (name: string) =>
      layerTime(
        net,
        net.layers.findIndex((l) => l.name === name),
        chip,
      ).utilisation;
    // Three input channels on eight lanes.
    expect(share('conv1')).toBeCloseTo(3 / 8, 2);
    // A depthwise filter has one channel in and one out.
    expect(share('dw2')).toBeCloseTo(1 / 8 / 16, 2);
    expect(share('conv3')).toBeCloseTo(1, 2);
  });
});

describe('stages on a chip', () => {
  const net = zoo('vgg16');
  const chip = chipPreset('edge');
  const costs = new ChipCosts(net, chip);
  const partitioner = new Partitioner(net, { capacityBytes: chip.capacityBytes });
  const spans = partitioner.best().spans.map((s) => costs.stage(s));

  test('all the work of the network, and the traffic of the partition', () => {
    expect(spans.reduce((n, s) => n + s.macs, 0)).toBe(net.layers.reduce((n, l) => n + l.macs, 0));
    expect(spans.reduce((n, s) => n + s.offChipBytes, 0)).toBe(2_784_768);
  });

  test('the base case moves what it is said to; a mini-batch shares the filters', () => {
    expect(costs.base(1).offChipBytes).toBe(44_995_904);
    expect(costs.base(16).offChipBytes).toBeCloseTo(30_281_216 + (44_995_904 - 30_281_216) / 16, 0);
    const fusion = costs.fusion(layerFusion(net, { capacityBytes: chip.capacityBytes }), 1);
    expect(fusion.offChipBytes).toBeLessThan(costs.base(1).offChipBytes);
    expect(fusion.seconds).toBeLessThan(costs.base(1).seconds);
    const all = { macs: 0, onChipBytes: 0, offChipBytes: 0 };
    for (const s of spans) {
      all.macs += s.macs;
      all.onChipBytes += s.onChipBytes;
      all.offChipBytes += s.offChipBytes;
    }
    expect(costs.joules(all)).toBeLessThan(costs.joules(costs.base(1)));
  });
});

describe('other ends, over all cuts and replicas of small networks', () => {
  test('the least period for a number of chips, and the fewest chips for a period', () => {
    const chip = { ...chipPreset('diannao'), offChipBytesPerSecond: 2e8 };
    for (let seed = 1; seed <= 40; seed++) {
      const net = layersOf(residualGraph(seed, 6));
      const costs = new ChipCosts(net, chip);
      const p = new Partitioner(net, { capacityBytes: 2000 + 400 * (seed % 5) });
      const periods = new Array<number>(9).fill(Number.POSITIVE_INFINITY);
      for (const cuts of allCuts(net.layers.length)) {
        const partition = p.of(cuts);
        if (!partition) continue;
        const t = partition.spans.map((s) => costs.stage(s).seconds);
        for (let chips = t.length; chips <= 8; chips++) {
          const { periodSeconds } = stapFigures(t, replicasForChips(t, chips));
          periods[chips] = Math.min(periods[chips], periodSeconds);
        }
      }
      for (let chips = 1; chips <= 8; chips++) {
        const found = leastPeriod(p, costs, chips);
        expect(found?.periodSeconds ?? Number.POSITIVE_INFINITY, `seed ${seed}`).toBeCloseTo(
          periods[chips],
          12,
        );
        if (!found) continue;
        expect(found.replicas.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(chips);
        const fewest = fewestChips(p, costs, found.periodSeconds);
        const used = fewest.replicas.reduce((a, b) => a + b, 0);
        expect(used).toBeLessThanOrEqual(chips);
        expect(fewest.periodSeconds).toBeLessThanOrEqual(found.periodSeconds * (1 + 1e-9));
        // One chip fewer cannot keep the pace.
        if (used > 1)
          expect(leastPeriod(p, costs, used - 1)?.periodSeconds ?? Infinity).toBeGreaterThan(
            found.periodSeconds * (1 - 1e-12),
          );
      }
    }
  });
});
