/**
 * A network as a cyclo-static dataflow graph (Bilsen et al. 1996; for CNNs Minakova and Stefanov, DSD 2020). An actor
 * is a layer that fires in phases; an edge is a FIFO of tokens (elements of a tensor) between a layer and one of its
 * readers. All rates are kept as running sums, which is what schedulers ask for.
 */

export interface CsdfActor {
  readonly name: string;
  /** The operator's kind, or `input` or `output`. */
  readonly kind: string;
  /** Firings in one iteration: one picture through the network. */
  readonly phases: number;
  /** Phases where it works by parts; 1 where it has no parts. */
  readonly mostPhases: number;
  /** Multiply-accumulates of one iteration. */
  readonly macs: number;
}

export interface CsdfEdge {
  readonly from: number;
  readonly to: number;
  /** The tensor that flows here: edges of one tensor can share a buffer. */
  readonly tensor: number;
  /** Elements of the whole tensor. */
  readonly wholeTokens: number;
  readonly tokenBytes: number;
  /** Tokens produced up to and with each phase of `from`. Those that no phase reads are left out at the end. */
  readonly made: Int32Array;
  /** Tokens that must have been made before each phase of `to`. */
  readonly needs: Int32Array;
  /**
   * Tokens that leave the buffer with each phase of `to`, in all: those that no later phase reads. What a phase keeps
   * for the next one is a self-loop fused into this buffer. Above `needs` where tokens are skipped: they are never stored.
   */
  readonly frees: Int32Array;
  /** Tokens that each phase of `to` hands to its next one. */
  readonly keeps: Int32Array;
  /** Connects the network with the outside. */
  readonly end: 'input' | 'output' | undefined;
}

export interface CsdfGraph {
  readonly name: string;
  readonly actors: readonly CsdfActor[];
  /** By producer, then by consumer. */
  readonly edges: readonly CsdfEdge[];
}

/** Edges that an actor reads and writes, by actor. */
export interface Wiring {
  readonly inputs: readonly (readonly number[])[];
  readonly outputs: readonly (readonly number[])[];
}

export function wiringOf({ actors, edges }: CsdfGraph): Wiring {
  const inputs: number[][] = actors.map(() => []);
  const outputs: number[][] = actors.map(() => []);
  edges.forEach((e, i) => {
    outputs[e.from].push(i);
    inputs[e.to].push(i);
  });
  return { inputs, outputs };
}

/** Rates a phase from their running sum. */
export function ratesOf(sums: Int32Array): number[] {
  return Array.from(sums, (sum, i) => sum - (i === 0 ? 0 : sums[i - 1]));
}

/** What is wrong with a graph's rates; undefined where each edge takes in an iteration what it is given. */
export function inconsistency({ actors, edges }: CsdfGraph): string | undefined {
  for (const e of edges) {
    const name = `${actors[e.from].name} to ${actors[e.to].name}`;
    if (e.made.length !== actors[e.from].phases || e.needs.length !== actors[e.to].phases)
      return `${name}: rates for ${e.made.length} and ${e.needs.length} phases, the actors have ${actors[e.from].phases} and ${actors[e.to].phases}`;
    const made = e.made[e.made.length - 1];
    const needed = e.needs[e.needs.length - 1];
    if (made !== needed) return `${name}: ${made} tokens produced, ${needed} consumed`;
    for (const sums of [e.made, e.needs, e.frees])
      for (let i = 1; i < sums.length; i++) if (sums[i] < sums[i - 1]) return `${name}: a rate is negative`;
  }
  return undefined;
}
