/** Checks a movement operator against a formula that says where each element comes from. For tests. */
import { expect } from 'vitest';
import type { Attributes } from '../../graph/graph.ts';
import type { OperatorDef } from '../operator.ts';
import { checkAliases } from './check-aliases.ts';
import { type CaseInput, checkOperator, contextFor, type Random, seeded } from './check-operator.ts';
import { coordinates } from './naive.ts';

/** Runs rounds, skipping those for which nothing is made. Returns the number of rounds that were views. */
export function checkMovement<A extends Attributes>(
  def: OperatorDef<A>,
  rounds: number,
  make: (
    random: Random,
  ) =>
    | { inputs: CaseInput[]; attrs: A; from: (at: number[], shape: readonly number[]) => number }
    | undefined,
): number {
  let views = 0;
  for (let round = 0; round < rounds; round++) {
    const made = make(seeded(1000 + round));
    if (!made) continue;
    const { inputs, attrs, from } = made;
    const given = { inputs, attrs };
    const [found] = checkOperator(def, given, round);
    views += checkAliases(def, given);
    const { shape } = contextFor(def, given).outputs[0];
    const expected = found.slice();
    coordinates(shape).forEach((at, e) => {
      expected[e] = from(at, shape);
    });
    expect(found, `${def.kind} round ${round}`).toEqual(expected);
  }
  return views;
}
