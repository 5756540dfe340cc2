/** Drops names that nothing reads, so that what is printed has no idle lines (and compilers no warnings). */
import type { Expr, Stmt } from './ir.ts';

/** The body without names that nothing uses and without blocks that came out empty. `result` is read after it. */
export function pruned(body: readonly Stmt[], result?: Expr): Stmt[] {
  const used = new Set<string>();
  if (result) read(result, used);
  return block(body, used);
}

/** From the last statement to the first: what follows has been seen when a name is met. */
function block(body: readonly Stmt[], used: Set<string>): Stmt[] {
  const kept: Stmt[] = [];
  for (let i = body.length - 1; i >= 0; i--) {
    const s = statement(body[i], used);
    if (s) kept.push(s);
  }
  return kept.reverse();
}

function statement(s: Stmt, used: Set<string>): Stmt | undefined {
  switch (s.kind) {
    case 'let':
    case 'var':
      if (!used.has(s.name)) return undefined;
      read(s.value, used);
      return s;
    case 'set':
      used.add(s.name);
      read(s.value, used);
      return s;
    case 'store':
      read(s.value, used);
      read(s.at.address, used);
      return s;
    case 'for': {
      const inner = block(s.body, used);
      if (inner.length === 0) return undefined;
      read(s.from, used);
      read(s.to, used);
      return { ...s, body: inner };
    }
    case 'if': {
      const yes = block(s.body, used);
      const no = block(s.otherwise, used);
      if (yes.length === 0 && no.length === 0) return undefined;
      read(s.cond, used);
      return { ...s, body: yes, otherwise: no };
    }
    case 'transfer':
      read(s.from, used);
      read(s.bytes, used);
      read(s.at.address, used);
      return s;
    default:
      return s;
  }
}

function read(e: Expr, used: Set<string>): void {
  if (e.kind === 'local') used.add(e.name);
  else for (const child of childrenOf(e)) read(child, used);
}

/** The expressions directly inside one. */
export function childrenOf(e: Expr): readonly Expr[] {
  switch (e.kind) {
    case 'load':
    case 'word':
      return [e.at.address];
    case 'unary':
    case 'splat':
    case 'lane':
    case 'convert':
    case 'widen':
      return [e.x];
    case 'binary':
    case 'compare':
    case 'dotPairs':
    case 'dot':
    case 'interleave':
      return [e.a, e.b];
    case 'select':
      return [e.cond, e.a, e.b];
    case 'mulAdd':
    case 'dotQuads':
      return [e.a, e.b, e.c];
    case 'vector':
      return e.items;
    case 'call':
      return e.args;
    default:
      return [];
  }
}
