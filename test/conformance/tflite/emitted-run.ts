/** A model normalised, planned, and run by a backend: what stands in for the run operator by operator. */
import { planGraph } from '../../../src/compile.ts';
import type { FitRequest } from '../../../src/fit/fit.ts';
import type { Graph } from '../../../src/graph/graph.ts';
import { normalise } from '../../../src/model/normalise/normalise.ts';
import type { Backend, Prepared } from '../../../src/run/backend.ts';
import { fromGraphLayout, toGraphLayout } from '../../../src/run/reference.ts';
import type { Run } from './compare.ts';

/** Each graph is planned and made ready once. */
export function emittedRun(backend: Backend, method?: FitRequest['method']): Run {
  const ready = new WeakMap<Graph, { readonly graph: Graph; readonly prepared: Prepared }>();
  return (read, inputs) => {
    let known = ready.get(read);
    if (!known) {
      const graph = normalise(read);
      const { plan } = planGraph(graph, { policy: { input: 'reuse', output: 'whole' }, method });
      known = { graph, prepared: backend.prepare(graph, plan) };
      ready.set(read, known);
    }
    const { graph, prepared } = known;
    const values = inputs.map((v, i) => toGraphLayout(graph.inputs[i], v));
    const { outputs } = prepared.run(values, { paint: 0xa5 });
    return outputs.map((v, i) => fromGraphLayout(graph.outputs[i], v));
  };
}
