/**
 * The graph that a plan runs: the normalised one with the plan's regions cut into tiles and its copies put in, and where
 * each tensor lies in it. Everything that consumes a plan asks here.
 */
import type { Graph } from '../graph/graph.ts';
import { resolveStorage, type Storage } from '../graph/storage.ts';
import { applyTiles } from '../passes/1-restructure/apply.ts';
import type { Plan } from './plan.ts';

/** Throws `plan-invalid` where the plan's tiles do not fit the graph. */
export function plannedGraph(
  graph: Graph,
  { tiles, copies }: Pick<Plan, 'tiles' | 'copies'>,
): { graph: Graph; storage: Storage } {
  return resolveStorage(tiledGraph(graph, tiles), copies);
}

/** The graph with its tiles, before copies: the one that a plan's copies refer to. */
export function tiledGraph(graph: Graph, tiles: Plan['tiles']): Graph {
  return tiles ? applyTiles(graph, tiles) : graph;
}
