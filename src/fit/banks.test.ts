import { describe, expect, it } from 'vitest';
import { difference, subjectOf } from '../../test/random/random-plans.ts';
import { normalise } from '../model/normalise/normalise.ts';
import { checkPlan } from '../plan/check.ts';
import { planTraffic } from '../plan/traffic.ts';
import { executePlan } from '../run/execute.ts';
import { zooGraph } from '../zoo/zoo.ts';
import { fitGraph } from './fit.ts';

describe('memory banks', () => {
  it('spreads random graphs over two banks; the plans are proven and right', () => {
    let spread = 0;
    for (let seed = 0; seed < 60; seed++) {
      const { graph, inputs, expected, policy } = subjectOf(seed);
      const least = fitGraph(graph, { policy }).plan.arenaBytes;
      const capacityBytes = Math.max(16, Math.floor(least * 0.6));
      const banks = [
        { name: 'sram', capacityBytes },
        { name: 'psram', capacityBytes: 1 << 24 },
      ];
      const { plan, fits } = fitGraph(graph, { policy, banks });
      expect(fits).toBe(true);
      expect(plan.banks?.[0].bytes).toBe(plan.arenaBytes);
      expect(plan.arenaBytes).toBeLessThanOrEqual(capacityBytes);
      expect(checkPlan(graph, plan).problem).toBeUndefined();
      expect(
        difference(executePlan(graph, plan, inputs, { paint: 0x5a }).outputs, expected),
        `seed ${seed}`,
      ).toBe(undefined);
      if (plan.banks![1].bytes > 0) spread++;
    }
    expect(spread).toBeGreaterThan(40);
  });

  const resnet8 = () => normalise(zooGraph('resnet8', { dtype: 'int8' }));
  const policy = { input: 'reuse', output: 'whole' } as const;
  const banksOf = (sram: number, psram: number) => [
    { name: 'sram', capacityBytes: sram },
    { name: 'psram', capacityBytes: psram },
  ];

  it('moves nothing to the slow bank where the fast one suffices, and ever more as it shrinks', () => {
    const graph = resnet8();
    const slow = [49_152, 24_576, 8_192, 4_096].map((sram) => {
      const { plan } = fitGraph(graph, { policy, banks: banksOf(sram, 1 << 20) });
      const { readBytes, writtenBytes } = planTraffic(graph, plan)[1];
      return readBytes + writtenBytes;
    });
    expect(slow[0]).toBe(0);
    expect(slow[3]).toBeGreaterThan(0);
    for (let i = 1; i < slow.length; i++) expect(slow[i]).toBeGreaterThanOrEqual(slow[i - 1]);
  });

  it('names what the last bank lacks', () => {
    const { fits, shortfall } = fitGraph(resnet8(), { policy, banks: banksOf(4_096, 1_024) });
    expect(fits).toBe(false);
    expect(shortfall).toMatchObject({ name: 'psram', capacityBytes: 1_024 });
    expect(shortfall!.neededBytes).toBeGreaterThan(1_024);
  });

  it('refuses a plan whose buffer leaves its bank', () => {
    const graph = resnet8();
    const { plan } = fitGraph(graph, { policy, banks: banksOf(8_192, 1 << 20) });
    const banks = plan.banks!.map((b, i) => (i === 1 ? { ...b, bytes: b.bytes - 4 } : b));
    expect(checkPlan(graph, { ...plan, banks }).problem).toMatch(/outside bank psram/);
    const buffers = plan.buffers.map((b) => (b.bank === 'psram' ? { ...b, bank: 'flash' } : b));
    expect(checkPlan(graph, { ...plan, buffers }).problem).toMatch(/not described/);
  });
});
