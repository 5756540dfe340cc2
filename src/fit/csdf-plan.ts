/**
 * A CSDF schedule as a plan: steps fire in the order of the self-timed schedule, by rows or once, and each tensor
 * lies in one ring that all its readers share. The checker proves it and any executor runs it, so what the model of
 * tokens promises is tried on bytes.
 */

import { TidemarkError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import type { CopyChoice } from '../graph/storage.ts';
import { layersOf } from '../passes/3-schedule/csdf/from-graph.ts';
import type { CsdfGraph } from '../passes/3-schedule/csdf/model.ts';
import { type Network, networkOf } from '../passes/3-schedule/steps.ts';
import { scheduleSpan } from '../passes/3-schedule/stream.ts';
import type { FiringTable, Mode } from '../passes/3-schedule/tables.ts';
import { EXTERNAL, type Plan, type Policy } from '../plan/plan.ts';
import { type Layout, layOut, writePlan } from './assemble.ts';
import { firstSchedulable } from './spans.ts';

export interface CsdfPlanRequest {
  readonly policy: Policy;
  /** The graph's CSDF with exact padding. */
  readonly csdf: CsdfGraph;
  /** Its actors in firing order. */
  readonly sequence: ArrayLike<number>;
  /** Buffers at addresses of their own, or wherever lifetimes allow. */
  readonly addresses: 'apart' | 'shared';
}

export interface CsdfPlan {
  readonly plan: Plan;
  /** No addresses for this firing sequence can take less. */
  readonly lowerBoundBytes: number;
  /** What the plan was written from, its buffers wherever lifetimes allow. */
  readonly from: { readonly network: Network; readonly layout: Layout };
}

/** The plan with concats written in place or with their parts copied together, whichever is smaller. */
export function csdfPlan(graph: Graph, request: CsdfPlanRequest): CsdfPlan {
  const [best] = csdfPlans(graph, request);
  if (best) return best;
  throw new TidemarkError('internal', `${graph.name}: no order of steps follows the schedule`);
}

/** The smaller one first; none where no order of steps follows the schedule. */
export function csdfPlans(graph: Graph, request: CsdfPlanRequest): CsdfPlan[] {
  const concats = graph.operators.filter((op) => op.kind === 'Concat');
  const copies = concats.flatMap((op) => op.inputs.map((_, input) => ({ operator: op.id, input })));
  const plans = [
    planWith(graph, request, []),
    copies.length > 0 ? planWith(graph, request, copies) : undefined,
  ];
  return plans.filter((p) => p !== undefined).sort((a, b) => a.plan.arenaBytes - b.plan.arenaBytes);
}

/** Undefined where parts lie in a concat so that steps wait for each other. */
function planWith(
  graph: Graph,
  request: CsdfPlanRequest,
  copies: readonly CopyChoice[],
): CsdfPlan | undefined {
  const network = networkOf(graph, request.policy, copies);
  const first = firstSchedulable(network);
  const last = network.steps.length - 1;
  const roles = rolesOf(graph, network);
  const modes = network.steps.map((step, s): Mode => {
    const actor = request.csdf.actors[roles[s].actor];
    return step.kind === 'operator' && actor?.phases === 1 ? 'whole' : 'rows';
  });
  const order = new StepOrder(network, modes, roles, first).follow(request);
  if (!order) return undefined;
  const span = { first, last, mode: 'rows', modes: modes.slice(first) } as const;
  const chosen = last < first ? [] : [scheduleSpan(network, span, { record: true, order })!];
  const layout = layOut(network, chosen);
  const plan = writePlan(graph, network, layout);
  const from = { network, layout };
  if (request.addresses === 'shared') return { plan, lowerBoundBytes: layout.lowerBoundBytes, from };
  const apart = withBuffersApart(plan);
  return { plan: apart, lowerBoundBytes: apart.arenaBytes, from };
}

/** What a step is in the CSDF graph. */
interface StepRole {
  /** The actor that it is, or is part of (a copied part of a concat); -1: none (a reshape that moves data). */
  readonly actor: number;
  /** Only moves data, so whoever needs it may have it fire. */
  readonly mover: boolean;
}

/** By step. Actors are inputs, layers and outputs in this order; constants among the ports have none. */
function rolesOf(original: Graph, network: Network): StepRole[] {
  const { graph } = network;
  const ports = (list: Graph['inputs']) => rank(list.map((p) => !original.tensors[p.tensor].constant));
  const inputs = ports(original.inputs);
  const outputs = ports(original.outputs);
  const layers = layersOf(original);
  const base = Math.max(-1, ...inputs) + 1;
  const byOutput = new Map(layers.map((op, i) => [op.outputs[0], base + i]));
  return network.steps.map(({ kind, index }) => {
    if (kind === 'source') return { actor: inputs[index], mover: false };
    if (kind === 'sink') return { actor: base + layers.length + outputs[index], mover: false };
    const [output] = graph.operators[index].outputs;
    // Tensors keep their ids where copies are put in; a copy's own tensor comes after all of them.
    const copy = output >= original.tensors.length;
    const made = copy ? graph.operators.find((op) => op.inputs.includes(output))!.outputs[0] : output;
    const actor = byOutput.get(made) ?? -1;
    return { actor, mover: copy || actor < 0 };
  });
}

/** Numbers those that are true from 0 on; -1 for the others. */
function rank(which: readonly boolean[]): number[] {
  let next = 0;
  return which.map((is) => (is ? next++ : -1));
}

/** Turns the order of actors into one of steps: an actor may be several steps, or none, and steps may stand between. */
class StepOrder {
  readonly #tables: readonly FiringTable[];
  readonly #fired: Int32Array;
  readonly #first: number;
  readonly #parts: readonly StepRole[];
  readonly #order: number[] = [];

  constructor(network: Network, modes: readonly Mode[], parts: readonly StepRole[], first: number) {
    this.#parts = parts;
    this.#tables = network.steps.map((_, s) => network.table(s, modes[s]));
    this.#fired = Int32Array.from(this.#tables, (t, s) => (s < first ? t.count : 0));
    this.#first = first;
  }

  follow({ csdf, sequence }: CsdfPlanRequest): number[] | undefined {
    const stepsOf: number[][] = csdf.actors.map(() => []);
    this.#parts.forEach(({ actor }, s) => {
      if (actor >= 0 && s >= this.#first) stepsOf[actor].push(s);
    });
    const phase = csdf.actors.map(() => 0);
    for (let k = 0; k < sequence.length; k++) {
      const actor = sequence[k];
      const done = ++phase[actor];
      const { phases } = csdf.actors[actor];
      for (const s of stepsOf[actor]) {
        const due = Math.ceil((this.#tables[s].count * done) / phases);
        while (this.#fired[s] < due && this.#pull(s)) this.#fire(s);
      }
    }
    for (let s = this.#first; s < this.#tables.length; s++)
      while (this.#fired[s] < this.#tables[s].count) {
        if (!this.#pull(s)) return undefined;
        this.#fire(s);
      }
    return this.#order;
  }

  #fire(step: number): void {
    this.#fired[step]++;
    this.#order.push(step);
  }

  /** True where the step can fire, once steps that are no actors have brought what it lacks. */
  #pull(step: number): boolean {
    const f = this.#fired[step];
    for (const { waits } of this.#tables[step].reads) {
      for (const w of waits) {
        const { written, count } = this.#tables[w.step];
        while (this.#done(written, w.step) < w.pixels[f]) {
          if (!this.#parts[w.step].mover || this.#fired[w.step] >= count || !this.#pull(w.step)) return false;
          this.#fire(w.step);
        }
      }
    }
    return true;
  }

  #done(written: Int32Array, step: number): number {
    return this.#fired[step] === 0 ? 0 : written[this.#fired[step] - 1];
  }
}

/** The same plan with no two buffers sharing a byte. */
export function withBuffersApart(plan: Plan): Plan {
  let end = 0;
  const buffers = plan.buffers.map((b) => {
    if (b.bank === EXTERNAL) return b;
    const offset = Math.ceil(end / 4) * 4;
    end = offset + b.bytes;
    return { ...b, offset };
  });
  return { ...plan, buffers, arenaBytes: end };
}
