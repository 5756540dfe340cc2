import { test } from 'vitest';
import { subjectOf } from '/work/main/test/random/random-plans.ts';
import { csdfPlanOf } from './csdf.ts';
import { networkOf } from '../passes/3-schedule/steps.ts';
test('x', () => {
  let bad = 0;
  for (let seed = 0; seed < 5000; seed++) {
    const { graph, policy } = subjectOf(seed, undefined);
    const byParts = seed % 3 === 0 ? undefined : graph.operators.map((_, i) => seed % 3 === 1 && i % 2 === 0);
    try { csdfPlanOf(graph, policy, 'apart', byParts); } catch (e) {
      if (bad++ < 3) {
      console.log(seed, (e as Error).message, policy);
      for (const op of graph.operators) console.log(op.id, op.name, op.kind, op.inputs.map(i=>`${i}${i>=0&&graph.tensors[i].constant?'c':''}[${i>=0?graph.tensors[i].shape:''}]`).join(' '), '->', op.outputs.map(o=>`${o}[${graph.tensors[o].shape}]`).join(' '), JSON.stringify(op.attrs).slice(0,80));
      console.log('out', graph.outputs.map(o=>o.tensor));
      const concats = graph.operators.filter((op) => op.kind === 'Concat');
      const copies = concats.flatMap((op) => op.inputs.map((_, input) => ({ operator: op.id, input })));
      for (const c of [[], copies]) {
        const n = networkOf(graph, policy, c);
        n.steps.forEach((s,i)=>{ const t=n.table(i,'rows'); console.log('  ',i,s.kind,s.name,'count',t.count,'waits',t.reads.map(r=>r.waits.map(w=>`${w.step}:${Array.from(w.pixels).slice(-1)}`).join(',')).join(' | '), 'written', t.written.at(-1)); });
      }
    }}
  }
  console.log('bad', bad);
}, 600000);
