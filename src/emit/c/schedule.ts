/** The firing sequence as C: loops around calls, each actor with a counter where it needs one. `told` goes before each. */
import type { Program } from '../../kernels/program.ts';
import type { ScheduleNode } from '../../plan/plan.ts';

export function scheduleCode(
  program: Program,
  told: (actor: number) => string = () => '',
): { readonly counters: string; readonly body: string } {
  const takesNumber = program.actors.map((actor) => {
    const fn = program.functions.find((f) => f.name === actor.fn);
    return fn !== undefined && fn.params.length > 0;
  });
  const counters = program.actors.flatMap((_, i) => (takesNumber[i] ? [`n${i} = 0`] : []));
  const lines: string[] = [];
  const visit = (nodes: readonly ScheduleNode[], depth: number): void => {
    const pad = '  '.repeat(depth + 1);
    for (const node of nodes) {
      if (typeof node === 'number') {
        lines.push(
          `${pad}${told(node)}${program.actors[node].fn}(${takesNumber[node] ? `n${node}++` : ''});`,
        );
        continue;
      }
      lines.push(`${pad}for (int i${depth} = 0; i${depth} < ${node[0]}; i${depth}++) {`);
      visit(node.slice(1) as ScheduleNode[], depth + 1);
      lines.push(`${pad}}`);
    }
  };
  visit(program.schedule, 0);
  return {
    counters: counters.length > 0 ? `  ptrdiff_t ${counters.join(', ')};\n` : '',
    body: lines.join('\n'),
  };
}
