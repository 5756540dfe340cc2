/** Keeps what is derived from an operator and its tensors for as long as its context lives. */
import type { Attributes } from '../graph/graph.ts';
import type { OpContext } from './operator.ts';

export function perContext<A extends Attributes, T>(
  make: (ctx: OpContext<A>) => T,
): (ctx: OpContext<A>) => T {
  const known = new WeakMap<OpContext<A>, { readonly value: T }>();
  return (ctx) => {
    let entry = known.get(ctx);
    if (!entry) {
      entry = { value: make(ctx) };
      known.set(ctx, entry);
    }
    return entry.value;
  };
}
