/** Functions of the loop-nest language as WebAssembly functions. */
import type { Expr, Fn, Stmt } from '../../../kernels/ir.ts';
import type { Func, Local } from '../encode/body.ts';
import type { ModuleBuilder } from '../encode/module.ts';
import { type Context, type Surroundings, valueType } from './context.ts';
import { printExpr } from './expressions.ts';
import { printStore } from './memory.ts';
import { negativeNames } from './signs.ts';

/** Prints a function into the module; one that comes out equal to an earlier one is that one. */
export function printFunction(module: ModuleBuilder, fn: Fn, around: Surroundings): Func {
  const type = {
    params: fn.params.map((p) => valueType(p.type)),
    results: fn.result ? [valueType(fn.result.type)] : [],
  };
  return module.func(fn.name, type, (body) => {
    const locals = new Map(fn.params.map((p, i) => [p.name, body.params[i]]));
    const ctx: Context = { ...around, body, locals, negative: negativeNames(fn) };
    // The result sees the names of the outermost block.
    printBlock(ctx, fn.body, () => {
      if (fn.result) printExpr(ctx, fn.result);
    });
  });
}

/** Statements, and the end of the names they introduce. */
function printBlock(ctx: Context, statements: readonly Stmt[], last?: () => void): void {
  const own: Local[] = [];
  for (const s of statements) printStatement(ctx, s, own);
  last?.();
  ctx.body.release(...own);
}

function printStatement(ctx: Context, s: Stmt, own: Local[]): void {
  const { body } = ctx;
  switch (s.kind) {
    case 'let':
    case 'var': {
      const local = body.local(valueType(s.value.type));
      printExpr(ctx, s.value);
      body.set(local);
      ctx.locals.set(s.name, local);
      own.push(local);
      return;
    }
    case 'set':
      printExpr(ctx, s.value);
      body.set(ctx.locals.get(s.name)!);
      return;
    case 'store':
      printStore(ctx, s.cell, s.at, s.value, s.lanes, printExpr);
      return;
    case 'for':
      printFor(ctx, s);
      return;
    case 'if':
      printExpr(ctx, s.cond);
      body.if(
        () => printBlock(ctx, s.body),
        s.otherwise.length > 0 ? () => printBlock(ctx, s.otherwise) : undefined,
      );
      return;
    case 'transfer':
      printTransfer(ctx, s);
      return;
    default:
      return;
  }
}

/** The bound is taken once, and the test stands at the end where the loop is known to begin. */
function printFor(ctx: Context, s: Stmt & { kind: 'for' }): void {
  const { body } = ctx;
  const held: Local[] = [];
  const i = body.local('i32');
  ctx.locals.set(s.name, i);
  const bound = fixed(ctx, s.to, held);
  printExpr(ctx, s.from);
  body.set(i);
  const turn = () =>
    body.loop((again) => {
      printBlock(ctx, s.body);
      body.get(i).i32(s.step).op('i32.add').tee(i);
      bound();
      body.op('i32.lt_s').brIf(again);
    });
  const begins = s.from.kind === 'const' && s.to.kind === 'const' && s.from.value < s.to.value;
  if (begins) turn();
  else {
    body.get(i);
    bound();
    body.op('i32.lt_s').if(turn);
  }
  body.release(i, ...held);
}

/** A value that is evaluated now and may be printed again. */
function fixed(ctx: Context, e: Expr, held: Local[]): () => void {
  if (e.kind === 'const') return () => printExpr(ctx, e);
  const local = ctx.body.local('i32');
  printExpr(ctx, e);
  ctx.body.set(local);
  held.push(local);
  return () => ctx.body.get(local);
}

/** Streamed ports ask the host; what stands in memory from the start or stays there needs no copy. */
function printTransfer(ctx: Context, s: Stmt & { kind: 'transfer' }): void {
  if (!ctx.isStreamed(s.direction, s.port)) return;
  const { body } = ctx;
  body.i32(s.port);
  printExpr(ctx, s.from);
  printExpr(ctx, s.at.address);
  const offset = ctx.base(s.at.region) + s.at.offset;
  if (offset !== 0) body.i32(offset).op('i32.add');
  printExpr(ctx, s.bytes);
  body.call(s.direction === 'in' ? ctx.input! : ctx.output!);
}
