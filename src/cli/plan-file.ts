/** Reads plan files. */
import type { Graph } from '../graph/graph.ts';
import type { Plan } from '../plan/plan.ts';
import { parsePlan } from '../plan/read.ts';
import { readChecked } from './model-files.ts';

export function readPlan(file: string, graph: Graph): Plan {
  return parsePlan(new TextDecoder().decode(readChecked(file, file, 'planFileBytes')), file, graph);
}
