/** What is printed computes what the interpreter does, operation by operation, on numbers at the edges of types. */
import { describe, expect, test } from 'vitest';
import * as make from '../../../kernels/builder.ts';
import { Interpreter } from '../../../kernels/interpret.ts';
import {
  ARENA_REGION,
  type BinaryOp,
  type Cell,
  type CompareOp,
  cellBytes,
  type Expr,
  type Fn,
  type Lane,
  laneOf,
  lanesOf,
  maskOf,
  type Scalar,
  type Type,
  type UnaryOp,
} from '../../../kernels/ir.ts';
import type { Program } from '../../../kernels/program.ts';
import { emitWasm } from '../emit.ts';
import { validate } from '../testing/validate.ts';

const ARENA_BYTES = 4096;
const OUT = 2048;

const EDGES: Readonly<Record<string, readonly number[]>> = {
  i8: [-128, -127, -1, 0, 1, 5, 127, 64],
  u8: [0, 1, 2, 127, 128, 200, 255, 3],
  i16: [-32768, -32767, -1, 0, 1, 300, 32767, 77],
  i32: [-2147483648, 2147483647, -1, 0, 1, 65536, -123456789, 1073741824, 3, -7, 2147483646, 99],
  f32: [0, -0, 1.5, -2.5, 0.5, 3e9, -3e9, 1e-40, Infinity, -Infinity, NaN, 123.456, -0.5, 2.5],
};

function program(fn: Fn): Program {
  return {
    name: 'test',
    arenaBytes: ARENA_BYTES,
    banks: [],
    arenaAlign: 16,
    data: [],
    functions: [fn],
    actors: [{ name: fn.name, fn: fn.name, firings: 1 }],
    schedule: [0],
    inputs: [],
    outputs: [],
  };
}

/** Fills the first half of the arena with the cell's edge cases, in an order that a seed turns. */
function filled(cell: Cell, seed: number): Uint8Array<ArrayBuffer> {
  const arena = new Uint8Array(ARENA_BYTES);
  const view = new DataView(arena.buffer);
  const edges = EDGES[cell];
  for (let i = 0; i * cellBytes(cell) < OUT; i++) {
    const v = edges[(i * seed + Math.floor(i / edges.length) * (seed + 2)) % edges.length];
    const at = i * cellBytes(cell);
    if (cell === 'i8' || cell === 'u8') view.setUint8(at, v);
    else if (cell === 'i16') view.setInt16(at, v, true);
    else if (cell === 'i32') view.setInt32(at, v, true);
    else view.setFloat32(at, v, true);
  }
  return arena;
}

/** NaNs are one number here: WebAssembly leaves their bits open. */
function plainNaNs(bytes: Uint8Array): number[] {
  const words = new Uint32Array(bytes.slice().buffer);
  return [...words].map((w) => ((w & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : w));
}

function expectEqual(fn: Fn, cell: Cell, floats = false): void {
  const { wasm, layout } = emitWasm(program(fn), { names: true });
  validate(wasm);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(wasm));
  const { memory, run } = instance.exports as { memory: WebAssembly.Memory; run(): void };
  for (const seed of [1, 3, 5]) {
    const expected = filled(cell, seed);
    new Uint8Array(memory.buffer).set(expected, layout.arena);
    new Interpreter([fn], { arena: expected, data: [], inputs: [], outputs: [] }).call(fn.name, []);
    run();
    const actual = new Uint8Array(memory.buffer, layout.arena, ARENA_BYTES).slice();
    if (floats) expect(plainNaNs(actual)).toEqual(plainNaNs(expected));
    else expect([...actual]).toEqual([...expected]);
  }
}

/** for i < 16: out[i] = write(x[i], x[i + 7]), a vector or scalar at a time. */
function overPairs(
  type: Type,
  cell: Cell,
  outCell: Cell,
  write: (x: Expr, y: Expr) => Expr,
  lanes?: number,
): Fn {
  const b = new make.Builder();
  const bytes = lanesOf(type) * cellBytes(cell);
  b.for('i', 0, 14, 1, (i) => {
    const at = (shift: number) => make.place(ARENA_REGION, make.plus(make.times(i, bytes), shift));
    const x = b.let('x', make.load(type, cell, at(0)));
    const y = b.let('y', make.load(type, cell, at(7 * cellBytes(cell))));
    b.store(outCell, make.place(ARENA_REGION, make.plus(make.times(i, 32), OUT)), write(x, y), lanes);
  });
  return b.function('f', []);
}

const cellFor = (type: Type): Cell => {
  const lane = laneOf(type) as Lane | Scalar;
  return lane === 'i64' || lane === 'index' ? 'i32' : lane === 'f64' ? 'f32' : (lane as Cell);
};

const whole: readonly Type[] = ['i32', 'i64', 'i32x4', 'i16x8', 'i8x16'];
const real: readonly Type[] = ['f32', 'f32x4'];

describe('binary operations', () => {
  const cases: [BinaryOp, Type][] = [];
  for (const type of whole) {
    for (const op of ['add', 'sub', 'and', 'or', 'xor'] as const) cases.push([op, type]);
    if (type !== 'i8x16') cases.push(['mul', type]);
    cases.push(['min', type], ['max', type]);
  }
  for (const type of real) {
    for (const op of ['add', 'sub', 'mul', 'div', 'min', 'max'] as const) cases.push([op, type]);
  }
  cases.push(['highProduct', 'i32'], ['highProduct', 'i32x4'], ['min', 'u8x16'], ['max', 'u8x16']);
  test.each(cases)('%s of %s', (op, type) => {
    const cell = cellFor(type);
    const out = type === 'i64' ? 'i32' : cell;
    expectEqual(
      overPairs(type, cell, out, (x, y) => make.binary(op, x, y)),
      cell,
      cell === 'f32',
    );
  });

  test.each(['i32', 'i64', 'i32x4', 'i16x8'] as const)('shifts of %s', (type) => {
    const cell = cellFor(type);
    // Narrow lanes have no unsigned shift: they are numbers with a sign.
    for (const op of type === 'i16x8' ? (['shl', 'shr'] as const) : (['shl', 'shr', 'shrU'] as const)) {
      for (const count of [0, 1, 7, 15]) {
        const amount = type === 'i64' ? make.i64(count) : make.i32(count);
        const low = (x: Expr) => (type === 'i64' ? make.convert('i32', x) : x);
        expectEqual(
          overPairs(type, cell, cell, (x) => low(make.binary(op, x, amount))),
          cell,
        );
      }
    }
  });

  test('shifts lane by lane', () => {
    for (const op of ['shl', 'shr', 'shrU'] as const) {
      const count = (y: Expr) => make.and(y, make.constant('i32x4', 31));
      expectEqual(
        overPairs('i32x4', 'i32', 'i32', (x, y) => make.binary(op, x, count(y))),
        'i32',
      );
    }
  });

  test('division and remainder', () => {
    for (const op of ['div', 'rem'] as const) {
      for (const divisor of [1, 3, -7])
        expectEqual(
          overPairs('i32', 'i32', 'i32', (x) => make.binary(op, x, make.i32(divisor))),
          'i32',
        );
    }
  });
});

describe('unary operations', () => {
  const cases: [UnaryOp, Type][] = [
    ...(['neg', 'abs', 'clz'] as const).flatMap((op) => [
      [op, 'i32'] as [UnaryOp, Type],
      [op, 'i64'] as [UnaryOp, Type],
    ]),
    ...(['neg', 'abs'] as const).map((op) => [op, 'i32x4'] as [UnaryOp, Type]),
    ...(['neg', 'abs', 'sqrt', 'floor', 'ceil', 'trunc', 'nearest'] as const).flatMap((op) =>
      real.map((type) => [op, type] as [UnaryOp, Type]),
    ),
  ];
  test.each(cases)('%s of %s', (op, type) => {
    const cell = cellFor(type);
    expectEqual(
      overPairs(type, cell, cell, (x) => make.unary(op, x)),
      cell,
      cell === 'f32',
    );
  });
});

test.each(['i32', 'i32x4', 'i16x8', 'i8x16', 'u8x16', 'f32', 'f32x4'] as const)(
  'comparison and choice of %s',
  (type) => {
    const cell = cellFor(type);
    for (const op of ['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as CompareOp[]) {
      expectEqual(
        overPairs(type, cell, cell, (x, y) => make.select(make.compare(op, x, y), x, y)),
        cell,
        cell === 'f32',
      );
      const mask = maskOf(type);
      expectEqual(
        overPairs(type, cell, cellFor(mask), (x, y) => make.compare(op, x, y)),
        cell,
      );
    }
  },
);

describe('memory', () => {
  const loads: [Type, Cell][] = [
    ['i32', 'i8'],
    ['i32', 'u8'],
    ['i32', 'i16'],
    ['i64', 'i32'],
    ['i64', 'u8'],
    ['i16x8', 'i8'],
    ['i16x8', 'u8'],
    ['i16x8', 'i16'],
    ['i32x4', 'i8'],
    ['i32x4', 'u8'],
    ['i32x4', 'i16'],
    ['i32x4', 'i32'],
    ['f32x4', 'f32'],
  ];
  test.each(loads)('%s from %s cells, and back', (type, cell) => {
    const back = type === 'i64' ? 'i32' : cell;
    expectEqual(
      overPairs(type, cell, back, (x) => x),
      cell,
    );
    for (let lanes = 1; lanes < lanesOf(type); lanes++)
      expectEqual(
        overPairs(type, cell, back, (_, y) => y, lanes),
        cell,
      );
  });
});

describe('conversions', () => {
  const pairs: [Type, Type][] = [
    ['i32', 'i64'],
    ['i32', 'f32'],
    ['f32', 'i32'],
    ['i32x4', 'f32x4'],
    ['f32x4', 'i32x4'],
  ];
  test.each(pairs)('%s as %s', (from, to) => {
    const cell = cellFor(from);
    expectEqual(
      overPairs(from, cell, cellFor(to), (x) => make.convert(to, x)),
      cell,
    );
  });
  test('through wider types', () => {
    const by = (type: Type) => (x: Expr) => make.convert(x.type, make.convert(type, x));
    expectEqual(overPairs('i32', 'i32', 'i32', by('f64')), 'i32');
    expectEqual(overPairs('f32', 'f32', 'f32', by('f64')), 'f32', true);
    expectEqual(
      overPairs('f32', 'f32', 'i32', (x) => make.convert('i32', make.convert('i64', x))),
      'f32',
    );
    expectEqual(
      overPairs('i32', 'i32', 'f32', (x) => make.convert('f32', make.convert('i64', x))),
      'i32',
    );
  });
  test('bits', () => {
    expectEqual(
      overPairs('i32', 'i32', 'f32', (x) => make.convert('f32', x, 'bits')),
      'i32',
      true,
    );
    expectEqual(
      overPairs('f32', 'f32', 'i32', (x) => make.convert('i32', x, 'bits')),
      'f32',
      true,
    );
    expectEqual(
      overPairs('f32x4', 'f32', 'i32', (x) => make.convert('i32x4', x, 'bits')),
      'f32',
    );
  });
});

test('lanes, splats, vectors of scalars, multiply-add, products in pairs', () => {
  for (const [type, cell] of [
    ['i32x4', 'i32'],
    ['f32x4', 'f32'],
    ['i16x8', 'i16'],
  ] as const) {
    const last = lanesOf(type) - 1;
    expectEqual(
      overPairs(type, cell, cell, (x) => make.splat(type, make.lane(x, last))),
      cell,
    );
    const turned = (x: Expr) => Array.from({ length: last + 1 }, (_, i) => make.lane(x, last - i));
    expectEqual(
      overPairs(type, cell, cell, (x) => make.vector(type, turned(x))),
      cell,
    );
    expectEqual(
      overPairs(type, cell, cell, () => make.constant(type, 77)),
      cell,
    );
  }
  for (const type of real)
    expectEqual(
      overPairs(type, 'f32', 'f32', (x, y) => make.mulAdd(x, y, x)),
      'f32',
      true,
    );
  expectEqual(
    overPairs('i16x8', 'i16', 'i32', (x, y) => make.dotPairs('i32x4', x, y)),
    'i16',
  );
});

test('loops, choices and variables', () => {
  const b = new make.Builder();
  const sum = b.variable('sum', make.i32(0));
  b.for('i', 0, 10, 3, (i) => {
    const end = b.let('end', make.load('index', 'i32', make.place(ARENA_REGION, 4096 - 4)));
    b.for('j', i, make.plus(end, 5), 2, (j) => {
      b.if(
        make.compare('lt', make.i32(3), make.convert('i32', j)),
        () => b.set(sum, make.add(sum, make.convert('i32', make.times(j, 2)))),
        () => b.set(sum, make.sub(sum, make.i32(1))),
      );
    });
  });
  b.store('i32', make.place(ARENA_REGION, OUT), sum);
  expectEqual(b.function('f', []), 'i32');
});
