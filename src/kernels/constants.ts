/** Values of an operator's inputs that are known before a run. */
import { TidemarkError } from '../errors.ts';
import type { TypedArray } from '../graph/graph.ts';
import type { OpContext } from '../ops/operator.ts';
import type { Task } from './kernel.ts';
import { type Site, wholeSite } from './site.ts';

/** The values of a constant input. Throws where it is computed at run time. */
export function constantValues({ op, inputs }: OpContext, at: number): TypedArray {
  const values = inputs[at]?.constant?.load();
  if (values) return values;
  throw new TidemarkError(
    'operator-unsupported',
    `${op.kind} ${op.name}: input ${at} is no constant, which cannot be emitted yet; run it with --backend reference`,
  );
}

/** A constant input as a tensor that lies in the data. */
export function constantSite({ ctx, module }: Task, at: number): Site {
  const tensor = ctx.inputs[at]!;
  const values = constantValues(ctx, at);
  return wholeSite(
    tensor,
    module.packed(tensor.name, values, 'whole', () => values),
  );
}

/** An input wherever it lies. */
export function siteOf(task: Task, at: number): Site {
  return task.inputs[at] ?? constantSite(task, at);
}
