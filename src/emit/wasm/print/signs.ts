/**
 * Which indices may be less than 0 on the way to an address that is not. The engine takes the address on its stack for a
 * number without a sign and adds the constant offset to that: the two may only be apart where the first is not negative.
 */
import type { Expr, Fn, Stmt } from '../../../kernels/ir.ts';

/** True where an index walks down, or is made of one that does. */
export function mayBeNegative(e: Expr, names: ReadonlySet<string>): boolean {
  switch (e.kind) {
    case 'const':
      return e.value < 0;
    case 'local':
      return names.has(e.name);
    case 'unary':
      return true;
    case 'select':
      return mayBeNegative(e.a, names) || mayBeNegative(e.b, names);
    case 'binary':
      return binaryMayBeNegative(e, names);
    case 'convert':
      return !isNatural(e.x);
    default:
      return false;
  }
}

/** Whether a stored number cannot be negative. Kernels' own tables say where things lie. */
function isNatural(x: Expr): boolean {
  if (x.kind === 'load') return x.cell === 'u8' || x.at.region.kind === 'data';
  const positive = (e: Expr) => e.kind === 'const' && e.value >= 0;
  return positive(x) || (x.kind === 'binary' && x.op === 'and' && (positive(x.a) || positive(x.b)));
}

function binaryMayBeNegative({ op, a, b }: Expr & { kind: 'binary' }, names: ReadonlySet<string>): boolean {
  const [left, right] = [mayBeNegative(a, names), mayBeNegative(b, names)];
  if (op === 'sub') return true;
  if (op === 'max' || op === 'and') return left && right;
  return left || right;
}

/** The names of a function that may hold such an index. A name may be changed below where it is read, in a loop. */
export function negativeNames({ body }: Fn): ReadonlySet<string> {
  const names = new Set<string>();
  let before: number;
  do {
    before = names.size;
    addNames(body, names);
  } while (names.size > before);
  return names;
}

function addNames(body: readonly Stmt[], names: Set<string>): void {
  for (const s of body) {
    if (s.kind === 'for') {
      if (mayBeNegative(s.from, names)) names.add(s.name);
      addNames(s.body, names);
    } else if (s.kind === 'if') {
      addNames(s.body, names);
      addNames(s.otherwise, names);
    } else if (s.kind === 'let' || s.kind === 'var' || s.kind === 'set') {
      const known = s.kind === 'let' && s.natural;
      if (!known && s.value.type === 'index' && mayBeNegative(s.value, names)) names.add(s.name);
    }
  }
}
