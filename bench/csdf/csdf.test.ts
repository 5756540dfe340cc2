/**
 * Writes bench/results/csdf.md: method 4's published figures and ours, on the authors' own network files and on the
 * zoo; what choosing phases layer by layer gives; every schedule of the zoo as a proven plan; and random graphs, whose
 * plans run bit-equal to the reference.
 */
import { expect, test } from 'vitest';
import { analyseCsdf, csdfPlanOf, smallestCsdfPlan } from '../../src/fit/csdf.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { normalise } from '../../src/model/normalise/normalise.ts';
import { runBounded, slackEdges } from '../../src/passes/3-schedule/csdf/bounded.ts';
import { csdfOf } from '../../src/passes/3-schedule/csdf/from-graph.ts';
import { paretoSet } from '../../src/passes/3-schedule/csdf/pareto.ts';
import { sizesOf } from '../../src/passes/3-schedule/csdf/sizes.ts';
import { publishedNetworks } from '../../src/passes/3-schedule/csdf/testing/published-networks.ts';
import { throughputOf } from '../../src/passes/3-schedule/csdf/throughput.ts';
import { checkPlan } from '../../src/plan/check.ts';
import { executePlan } from '../../src/run/execute.ts';
import { zooGraph, zooNames } from '../../src/zoo/zoo.ts';
import { difference, subjectOf } from '../../test/random/random-plans.ts';
import { writeResult, writtenBy } from '../report.ts';

const AUTHORS = { preference: 'round' } as const;
const STREAMED = { input: 'streamed', output: 'streamed' } as const;

const n = (value: number) => value.toLocaleString('en-GB');
const row = (...cells: readonly (string | number)[]) =>
  `| ${cells.map((c) => (typeof c === 'number' ? n(c) : c)).join(' | ')} |`;
const zoo = (name: string): Graph => normalise(zooGraph(name, { dtype: 'int8' }));

const sections: string[][] = [];

function section(title: string, text: string, head: readonly string[]): string[] {
  const lines = [
    `## ${title}`,
    '',
    text,
    '',
    `| ${head.join(' | ')} |`,
    `|${head.map(() => '---').join('|')}|`,
  ];
  sections.push(lines);
  return lines;
}

/** After each table, so that a run that is stopped leaves what it has. */
function write(): void {
  const lines = [
    '# Method 4: buffers by cyclo-static dataflow, bytes at int8',
    '',
    `${writtenBy('bench:csdf')} What the columns mean is in [docs/csdf.md](../../docs/csdf.md).`,
    ...sections.flatMap((s) => ['', ...s]),
  ];
  writeResult('csdf.md', lines);
}

const PUBLISHED = [
  ['vgg16', 'vgg16', 635_392, 15_086_080, 602_112],
  ['tinyYoloV2', 'tinyyolov2', 208_000, 8_263_424, undefined],
  ['squeezenet', 'squeezenet1.1', 408_720, 4_552_336, undefined],
  ['resnet18', 'resnet18', 642_048, 4_365_824, undefined],
  ['resnet50', 'resnet50', 2_941_312, 21_957_888, 2_648_960],
  ['densenet121', 'densenet121', 2_402_688, 26_573_056, undefined],
] as const;

test('published figures', () => {
  const lines = section(
    "Published, and the same model here (the authors' mode, between layers)",
    "Left: the authors' own network files, rebuilt layer by layer. Right: the zoo's network of that name. `turns`: FIFOs that take turns, as in the sequel.",
    [
      'network',
      'whole',
      'published',
      'ours',
      'published turns',
      'ours',
      'zoo: whole',
      'zoo: FIFOs',
      'zoo: turns',
    ],
  );
  for (const [file, name, buffers, whole, reuse] of PUBLISHED) {
    const theirs = sizesOf(publishedNetworks[file]().graph(file), AUTHORS);
    const ours = analyseCsdf(zoo(name), { padding: 'ignore', policy: STREAMED });
    expect([theirs.naiveBytes, theirs.bufferBytes]).toEqual([whole, buffers]);
    expect(ours.checked).toBe(true);
    const { naiveBytes, bufferBytes, reuseBytes } = ours.betweenLayers;
    lines.push(
      row(
        name,
        theirs.naiveBytes,
        buffers,
        theirs.bufferBytes,
        reuse ?? '',
        theirs.reuseBytes,
        naiveBytes,
        bufferBytes,
        reuseBytes,
      ),
    );
  }
  write();
});

test('phases chosen layer by layer', () => {
  const lines = section(
    "Phases chosen layer by layer (the authors' files and mode, 20,000 choices tried)",
    'Least memory with FIFOs that take turns; what it needs when all layers work by parts, or none; and the front between.',
    [
      'network',
      'all by parts',
      'none',
      'chosen',
      'by parts',
      'phases',
      'phases, all by parts',
      'choices on the front',
    ],
  );
  for (const [file] of PUBLISHED) {
    const table = publishedNetworks[file]();
    const of = (byParts: readonly boolean[]) => sizesOf(table.graph(file, byParts), AUTHORS);
    const all = of(table.layers.map(() => true));
    const none = of(table.layers.map(() => false));
    const found = paretoSet({
      free: table.layers.map((l) => l.phases > 1),
      tries: file === 'densenet121' ? 2000 : 20_000,
      evaluate: (byParts) => {
        const { reuseBytes, phases } = of(byParts);
        return { bytes: reuseBytes, phases };
      },
    });
    const [best] = found.choices;
    expect(best.bytes).toBeLessThanOrEqual(Math.min(all.reuseBytes, none.reuseBytes));
    const parts = `${best.byParts.filter((p) => p).length} of ${best.byParts.length}`;
    lines.push(
      row(
        file,
        all.reuseBytes,
        none.reuseBytes,
        best.bytes,
        parts,
        best.phases,
        all.phases,
        found.choices.length,
      ),
    );
    write();
  }
});

test('the zoo', () => {
  const lines = section(
    'The zoo with exact padding, input and output streamed and counted',
    'Every schedule ran in FIFOs of its sizes and as a plan that the checker proved. `slack`: FIFOs that could be smaller by a token, the others as they are; none on a chain. `speed-up`: a processor for every layer, FIFOs as they are, and with every FIFO twice as large.',
    [
      'network',
      'whole',
      'FIFOs',
      'slack',
      'a ring a tensor',
      'turns',
      'plan',
      'bound',
      'plan, phases chosen',
      'phases',
      'speed-up',
      'twice',
    ],
  );
  for (const name of zooNames()) {
    const graph = zoo(name);
    const found = analyseCsdf(graph, { padding: 'exact', policy: STREAMED });
    expect(found.checked).toBe(true);
    const chosen = smallestCsdfPlan(graph, STREAMED);
    expect(checkPlan(graph, chosen.plan).problem).toBeUndefined();
    const { csdf, trace, throughput } = found;
    const wide = analyseSpeed(
      csdf,
      trace.most.map((t) => 2 * t),
    );
    lines.push(
      row(
        name,
        found.naiveBytes,
        found.bufferBytes,
        `${csdf.edges.length > 1000 ? 'not tried' : slackEdges(csdf, trace.most).length} of ${csdf.edges.length}`,
        found.sharedBytes,
        found.reuseBytes,
        found.plan!.arenaBytes,
        found.lowerBoundBytes!,
        chosen.plan.arenaBytes,
        found.phases,
        (throughput.macs / throughput.periodMacs).toFixed(2),
        wide.toFixed(2),
      ),
    );
    write();
  }
});

function analyseSpeed(csdf: ReturnType<typeof csdfOf>, sizes: readonly number[]): number {
  const { macs, periodMacs } = throughputOf(csdf, sizes);
  return macs / periodMacs;
}

test('random graphs', () => {
  const GRAPHS = 5000;
  let plans = 0;
  let smaller = 0;
  for (let seed = 0; seed < GRAPHS; seed++) {
    const { graph, inputs, expected, policy } = subjectOf(seed);
    const byParts = seed % 3 === 0 ? undefined : graph.operators.map((_, i) => seed % 3 === 1 && i % 2 === 0);
    const csdf = csdfOf(graph, { padding: 'exact', byParts });
    const { trace } = sizesOf(csdf, { preference: 'downstream' });
    expect(runBounded(csdf, trace.most).stuck, `seed ${seed}`).toEqual([]);
    const apart = csdfPlanOf(graph, policy, 'apart', byParts);
    const shared = csdfPlanOf(graph, policy, 'shared', byParts);
    for (const { plan } of [apart, shared]) {
      expect(checkPlan(graph, plan).problem, `seed ${seed}`).toBeUndefined();
      const { outputs } = executePlan(graph, plan, inputs, { paint: 0x5a });
      expect(difference(outputs, expected), `seed ${seed}`).toBeUndefined();
      plans++;
    }
    expect(shared.plan.arenaBytes, `seed ${seed}`).toBeLessThanOrEqual(apart.plan.arenaBytes);
    if (shared.plan.arenaBytes < apart.plan.arenaBytes) smaller++;
  }
  sections.push([
    '## Random graphs',
    '',
    `${n(GRAPHS)} random graphs (all operators, policies and element types of the test suite; layers by parts, whole and mixed): ${n(plans)} plans of self-timed schedules, all proven and run bit-equal to the layer-by-layer reference; every token schedule ran in its FIFOs. Shared addresses were smaller in ${n(smaller)}, never larger.`,
  ]);
  write();
});
