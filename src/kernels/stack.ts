/** How much stack a program's functions may take: every named local at once with those of its blocks, call by call. */
import { type Fn, isVector, laneOf, lanesOf, type Stmt, type Type } from './ir.ts';
import type { Program } from './program.ts';
import { visitFunction } from './visit.ts';

/** Return address, saved registers and what a compiler keeps for itself, for one call. */
const FRAME_BYTES = 128;

const BYTES: Readonly<Record<string, number>> = {
  i8: 1,
  u8: 1,
  i16: 2,
  i32: 4,
  f32: 4,
  f64: 8,
  i64: 8,
  index: 8,
};

function bytesOf(type: Type): number {
  return isVector(type) ? lanesOf(type) * BYTES[laneOf(type)] : BYTES[type];
}

/** Bytes from the entry of a run on, for its deepest call. An estimate from above for optimising compilers. */
export function stackBytes(program: Program): number {
  const functions = new Map(program.functions.map((f) => [f.name, f]));
  const known = new Map<string, number>();
  const of = (name: string): number => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const fn = functions.get(name);
    const bytes = fn ? frame(fn) + deepest(fn) : 0;
    known.set(name, bytes);
    return bytes;
  };
  const deepest = (fn: Fn): number => {
    let most = 0;
    visitFunction(fn, {
      expr: (e) => {
        if (e.kind === 'call') most = Math.max(most, of(e.name));
      },
    });
    return most;
  };
  const counters = FRAME_BYTES + 8 * program.actors.length;
  return counters + program.actors.reduce((most, a) => Math.max(most, of(a.fn)), 0);
}

function frame(fn: Fn): number {
  return FRAME_BYTES + fn.params.reduce((n, p) => n + bytesOf(p.type), 0) + block(fn.body);
}

function block(body: readonly Stmt[]): number {
  let own = 0;
  let inner = 0;
  for (const s of body) {
    if (s.kind === 'let' || s.kind === 'var') own += bytesOf(s.value.type);
    else if (s.kind === 'for') inner = Math.max(inner, 16 + block(s.body));
    else if (s.kind === 'if') inner = Math.max(inner, block(s.body), block(s.otherwise));
  }
  return own + inner;
}
