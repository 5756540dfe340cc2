/** Functions rebuilt with other expressions and places: what passes over the language have in common. */
import type { Expr, Place, Stmt } from './ir.ts';

export interface Rewriter {
  /** In place of an expression whose parts were rewritten. */
  expr?(e: Expr): Expr;
  /** In place of a place whose address was rewritten. */
  place?(p: Place): Place;
  /** In place of a statement whose parts were rewritten; several, or none. */
  stmt?(s: Stmt): readonly Stmt[];
}

export function rewriteExpr(e: Expr, by: Rewriter): Expr {
  const again = (x: Expr) => rewriteExpr(x, by);
  const parts = (): Expr => {
    switch (e.kind) {
      case 'const':
      case 'local':
        return e;
      case 'load':
      case 'word':
        return { ...e, at: rewritePlace(e.at, by) };
      case 'unary':
      case 'splat':
      case 'lane':
      case 'convert':
      case 'widen':
        return { ...e, x: again(e.x) };
      case 'binary':
      case 'compare':
      case 'dotPairs':
      case 'dot':
      case 'interleave':
        return { ...e, a: again(e.a), b: again(e.b) };
      case 'select':
        return { ...e, cond: again(e.cond), a: again(e.a), b: again(e.b) };
      case 'mulAdd':
      case 'dotQuads':
        return { ...e, a: again(e.a), b: again(e.b), c: again(e.c) };
      case 'vector':
        return { ...e, items: e.items.map(again) };
      case 'call':
        return { ...e, args: e.args.map(again) };
    }
  };
  const rebuilt = parts();
  return by.expr ? by.expr(rebuilt) : rebuilt;
}

function rewritePlace(p: Place, by: Rewriter): Place {
  const rebuilt = { ...p, address: rewriteExpr(p.address, by) };
  return by.place ? by.place(rebuilt) : rebuilt;
}

export function rewriteBlock(block: readonly Stmt[], by: Rewriter): Stmt[] {
  return block.flatMap((s) => {
    const rebuilt = rewriteParts(s, by);
    return by.stmt ? by.stmt(rebuilt) : [rebuilt];
  });
}

function rewriteParts(s: Stmt, by: Rewriter): Stmt {
  const expr = (x: Expr) => rewriteExpr(x, by);
  switch (s.kind) {
    case 'let':
    case 'var':
    case 'set':
      return { ...s, value: expr(s.value) };
    case 'store':
      return { ...s, at: rewritePlace(s.at, by), value: expr(s.value) };
    case 'for':
      return { ...s, from: expr(s.from), to: expr(s.to), body: rewriteBlock(s.body, by) };
    case 'if':
      return {
        ...s,
        cond: expr(s.cond),
        body: rewriteBlock(s.body, by),
        otherwise: rewriteBlock(s.otherwise, by),
      };
    case 'transfer':
      return { ...s, from: expr(s.from), at: rewritePlace(s.at, by), bytes: expr(s.bytes) };
    default:
      return s;
  }
}
