/** Which concats are copied together from parts of their own, and which are written in place by those who make the parts. */
import type { Graph } from '../graph/graph.ts';
import type { CopyChoice } from '../graph/storage.ts';
import type { Network } from '../passes/3-schedule/steps.ts';
import type { SpanChoice } from './spans.ts';

/**
 * The copies without those of concats all of whose parts are whole before any is copied: such a concat takes no more
 * when it is written in place, and the parts leave no gaps between its rows. Undefined where there are none such.
 */
export function withoutIdleCopies(
  graph: Graph,
  network: Network,
  spans: readonly SpanChoice[],
): CopyChoice[] | undefined {
  const kept = new Set<number>();
  // Copies stand right before their concats, in the same order as in the graph without them.
  const concats = graph.operators.filter((op) => op.kind === 'Concat');
  const copied = network.graph.operators.filter((op) => op.kind === 'Concat');
  const concatOf = new Map(copied.flatMap((op, k) => op.inputs.map((t) => [t, concats[k].id] as const)));
  const firstOf = new Map(
    spans.flatMap(({ first, last }) =>
      Array.from({ length: last - first + 1 }, (_, k) => [first + k, first] as const),
    ),
  );
  network.steps.forEach((step, s) => {
    const op = step.kind === 'operator' ? network.graph.operators[step.index] : undefined;
    const concat = op?.kind === 'Copy' ? concatOf.get(op.outputs[0]) : undefined;
    if (!op || concat === undefined) return;
    const root = network.rootIndex.get(network.storage.places[op.inputs[0]].root);
    const whole = root !== undefined && network.roots[root].writers.every((w) => w < (firstOf.get(s) ?? 0));
    if (!whole) kept.add(concat);
  });
  const copies = network.copies.filter((c) => kept.has(c.operator));
  return copies.length < network.copies.length ? copies : undefined;
}
