/** Which constants a program's functions read: what pruning left unread need not be deployed. */
import type { Expr, Fn, Place, Stmt } from './ir.ts';
import { childrenOf } from './prune.ts';

/** Indices of the data objects that some function reads. */
export function usedData(functions: readonly Fn[]): Set<number> {
  const used = new Set<number>();
  const place = ({ region, address }: Place): void => {
    if (region.kind === 'data') used.add(region.index);
    visit(address);
  };
  const visit = (e: Expr): void => {
    if (e.kind === 'load' || e.kind === 'word') place(e.at);
    else for (const child of childrenOf(e)) visit(child);
  };
  const block = (body: readonly Stmt[]): void => {
    for (const s of body) {
      switch (s.kind) {
        case 'let':
        case 'var':
        case 'set':
          visit(s.value);
          break;
        case 'store':
          visit(s.value);
          place(s.at);
          break;
        case 'for':
          visit(s.from);
          visit(s.to);
          block(s.body);
          break;
        case 'if':
          visit(s.cond);
          block(s.body);
          block(s.otherwise);
          break;
        case 'transfer':
          visit(s.from);
          visit(s.bytes);
          place(s.at);
          break;
        default:
          break;
      }
    }
  };
  for (const fn of functions) {
    block(fn.body);
    if (fn.result) visit(fn.result);
  }
  return used;
}
