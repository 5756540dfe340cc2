/**
 * The contract of techniques and backends: whatever plans a network and whatever runs the plan, the checker accepts it and
 * the bits are those of the layers run one by one. `CONTRACT=all` holds every network of the zoo, made small, to it under every
 * technique (techniques.ts: methods, orders of work, spreads, plans that compute some of it twice, fit under every policy) on every
 * backend (backends.ts), but for what a name says is skipped and why. Without it networks meet techniques in turns, so that a run
 * takes three minutes of processor time: layer by layer, three methods, two ways of computing in other pieces, fit under one policy,
 * each on all backends but C, which takes one in fourteen.
 */
import { describe, expect, test } from 'vitest';
import { difference } from '../random/random-plans.ts';
import { backends, type ContractBackend } from './backends.ts';
import { type DType, type Network, networkNames, networkOf } from './networks.ts';
import { fits, methods, plainest, problemOf, recomputing, techniques } from './techniques.ts';
import type { Technique, Way } from './way.ts';

const all = process.env.CONTRACT === 'all';

/** Techniques of each kind that a network meets where they take turns. */
const METHODS = 3;
const RECOMPUTING = 2;

interface Chosen {
  readonly technique: Technique;
  /** Why it is skipped. */
  readonly why: string | undefined;
}

/** Layer by layer, some of the methods, some that compute in other pieces, and fit under one policy. */
function chosenFor(network: Network, turn: number): readonly Chosen[] {
  const asked = (technique: Technique): Chosen => ({ technique, why: technique.skips?.(network) });
  if (all) return techniques.map(asked);
  const from = <T>(list: readonly T[], k: number) => list[k % list.length];
  const picked = Array.from({ length: METHODS }, (_, k) => asked(from(methods, METHODS * turn + k)));
  const tiled: Chosen[] = [];
  // Many a network has nothing to cut in one way or another: the next technique takes the turn.
  for (let k = 0, taken = 0; k < recomputing.length && taken < RECOMPUTING; k++) {
    const chosen = asked(from(recomputing, RECOMPUTING * turn + k));
    tiled.push(chosen);
    if (!chosen.why) taken++;
  }
  return [asked(plainest), ...picked, ...tiled, asked(from(fits, turn))];
}

/** A network that is made, and planned by each technique, when a test first asks. */
class Subject {
  readonly #name: string;
  readonly #dtype: DType;
  #network: Network | undefined;
  readonly #ways = new Map<Technique, Way | Error>();

  constructor(name: string, dtype: DType) {
    this.#name = name;
    this.#dtype = dtype;
  }

  get network(): Network {
    this.#network ??= networkOf(this.#name, this.#dtype);
    return this.#network;
  }

  way(technique: Technique): Way {
    let way = this.#ways.get(technique);
    if (!way) {
      // What cannot be planned is not planned again for every backend.
      try {
        way = technique.way(this.network);
      } catch (error) {
        way = error instanceof Error ? error : new Error(String(error));
      }
      this.#ways.set(technique, way);
    }
    if (way instanceof Error) throw way;
    return way;
  }
}

export function contractSuite(dtype: DType): void {
  describe.each(networkNames.map((name, i) => ({ name, i })))('$name', ({ name, i }) => {
    const subject = new Subject(name, dtype);
    // The two element types take turns of their own.
    const chosen = chosenFor(subject.network, dtype === 'f32' ? i : i + 13);
    for (const { technique, why } of chosen) {
      const note = why ? ` (skipped: ${why})` : '';
      test.skipIf(why)(`${technique.name}: proven${note}`, () => {
        expect(problemOf(subject.way(technique))).toBeUndefined();
      });
    }
    const runnable = chosen.filter((c) => !c.why).map((c) => c.technique);
    for (const backend of backends) runBackend(backend, subject, runnable, dtype === 'f32' ? i : i + 7);
  });
}

function runBackend(
  backend: ContractBackend,
  subject: Subject,
  chosen: readonly Technique[],
  turn: number,
): void {
  const why = backend.skips?.(subject.network);
  if (why) {
    test.skip(`${backend.name} (skipped: ${why})`, () => {});
    return;
  }
  const every = all ? 1 : (backend.every ?? 1);
  for (const technique of chosen.filter((_, k) => (k + turn) % every === 0)) {
    test(`${technique.name}: ${backend.name}`, () => {
      const { network } = subject;
      const way = subject.way(technique);
      const found = way.compute(network.inputs, (part, inputs) => backend.run(part, inputs));
      expect(difference(found, network.expected)).toBeUndefined();
    });
  }
}
