import { describe, expect, test } from 'vitest';
import { normalise } from '../model/normalise/normalise.ts';
import { checkPlan } from '../plan/check.ts';
import { planMetrics } from '../plan/metrics.ts';
import { zooGraph } from '../zoo/zoo.ts';
import { fitGraph } from './fit.ts';

const RAM = { input: 'reuse', output: 'whole' } as const;
const vww = normalise(zooGraph('mobilenetv1-0.25-96', { dtype: 'int8' }));

describe('fit', () => {
  test('takes what costs least within a budget, not what is smallest', () => {
    const smallest = fitGraph(vww, { policy: RAM });
    const roomy = fitGraph(vww, { policy: RAM, budgetBytes: 64 * 1024 });
    const tight = fitGraph(vww, { policy: RAM, budgetBytes: 40 * 1024 });
    expect(roomy.fits).toBe(true);
    expect(roomy.plan.spans.every((s) => s.mode === 'whole')).toBe(true);
    expect(tight.fits).toBe(true);
    expect(tight.plan.arenaBytes).toBeGreaterThan(smallest.plan.arenaBytes);
    const firings = (plan: typeof tight.plan) => planMetrics(vww, plan).firings;
    expect(firings(tight.plan)).toBeLessThan(firings(smallest.plan));
  });

  test('names the smallest plan where nothing fits', () => {
    const result = fitGraph(vww, { policy: RAM, budgetBytes: 4096 });
    expect(result.fits).toBe(false);
    expect(result.plan.arenaBytes).toBe(fitGraph(vww, { policy: RAM }).plan.arenaBytes);
  });

  test.each(['mobilenetv2-0.35-144', 'resnet8', 'squeezenet1.1', 'ds-cnn'])(
    '%s: never above layer by layer; streaming the input in never costs',
    (name) => {
      const graph = normalise(zooGraph(name, { dtype: 'int8' }));
      const layerwise = fitGraph(graph, { policy: RAM, method: 'layerwise' });
      const fit = fitGraph(graph, { policy: RAM });
      const streamed = fitGraph(graph, { policy: { input: 'streamed', output: 'whole' } });
      expect(fit.plan.arenaBytes).toBeLessThanOrEqual(layerwise.plan.arenaBytes);
      expect(streamed.plan.arenaBytes).toBeLessThanOrEqual(fit.plan.arenaBytes);
      for (const { plan } of [layerwise, fit, streamed])
        expect(checkPlan(graph, plan)).toMatchObject({ ok: true });
    },
  );

  test('liveness peaks of the literature are met layer by layer', () => {
    // Cipolletta and Calimera's networks, one byte an element, image counted, additions in place.
    const peaks = {
      vgg16: 6_422_528,
      'squeezenet1.1': 982_144,
      'mobilenetv2-1.0-224': 1_505_280,
      resnet18: 1_003_520,
      inceptionv3: 2_074_464,
    };
    for (const [name, bytes] of Object.entries(peaks)) {
      const { plan } = fitGraph(normalise(zooGraph(name, { dtype: 'int8' })), {
        policy: RAM,
        method: 'layerwise',
      });
      expect(plan.arenaBytes, name).toBe(bytes);
    }
  });
});
