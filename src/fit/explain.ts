/** Why a span runs as it does: what its operators would need, were they run whole, by rows, by pixels or with rows placed singly. */
import type { Network } from '../passes/3-schedule/steps.ts';
import { scheduleSpan } from '../passes/3-schedule/stream.ts';
import type { Mode } from '../passes/3-schedule/tables.ts';
import type { Plan, Span } from '../plan/plan.ts';
import type { SpanChoice } from './spans.ts';

/** Firings beyond which a way of running is not looked into. */
const MOST_FIRINGS = 40_000;

const STREAMED: readonly Mode[] = ['rows', 'pixels', 'singles'];

/** The plan of these spans, with what each would need otherwise. */
export function explained(plan: Plan, network: Network, spans: readonly SpanChoice[]): Plan {
  return {
    ...plan,
    spans: plan.spans.map((span, k) => {
      const instead = alternativesOf(network, spans[k]);
      return instead ? { ...span, instead } : span;
    }),
  };
}

/** Live bytes of the alternatives, the chosen one included. Undefined for a single operator that runs whole. */
function alternativesOf(network: Network, span: SpanChoice): Span['instead'] {
  const { first, last } = span;
  if (first === last && span.mode === 'whole') return undefined;
  const found: { -readonly [M in Mode]?: number } = { whole: wholePeak(network, first, last) };
  for (const mode of STREAMED) {
    let firings = 0;
    for (let s = first; s <= last; s++) firings += network.table(s, mode).count;
    if (mode === span.mode) found[mode] = span.peakBytes;
    else if (firings <= MOST_FIRINGS) found[mode] = scheduleSpan(network, { first, last, mode })?.peakBytes;
  }
  return found;
}

function wholePeak(network: Network, first: number, last: number): number {
  let peak = 0;
  for (let s = first; s <= last; s++)
    peak = Math.max(peak, scheduleSpan(network, { first: s, last: s, mode: 'whole' })!.peakBytes);
  return peak;
}
