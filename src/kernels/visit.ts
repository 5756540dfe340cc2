/** Goes through all that functions of the loop-nest language hold, once: for what only looks and changes nothing. */
import type { Expr, Fn, Place, Stmt } from './ir.ts';
import { childrenOf } from './prune.ts';

export interface Visitor {
  /** Every expression, those inside others too. */
  expr?(e: Expr): void;
  /** Every place in memory that is read or written. */
  place?(p: Place): void;
}

export function visitFunction({ body, result }: Fn, by: Visitor): void {
  visitBlock(body, by);
  if (result) visitExpression(result, by);
}

export function visitBlock(body: readonly Stmt[], by: Visitor): void {
  for (const s of body) {
    switch (s.kind) {
      case 'let':
      case 'var':
      case 'set':
        visitExpression(s.value, by);
        break;
      case 'store':
        visitPlace(s.at, by);
        visitExpression(s.value, by);
        break;
      case 'for':
        visitExpression(s.from, by);
        visitExpression(s.to, by);
        visitBlock(s.body, by);
        break;
      case 'if':
        visitExpression(s.cond, by);
        visitBlock(s.body, by);
        visitBlock(s.otherwise, by);
        break;
      case 'transfer':
        visitExpression(s.from, by);
        visitPlace(s.at, by);
        visitExpression(s.bytes, by);
        break;
      default:
        break;
    }
  }
}

function visitPlace(p: Place, by: Visitor): void {
  by.place?.(p);
  visitExpression(p.address, by);
}

function visitExpression(e: Expr, by: Visitor): void {
  by.expr?.(e);
  if (e.kind === 'load') visitPlace(e.at, by);
  else for (const child of childrenOf(e)) visitExpression(child, by);
}
