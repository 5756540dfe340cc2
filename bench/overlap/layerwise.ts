/** Layer by layer without overlap, packed exactly, with the time that the solver took. */
import { wholeSpans } from '../../src/fit/spans.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { networkOf } from '../../src/passes/3-schedule/steps.ts';
import { timelineOf } from '../../src/passes/4-allocate/lifetimes.ts';
import { problemOf } from '../../src/passes/4-allocate/pack.ts';
import { solvePacking } from '../../src/passes/4-allocate/solver/solve.ts';

export interface LayerwiseOptimum {
  readonly bytes: number;
  /** Greatest sum of live bytes. */
  readonly loadBytes: number;
  readonly proven: boolean;
  /** Of the processor, for the order and concats that came out best; the better of two runs. */
  readonly milliseconds: number;
}

const LIMITS = { tries: 1000, nodes: 4000 };

/** The file's order and the best one; concats in place or copied. */
export function layerwiseOptimum(graph: Graph): LayerwiseOptimum {
  const policy = { input: 'reuse', output: 'whole' } as const;
  const copies = graph.operators.flatMap((op) =>
    op.kind === 'Concat' ? op.inputs.map((_, input) => ({ operator: op.id, input })) : [],
  );
  const networks = (copies.length > 0 ? [[], copies] : [[]]).flatMap((c) => {
    const best = networkOf(graph, policy, c, 'best');
    return best ? [networkOf(graph, policy, c), best] : [networkOf(graph, policy, c)];
  });
  const found = networks.map((network) => {
    const timeline = timelineOf(network, wholeSpans(network));
    // Tensors at multiples of their element, working memory at multiples of 4: as a plan must have them.
    const alignments = timeline.lifetimes.map((l) =>
      l.root === undefined ? 4 : network.roots[l.root].elementBytes,
    );
    const problem = { ...problemOf(timeline), alignments };
    let milliseconds = Number.POSITIVE_INFINITY;
    for (let k = 0; k < 2; k++) {
      const started = process.cpuUsage();
      solvePacking(problem, LIMITS);
      const { user, system } = process.cpuUsage(started);
      milliseconds = Math.min(milliseconds, (user + system) / 1000);
    }
    const { answer, lowerBound } = solvePacking(problem, LIMITS);
    const bytes = answer!.height;
    return { bytes, loadBytes: problem.lowerBound ?? 0, proven: lowerBound >= bytes, milliseconds };
  });
  return found.reduce((a, b) => (b.bytes < a.bytes ? b : a));
}
