/**
 * The contract of techniques and backends: whatever plans a network and whatever runs the plan, the checker accepts it and
 * the bits are those of the layers run one by one. Every network of the zoo, made small, meets techniques in turns,
 * so that a run takes a minute or so; `CONTRACT=all` runs every technique on every network.
 */
import { describe, expect, test } from 'vitest';
import { difference } from '../random/random-plans.ts';
import { backends, type ContractBackend } from './backends.ts';
import { type DType, type Network, networkNames, networkOf } from './networks.ts';
import { POLICIES, problemOf, type Technique, techniques, type Way } from './techniques.ts';

const all = process.env.CONTRACT === 'all';

/** Layer by layer, two of the methods, and fit under one policy. */
function techniquesOf(turn: number): readonly Technique[] {
  if (all) return techniques;
  const [layerwise, ...others] = techniques;
  const methods = others.slice(0, -POLICIES.length);
  const fits = others.slice(-POLICIES.length);
  const pick = [2 * turn, 2 * turn + 1].map((k) => methods[k % methods.length]);
  return [layerwise, ...pick, fits[turn % fits.length]];
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
    const chosen = techniquesOf(dtype === 'f32' ? i : i + 13).map((technique) => {
      const why = technique.skips?.(name, dtype);
      return { technique, why, note: why ? ` (skipped: ${why})` : '' };
    });
    for (const { technique, why, note } of chosen) {
      test.skipIf(why)(`${technique.name}: proven${note}`, () => {
        expect(problemOf(subject.way(technique))).toBeUndefined();
      });
    }
    const runnable = chosen.filter((c) => !c.why).map((c) => c.technique);
    for (const backend of backends) runBackend(backend, subject, runnable, dtype === 'f32' ? i : i + 4);
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
