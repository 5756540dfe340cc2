/**
 * Spans of a region that was cut into strips: every strip for itself. Strips of the same shapes run alike, so each shape
 * is searched once; the last strip, which frees the region's input, counts as a shape of its own.
 */
import type { Network } from '../passes/3-schedule/steps.ts';
import type { Mode } from '../passes/3-schedule/tables.ts';
import { chooseSpans, type SpanChoice, type Work } from './spans.ts';

export interface StripSpanSearch {
  readonly modes: readonly Mode[];
  readonly budgetBytes: number;
  readonly work: Work;
  readonly maxCuts?: number;
}

/** The least for steps [first, end); undefined where a strip exceeds the budget. */
export function stripSpans(
  network: Network,
  first: number,
  end: number,
  search: StripSpanSearch,
): SpanChoice[] | undefined {
  const starts = stripStarts(network, first, end);
  const known = new Map<string, { from: number; spans: readonly SpanChoice[] }>();
  const spans: SpanChoice[] = [];
  for (const [k, from] of starts.entries()) {
    const to = starts[k + 1] ?? end;
    const shape = to === end ? 'last' : shapeOf(network, from, to);
    let found = known.get(shape);
    if (!found) {
      const own = chooseSpans(network, { ...search, objective: 'memory', first: from, end: to });
      if (!own) return undefined;
      known.set(shape, (found = { from, spans: own }));
    }
    const shift = from - found.from;
    for (const s of found.spans) spans.push({ ...s, first: s.first + shift, last: s.last + shift });
  }
  return spans;
}

/** First steps of the strips: where the number of the tile in a step's name goes up. */
function stripStarts(network: Network, first: number, end: number): number[] {
  const starts = [first];
  let strip = tileNumber(network.steps[first].name);
  for (let s = first + 1; s < end && strip !== undefined; s++) {
    const next = tileNumber(network.steps[s].name);
    if (next === undefined || next < strip) return [first];
    if (next > strip) starts.push(s);
    strip = next;
  }
  return strip === undefined ? [first] : starts;
}

function tileNumber(name: string): number | undefined {
  const at = name.lastIndexOf('/tile0x');
  const number = at < 0 ? undefined : Number.parseInt(name.slice(at + '/tile0x'.length), 10);
  return Number.isNaN(number) ? undefined : number;
}

/** Two strips of the same shape have the same steps, of the same sizes and with the same windows. */
function shapeOf({ graph, steps }: Network, from: number, to: number): string {
  return JSON.stringify(
    steps.slice(from, to).map(({ kind, index }) => {
      if (kind !== 'operator') return [kind, index];
      const { kind: what, attrs, inputs, outputs } = graph.operators[index];
      const shapes = [...inputs, ...outputs].map((t) => (t < 0 ? [] : graph.tensors[t].shape));
      // Where a slice begins changes from strip to strip; how much it takes does not.
      return [what, what === 'Slice' ? [] : attrs, shapes];
    }),
  );
}
