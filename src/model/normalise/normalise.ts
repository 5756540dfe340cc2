/**
 * From the graph as a reader gives it to the graph that is planned: the same function with fewer operators and
 * fewer copies. docs/normalisation.md lists the passes.
 */
import type { Graph } from '../../graph/graph.ts';
import { absorbTransposes } from './absorb-transposes.ts';
import { collapseMovement } from './collapse-movement.ts';
import { denseProducts } from './dense-products.ts';
import { flattenDense } from './flatten-dense.ts';
import { foldAffine } from './fold-affine.ts';
import { foldConstants } from './fold-constants.ts';
import { foldPads } from './fold-pads.ts';
import { fuseActivations } from './fuse-activations.ts';
import { fuseEpilogues } from './fuse-epilogues.ts';
import { moveQuantisation } from './move-quantisation.ts';
import { quantiseOperators } from './quantise-operators.ts';
import { removeDuplicates } from './remove-duplicates.ts';
import { removeIdentities } from './remove-identities.ts';
import { simplifySlices } from './simplify-slices.ts';
import { sinkTransposes } from './sink-transposes.ts';
import { validate } from './validate.ts';

export type Pass = (graph: Graph) => Graph;

/**
 * Three stages, each repeated until nothing changes. Constants behind a Dequantize are kept until the integer
 * operators have taken them; epilogues come last, because no other pass looks inside one.
 */
export const STAGES: readonly (readonly Pass[])[] = [
  [
    removeIdentities,
    removeDuplicates,
    collapseMovement,
    denseProducts,
    fuseActivations,
    foldAffine,
    moveQuantisation,
    quantiseOperators,
  ],
  [
    foldConstants,
    removeIdentities,
    removeDuplicates,
    collapseMovement,
    simplifySlices,
    absorbTransposes,
    sinkTransposes,
    denseProducts,
    fuseActivations,
    foldAffine,
    foldPads,
    flattenDense,
  ],
  [fuseEpilogues, absorbTransposes],
];

/** No stage needs more; a pass that undid another's work would loop for ever. */
const MOST_ROUNDS = 20;

/** The graph made ready for planning. `after` is called with every pass's result (tests check it there). */
export function normalise(graph: Graph, after?: (graph: Graph, pass: string) => void): Graph {
  let current = graph;
  for (const stage of STAGES) {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const before = current;
      for (const pass of stage) {
        const next = pass(current);
        if (next !== current) after?.(next, pass.name);
        current = next;
      }
      if (current === before) break;
    }
  }
  return validate(current);
}
