/**
 * Proves a plan. It takes a plan and a graph and trusts nothing else: it fires the schedule over a shadow of
 * the arena in which every byte knows whose it is, and shows that every read finds exactly what it wants, that
 * no byte that is still needed is overwritten, and that nothing leaves the arena. It knows nothing of how
 * plans are made.
 */

import { TidemarkError } from '../errors.ts';
import { elementBytes, elementCount, type Graph, type TensorId, tensorBytes } from '../graph/graph.ts';
import { resolveStorage, type Storage } from '../graph/storage.ts';
import { limits } from '../limits.ts';
import { addressingOf } from './addressing.ts';
import { fingerprint } from './fingerprint.ts';
import { type Firings, firingsOf, type OperatorFirings, stagingBytes, workspaceBytes } from './firing.ts';
import { ARENA, banksOf, EXTERNAL, type Plan, type PlanBuffer } from './plan.ts';
import { tiledGraph } from './planned-graph.ts';
import { ActorReplay, type Workspace } from './replay.ts';
import { expandSchedule } from './schedule.ts';
import { addressOf, fail, type Root, type Shadow, Violation } from './shadow.ts';

export interface CheckResult {
  readonly ok: boolean;
  /** The first violation, in one line. */
  readonly problem?: string;
  /** Firings replayed. */
  readonly firings: number;
}

/** Checks a plan against the normalised graph it was made for. A wrong plan is a result, not an exception. */
export function checkPlan(graph: Graph, plan: Plan): CheckResult {
  let firings = 0;
  try {
    if (plan.model.fingerprint !== fingerprint(graph)) fail('the plan was made for another graph');
    const tiled = tiledGraph(graph, plan.tiles);
    const concats = new Set(tiled.operators.filter((op) => op.kind === 'Concat').map((op) => op.id));
    for (const c of plan.copies)
      if (!concats.has(c.operator)) fail(`operator ${c.operator} is no concat to copy into`);
    const resolved = resolveStorage(tiled, plan.copies);
    const actors = plan.actors.map((_, i) => actorFirings(resolved.graph, resolved.storage, plan, i));
    checkCoverage(resolved.graph, resolved.storage, plan);
    const sequence = expandSchedule(plan.schedule);
    const times = firingsOfEach(sequence, actors.length);
    const shadows = makeShadows(plan);
    // An actor that never fires needs nothing.
    const firing = actors.filter((_, i) => times[i] > 0);
    const roots = placeRoots(resolved.graph, resolved.storage, plan, shadows, firing);
    const replays = actors.map((f, i) => {
      if (times[i] === 0) return undefined;
      const workspace = workspaceOf(plan, i, f, shadows);
      const staging = stagingOf(resolved.graph, plan, i, f, shadows);
      const { name, reverse } = plan.actors[i];
      const how = { times: times[i], name, reverse: reverse === true, workspace, staging };
      return new ActorReplay(resolved.graph, resolved.storage, roots, f, how);
    });
    for (const a of sequence) {
      replays[a]!.fire();
      firings++;
    }
    actors.forEach((f, i) => {
      // A sink must have let everything out. Runs of operators that nothing needs may stay uncomputed.
      if (f.outputs.length > 0 || times[i] >= f.count) return;
      fail(`${plan.actors[i].name} has fired ${times[i]} of ${f.count} times`);
    });
    for (const root of roots.values()) if (root.kept) checkKept(resolved.graph, root);
    return { ok: true, firings };
  } catch (error) {
    if (error instanceof Violation || error instanceof RangeError || error instanceof TidemarkError)
      return { ok: false, problem: error.message, firings };
    throw error;
  }
}

/** How often the schedule fires each actor. */
function firingsOfEach(sequence: Int32Array, actors: number): Int32Array {
  const times = new Int32Array(actors);
  for (const a of sequence) {
    if (a >= actors) fail(`the schedule fires actor ${a}, but there are ${actors}`);
    times[a]++;
  }
  return times;
}

function actorFirings(graph: Graph, storage: Storage, plan: Plan, i: number): Firings {
  const actor = plan.actors[i];
  const limit = { source: graph.inputs, operator: graph.operators, sink: graph.outputs }[actor.kind].length;
  if (actor.index >= limit)
    fail(`actor ${actor.name} refers to ${actor.kind} ${actor.index}, but there are ${limit}`);
  if (actor.kind === 'operator' && storage.isView[actor.index])
    fail(`actor ${actor.name} is a view and cannot fire`);
  const firings = firingsOf(graph, actor);
  if (actor.fold && !(firings as Partial<OperatorFirings>).definition?.fold)
    fail(`actor ${actor.name} cannot fold`);
  if (actor.reverse && (actor.kind !== 'operator' || actor.fold))
    fail(`actor ${actor.name} cannot fire in reverse`);
  return firings;
}

/** Every operator that computes, every input and, where the policy says so, every output has one actor. */
function checkCoverage(graph: Graph, storage: Storage, plan: Plan): void {
  const seen = new Set<string>();
  for (const a of plan.actors) {
    const key = `${a.kind} ${a.index}`;
    if (seen.has(key)) fail(`${key} (${a.name}) has two actors`);
    seen.add(key);
  }
  const require = (kind: string, index: number, name: string) => {
    if (!seen.has(`${kind} ${index}`)) fail(`${kind} ${name} has no actor`);
  };
  for (const op of graph.operators) if (!storage.isView[op.id]) require('operator', op.id, op.name);
  graph.inputs.forEach((p, i) => {
    require('source', i, p.name);
  });
  if (plan.policy.output === 'streamed') {
    graph.outputs.forEach((p, i) => {
      if (!graph.tensors[p.tensor].constant) require('sink', i, p.name);
    });
  }
}

/** Bytes of each bank, as described: every buffer lies in one, and none has room that nothing lies in. */
function bankSizes(plan: Plan): Map<string, number> {
  const banks = banksOf(plan);
  if (banks[0].bytes !== plan.arenaBytes)
    fail(`the first bank has ${banks[0].bytes} bytes, the arena ${plan.arenaBytes}`);
  const sizes = new Map<string, number>();
  for (const { name, bytes } of banks) {
    if (sizes.has(name) || name === EXTERNAL) fail(`bank ${name} is described twice`);
    sizes.set(name, bytes);
  }
  const ends = new Map<string, number>();
  for (const { bank, offset, bytes, name } of plan.buffers) {
    const end = offset + bytes;
    ends.set(bank, Math.max(ends.get(bank) ?? 0, end));
    if (bank === EXTERNAL) continue;
    const size = sizes.get(bank);
    if (size === undefined) fail(`buffer ${name} lies in bank ${bank}, which is not described`);
    if (end > size) fail(`buffer ${name} ends at ${end}, outside ${bankNamed(bank)} of ${size} bytes`);
  }
  for (const [name, size] of sizes) {
    const end = ends.get(name) ?? 0;
    if (size > end)
      fail(`${bankNamed(name)} of ${size} bytes is larger than its buffers, which end at ${end}`);
  }
  return sizes.set(EXTERNAL, ends.get(EXTERNAL) ?? 0);
}

function bankNamed(name: string): string {
  return name === ARENA ? 'the arena' : `bank ${name}`;
}

function makeShadows(plan: Plan): Map<string, Shadow> {
  const sizes = bankSizes(plan);
  const all = [...sizes.values()].reduce((n, bytes) => n + bytes, 0);
  if (all > limits.arenaBytes)
    fail(`its memory takes ${all} bytes, the limit is ${limits.arenaBytes} (--limit arenaBytes=N raises it)`);
  const used = new Set(plan.buffers.map((b) => b.bank));
  return new Map(
    [...sizes].flatMap(([bank, size]) =>
      used.has(bank) ? [[bank, { owner: new Int32Array(size), byte: new Int32Array(size) }]] : [],
    ),
  );
}

function placeRoots(
  graph: Graph,
  storage: Storage,
  plan: Plan,
  shadows: ReadonlyMap<string, Shadow>,
  actors: readonly Firings[],
): Map<TensorId, Root> {
  const rootOf = (t: TensorId) => storage.places[t].root;
  const kept = new Set<TensorId>();
  const arriving = new Set(graph.inputs.map((p) => rootOf(p.tensor)));
  if (plan.policy.output === 'whole') for (const p of graph.outputs) kept.add(rootOf(p.tensor));
  if (plan.policy.input === 'keep') for (const t of arriving) kept.add(t);
  const roots = new Map<TensorId, Root>();
  for (const buffer of plan.buffers) {
    if (buffer.tensor === undefined) continue;
    const tensor = graph.tensors[buffer.tensor];
    if (!tensor || rootOf(tensor.id) !== tensor.id)
      fail(`buffer ${buffer.name} is for tensor ${buffer.tensor}, which owns no memory`);
    if (roots.has(tensor.id)) fail(`tensor ${tensor.name} has two buffers`);
    if (buffer.bank === EXTERNAL && !(plan.policy.input === 'external' && arriving.has(tensor.id))) {
      fail(`buffer ${buffer.name} lies outside the arena, which the policy does not allow`);
    }
    const size = elementBytes(tensor);
    const bytes = tensorBytes(tensor);
    const { stretch, starts } = addressingOf(buffer, elementCount(tensor.shape));
    const stretchBytes = stretch * size;
    if (starts) checkPieces(buffer, bytes, stretchBytes, starts, size);
    else if (Math.min(stretchBytes, bytes) > buffer.bytes)
      fail(`buffer ${buffer.name} has ${buffer.bytes} bytes, but holds ${stretchBytes}`);
    if (buffer.offset % size !== 0)
      fail(`buffer ${buffer.name} at ${buffer.offset} is not aligned to ${size}`);
    if (kept.has(tensor.id) && (starts || stretchBytes < bytes))
      fail(`${tensor.name} must be kept whole, but lies in a ring or in pieces`);
    roots.set(tensor.id, {
      id: tensor.id,
      buffer,
      shadow: shadows.get(buffer.bank)!,
      bytes,
      stretchBytes,
      starts,
      readers: [],
      kept: kept.has(tensor.id),
    });
  }
  const touched = actors.flatMap((f) => [...f.outputs, ...f.inputs.map((i) => i.tensor)]);
  touched.push(...[...kept].filter((id) => !graph.tensors[id].constant));
  for (const id of touched)
    if (!roots.has(rootOf(id))) fail(`tensor ${graph.tensors[rootOf(id)].name} has no buffer`);
  return roots;
}

/** Every piece has an address, inside the buffer and aligned. */
function checkPieces(
  { name, bytes, ring }: PlanBuffer,
  tensorSize: number,
  pieceBytes: number,
  starts: Int32Array,
  elementSize: number,
): void {
  if (ring !== undefined) fail(`buffer ${name} is both a ring and in pieces`);
  const pieces = Math.ceil(tensorSize / pieceBytes);
  if (starts.length !== pieces) fail(`buffer ${name} has ${starts.length} addresses for ${pieces} pieces`);
  starts.forEach((start, i) => {
    const end = start + Math.min(pieceBytes, tensorSize - i * pieceBytes);
    if (end > bytes) fail(`buffer ${name} has ${bytes} bytes, but piece ${i} ends at ${end}`);
    if (start % elementSize !== 0)
      fail(`buffer ${name}, piece ${i}: ${start} is not aligned to ${elementSize}`);
  });
}

function workspaceOf(
  plan: Plan,
  i: number,
  firings: Firings,
  shadows: ReadonlyMap<string, Shadow>,
): Workspace | undefined {
  const { name, scratch, fold } = plan.actors[i];
  const needed = workspaceBytes(firings, fold === true);
  if (needed === 0) return undefined;
  // An operator may fold for some sizes only.
  if (needed === Number.POSITIVE_INFINITY) fail(`actor ${name} cannot fold`);
  const buffer = scratch === undefined ? undefined : plan.buffers[scratch];
  if (!buffer || buffer.tensor !== undefined)
    fail(`${name} needs ${needed} bytes of working memory and has none`);
  if (buffer.bytes < needed) fail(`${name} needs ${needed} bytes of working memory and has ${buffer.bytes}`);
  if (buffer.offset % 4 !== 0 || buffer.bank === EXTERNAL)
    fail(`working memory ${buffer.name} must lie in the arena, aligned to 4`);
  return {
    shadow: shadows.get(buffer.bank)!,
    offset: buffer.offset,
    bytes: needed,
    tag: -1 - i,
    keeps: fold === true,
  };
}

/** Where a firing's run is written until the firing has read all it reads. */
function stagingOf(
  graph: Graph,
  plan: Plan,
  i: number,
  firings: Firings,
  shadows: ReadonlyMap<string, Shadow>,
): Workspace | undefined {
  const { name, kind, staged, fold } = plan.actors[i];
  if (staged === undefined) return undefined;
  if (kind !== 'operator' || fold || firings.outputs.length !== 1) fail(`${name} cannot be staged`);
  const buffer = plan.buffers[staged];
  if (!buffer || buffer.tensor !== undefined) fail(`${name} is staged in what is no working memory`);
  const bytes = stagingBytes(graph, firings);
  if (buffer.bytes < bytes) fail(`${name} stages ${bytes} bytes and has ${buffer.bytes}`);
  const size = elementBytes(graph.tensors[firings.outputs[0]]);
  if (buffer.offset % size !== 0 || buffer.bank === EXTERNAL)
    fail(`staging ${buffer.name} must lie in the arena, aligned to ${size}`);
  const tag = -1 - plan.actors.length - i;
  return { shadow: shadows.get(buffer.bank)!, offset: buffer.offset, bytes, tag, keeps: false };
}

function checkKept(graph: Graph, root: Root): void {
  for (let b = 0; b < root.bytes; b++) {
    const at = addressOf(root, b);
    if (root.shadow.owner[at] !== root.id + 1 || root.shadow.byte[at] !== b) {
      fail(`byte ${b} of ${graph.tensors[root.id].name} is not there at the end`);
    }
  }
}
