import { describe, expect, test } from 'vitest';
import type { TypedArray } from '../../graph/graph.ts';
import { pick, randomValues, seeded } from '../../ops/testing/operator-case.ts';
import { allCuts } from '../../passes/2-partition/cuts.ts';
import { type LayerNet, layersOf } from '../../passes/2-partition/layers.ts';
import { residualGraph } from '../../passes/2-partition/testing/residual-graph.ts';
import { rangeOf } from '../../passes/2-partition/traffic.ts';
import type { PipelineEvent, Spawn } from './contract.ts';
import { PipelineCoordinator } from './coordinator.ts';
import type { FromWorker, ToWorker } from './protocol.ts';
import { runStages, stagesOf } from './stages.ts';
import { stageWorker } from './worker.ts';

interface HostOptions {
  /** Turns of the event loop before a message arrives. */
  readonly delay?: () => number;
  /** True where the worker dies instead of doing what it is told. */
  readonly dies?: (message: ToWorker, stage: number) => boolean;
}

/** A host in this thread: messages are cloned and come later, as between threads, and workers may die. */
function localHost({ delay = () => 1, dies = () => false }: HostOptions = {}): Spawn {
  const later = (turns: number, act: () => void): void => {
    if (turns <= 0) act();
    else setImmediate(() => later(turns - 1, act));
  };
  return (events, stage) => {
    let alive = true;
    const take = stageWorker((message: FromWorker) => {
      const copy = structuredClone(message);
      later(delay(), () => alive && events.onMessage(copy));
    });
    return {
      post(message) {
        const copy = structuredClone(message);
        later(delay(), () => {
          if (!alive) return;
          if (!dies(copy, stage)) return take(copy);
          alive = false;
          events.onExit('killed');
        });
      },
      stop() {
        alive = false;
      },
    };
  };
}

function inputsOf(net: LayerNet, seed: number): TypedArray[] {
  const random = seeded(seed * 31 + 7);
  return net.graph.inputs.map((p) => {
    const t = net.graph.tensors[p.tensor];
    return randomValues(
      random,
      t,
      t.shape.reduce((a, b) => a * b, 1),
    );
  });
}

interface Trial {
  readonly net: LayerNet;
  readonly replicas: readonly number[];
  readonly queue: number;
  readonly sets: readonly (readonly number[])[];
}

/** A small network cut in two or more, with replicas. */
function trial(seed: number): Trial {
  const random = seeded(seed);
  const net = layersOf(residualGraph(seed, 5));
  const cuts = [...allCuts(net.layers.length)].filter((c) => c.length > 1 && c.length < 5);
  const chosen = cuts[pick(random, 0, cuts.length - 1)];
  return {
    net,
    sets: chosen.map(([i, j]) => rangeOf(i, j)),
    replicas: chosen.map(() => pick(random, 1, 3)),
    queue: pick(random, 1, 2),
  };
}

function coordinatorOf(
  { net, sets, replicas, queue }: Trial,
  spawn: Spawn,
  onEvent?: (e: PipelineEvent) => void,
) {
  return new PipelineCoordinator({ net, stages: stagesOf(net, sets), replicas, queue, spawn, onEvent });
}

describe('a pipeline of workers', () => {
  test('gives what one thread gives, each mini-batch once, on 25 networks with delays and deaths', async () => {
    let deaths = 0;
    for (let seed = 1; seed <= 25; seed++) {
      const t = trial(seed);
      const random = seeded(seed + 1000);
      const spawn = localHost({
        delay: () => pick(random, 0, 4),
        dies: (message) => message.kind === 'work' && random() < 0.08,
      });
      const coordinator = coordinatorOf(t, spawn);
      const delivered = new Map<number, readonly TypedArray[][]>();
      let inside = 0;
      const summary = await coordinator.run(
        (b) => {
          if (b >= 12) return undefined;
          inside++;
          return [inputsOf(t.net, b), inputsOf(t.net, b + 500)];
        },
        (b, images) => {
          expect(delivered.has(b)).toBe(false);
          delivered.set(b, images);
          inside--;
        },
      );
      expect(summary.batches).toBe(12);
      expect(delivered.size + summary.failed.length).toBe(12);
      expect(summary.mostInFlight).toBeLessThanOrEqual(t.replicas.reduce((n, r) => n + r * (t.queue + 1), 0));
      deaths += summary.died;
      const stages = stagesOf(t.net, t.sets);
      for (const [b, images] of delivered) {
        expect(images[0]).toEqual(runStages(t.net, stages, inputsOf(t.net, b)));
        expect(images[1]).toEqual(runStages(t.net, stages, inputsOf(t.net, b + 500)));
      }
      expect(inside).toBe(summary.failed.length);
    }
    expect(deaths).toBeGreaterThan(20);
  });

  test('a mini-batch that kills every worker fails by name, and the others arrive', async () => {
    for (let seed = 1; seed <= 8; seed++) {
      const t = trial(seed);
      const poisoned = seed % t.sets.length;
      const events: PipelineEvent[] = [];
      const dies = (m: ToWorker, stage: number) => m.kind === 'work' && m.batch === 4 && stage === poisoned;
      const delivered: number[] = [];
      const summary = await coordinatorOf(t, localHost({ dies }), (e) => events.push(e)).run(
        (b) => (b < 9 ? [inputsOf(t.net, b)] : undefined),
        (b) => delivered.push(b),
      );
      expect(summary.failed).toEqual([
        { batch: 4, reason: `stage ${poisoned + 1}: its worker died (killed)` },
      ]);
      expect([...delivered].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 5, 6, 7, 8]);
      expect(summary.died).toBe(3);
      expect(events.filter((e) => e.kind === 'died' && e.batch === 4)).toHaveLength(3);
      expect(events.filter((e) => e.kind === 'retried')).toHaveLength(2);
    }
  });

  test('a worker that cannot be started ends the run with one line', async () => {
    const t = trial(3);
    const coordinator = coordinatorOf(t, localHost({ dies: (m, stage) => m.kind === 'load' && stage === 1 }));
    const run = coordinator.run(
      () => [inputsOf(t.net, 1)],
      () => {},
    );
    await expect(run).rejects.toThrow(/^stage 2, replica \d: its worker cannot be started \(killed\)$/);
  });

  test('what the caller throws ends the run', async () => {
    const t = trial(5);
    const fetching = coordinatorOf(t, localHost()).run(
      (b) => {
        if (b === 2) throw new Error('no more pictures');
        return [inputsOf(t.net, b)];
      },
      () => {},
    );
    await expect(fetching).rejects.toThrow('no more pictures');
    const delivering = coordinatorOf(t, localHost()).run(
      (b) => (b < 3 ? [inputsOf(t.net, b)] : undefined),
      () => {
        throw new Error('disk full');
      },
    );
    await expect(delivering).rejects.toThrow('disk full');
  });

  test('what a stage cannot compute fails its mini-batch, after as many attempts', async () => {
    const t = trial(6);
    const events: PipelineEvent[] = [];
    const summary = await coordinatorOf(t, localHost(), (e) => events.push(e)).run(
      (b) => (b < 5 ? [b === 2 ? [new Float32Array(3)] : inputsOf(t.net, b)] : undefined),
      () => {},
    );
    expect(summary.failed.map((f) => f.batch)).toEqual([2]);
    expect(summary.failed[0].reason).toMatch(/^stage 1: input x: expected \d+ values, received 3$/);
    expect(summary.died).toBe(0);
  });

  test('no images at all', async () => {
    const t = trial(2);
    const summary = await coordinatorOf(t, localHost()).run(
      () => undefined,
      () => {},
    );
    expect(summary).toMatchObject({ batches: 0, failed: [], mostInFlight: 0 });
  });

  test('each worker gets the constants of its own stage alone', async () => {
    const t = trial(9);
    const stages = stagesOf(t.net, t.sets);
    const bytes = new Map<number, number>();
    const coordinator = new PipelineCoordinator({
      net: t.net,
      stages,
      replicas: stages.map(() => 1),
      spawn: localHost(),
      onEvent: (e) => {
        if (e.kind === 'ready') bytes.set(e.stage, e.weightBytes);
      },
    });
    await coordinator.run(
      (b) => (b < 1 ? [inputsOf(t.net, b)] : undefined),
      () => {},
    );
    const own = t.sets.map((set) => set.reduce((n, i) => n + t.net.layers[i].filterBytes, 0));
    expect([...bytes].sort((a, b) => a[0] - b[0]).map(([, n]) => n)).toEqual(own);
  });
});
