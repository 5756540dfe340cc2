import { expect, test } from 'vitest';
import wabtFactory from 'wabt';
import { Body } from './body.ts';
import { ByteWriter } from './bytes.ts';
import { ModuleBuilder } from './module.ts';
import { accessBytes, LANE, MEMORY, MEMORY_LANE, PLAIN } from './opcodes.ts';

const wabt = await wabtFactory();
const features = { simd: true, relaxed_simd: true, bulk_memory: true };

/** Accepted by the engine and by a validator that is not the engine's. */
function expectValid(bytes: Uint8Array<ArrayBuffer>): void {
  expect(WebAssembly.validate(bytes)).toBe(true);
  const module = wabt.readWasm(bytes, { ...features, readDebugNames: true });
  module.validate();
  module.destroy();
}

function instance(module: ModuleBuilder, imports: WebAssembly.Imports = {}): Record<string, unknown> {
  const bytes = module.encode({ names: true });
  expectValid(bytes);
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports;
}

test('LEB128: the shortest form, at the ends of its ranges', () => {
  const u = (n: number) => [...new ByteWriter().u32(n).finish()];
  const s = (n: number) => [...new ByteWriter().s32(n).finish()];
  expect(u(0)).toEqual([0]);
  expect(u(127)).toEqual([127]);
  expect(u(128)).toEqual([0x80, 1]);
  expect(u(624485)).toEqual([0xe5, 0x8e, 0x26]);
  expect(u(0xffffffff)).toEqual([0xff, 0xff, 0xff, 0xff, 0x0f]);
  expect(s(63)).toEqual([63]);
  expect(s(64)).toEqual([0xc0, 0]);
  expect(s(-64)).toEqual([0x40]);
  expect(s(-65)).toEqual([0xbf, 0x7f]);
  expect(s(-123456)).toEqual([0xc0, 0xbb, 0x78]);
  expect(s(0x7fffffff)).toEqual([0xff, 0xff, 0xff, 0xff, 0x07]);
  expect(s(-0x80000000)).toEqual([0x80, 0x80, 0x80, 0x80, 0x78]);
  expect([...new ByteWriter().s64(-(1n << 63n)).finish()]).toEqual([...Array(9).fill(0x80), 0x7f]);
});

test('every opcode is what an independent assembler makes of its name', () => {
  // Behind `unreachable` any operands type-check, so one function can hold all of them.
  const body = new Body([]);
  const text: string[] = [];
  for (const name of PLAIN) {
    body.op('unreachable', name);
    text.push('unreachable', name);
  }
  for (const name of LANE) {
    body.op('unreachable').lane(name, 1);
    text.push('unreachable', `${name} 1`);
  }
  for (const name of MEMORY) {
    body.op('unreachable').memory(name, 1000);
    text.push('unreachable', `${name} offset=1000 align=${accessBytes(name)}`);
  }
  for (const name of MEMORY_LANE) {
    body.op('unreachable').memoryLane(name, 1, 5, 1);
    text.push('unreachable', `${name} offset=5 align=1 1`);
  }
  const bytes = Array.from({ length: 16 }, (_, i) => 3 * i);
  const lanes = Array.from({ length: 16 }, (_, i) => 31 - i);
  body.op('unreachable').v128(bytes).shuffle(lanes).i64(-5000000000n).f32(1.5).f64(-0.1).i32(-77);
  text.push('unreachable', `v128.const i8x16 ${bytes.join(' ')}`, `i8x16.shuffle ${lanes.join(' ')}`);
  text.push('i64.const -5000000000', 'f32.const 1.5', 'f64.const -0.1', 'i32.const -77');
  body.op('unreachable').memorySize().memoryGrow().memoryCopy().op('unreachable').memoryFill();
  text.push('unreachable', 'memory.size', 'memory.grow', 'memory.copy', 'unreachable', 'memory.fill');
  body.op('unreachable').memoryInit(0).dataDrop(0);
  text.push('unreachable', 'memory.init 0', 'data.drop 0');
  expect(PLAIN.length + LANE.length + MEMORY.length + MEMORY_LANE.length).toBe(417);
  body.op('unreachable');
  text.push('unreachable');

  const assembled = wabt.parseWat('all.wat', `(module (memory 1) (func ${text.join('\n')}) (data "x"))`, {
    ...features,
  });
  const expected = assembled.toBinary({}).buffer;
  const own = new ModuleBuilder();
  own.memory(1);
  own.passiveData(new Uint8Array([0x78]));
  // The code section holds the same body: compared as bytes, so a wrong number cannot hide.
  const code = body.finish();
  expect(indexOf(expected, code)).toBeGreaterThan(0);
  expect(expected.length - indexOf(expected, code) - code.length).toBeLessThan(10);
});

function indexOf(haystack: Uint8Array, needle: Uint8Array): number {
  return Buffer.from(haystack).indexOf(Buffer.from(needle));
}

test('loops, blocks, ifs and locals', () => {
  const module = new ModuleBuilder();
  const type = { params: ['i32'], results: ['i32'] } as const;
  // Length of the Collatz sequence: a loop with an exit in its middle and an if with two arms.
  const collatz = module.func('collatz', type, (b) => {
    const [n] = b.params;
    const steps = b.local('i32');
    b.block((exit) => {
      b.loop((again) => {
        b.get(n).i32(1).op('i32.le_u').brIf(exit);
        b.get(n).i32(1).op('i32.and');
        b.if(
          () => b.get(n).i32(3).op('i32.mul').i32(1).op('i32.add'),
          () => b.get(n).i32(1).op('i32.shr_u'),
          'i32',
        ).set(n);
        b.get(steps).i32(1).op('i32.add').set(steps).br(again);
      });
    });
    b.get(steps);
  });
  module.exportFunc('collatz', collatz);
  const choose = module.func('choose', type, (b) => {
    b.block((two) => {
      b.block((one) => {
        b.block((zero) => b.get(b.params[0]).brTable([zero, one], two));
        b.i32(100).return();
      });
      b.i32(101).return();
    });
    b.i32(102);
  });
  module.exportFunc('choose', choose);
  const { collatz: run, choose: pick } = instance(module) as Record<string, (n: number) => number>;
  expect([1, 2, 27].map(run)).toEqual([0, 1, 111]);
  expect([0, 1, 2, 9].map(pick)).toEqual([100, 101, 102, 102]);
});

test('locals that were given back are used again', () => {
  const b = new Body(['i32']);
  const first = b.local('v128');
  b.release(first);
  expect(b.local('v128')).toBe(first);
  expect(b.local('v128').index).toBe(2);
});

test('memory, data, globals, imports and the start function', () => {
  const module = new ModuleBuilder();
  const told: number[] = [];
  const tell = module.import('host', 'tell', { params: ['i32'], results: [] });
  module.memory(1, 2);
  module.exportMemory('memory');
  module.data(8, new Uint8Array([1, 2, 3, 4]));
  const passive = module.passiveData(new Uint8Array([9, 8, 7]));
  const counter = module.global('i32', 41);
  module.exportGlobal('counter', counter);
  const nothing = { params: [], results: [] };
  module.start(
    module.func('start', nothing, (b) => {
      b.i32(100).i32(0).i32(3).memoryInit(passive).dataDrop(passive);
      b.i32(200).i32(0xee).i32(4).memoryFill();
      b.i32(204).i32(8).i32(4).memoryCopy();
      b.getGlobal(counter).i32(1).op('i32.add').setGlobal(counter);
      b.getGlobal(counter).call(tell);
    }),
  );
  const exports = instance(module, { host: { tell: (n: number) => told.push(n) } });
  const bytes = new Uint8Array((exports.memory as WebAssembly.Memory).buffer);
  expect([...bytes.slice(8, 12)]).toEqual([1, 2, 3, 4]);
  expect([...bytes.slice(100, 103)]).toEqual([9, 8, 7]);
  expect([...bytes.slice(200, 208)]).toEqual([0xee, 0xee, 0xee, 0xee, 1, 2, 3, 4]);
  expect((exports.counter as WebAssembly.Global).value).toBe(42);
  expect(told).toEqual([42]);
});

test('vectors: a dot product of bytes, lane by lane', () => {
  const module = new ModuleBuilder();
  module.memory(1);
  module.exportMemory('memory');
  const dot = module.func('dot', { params: ['i32', 'i32'], results: ['i32'] }, (b) => {
    const [x, y] = b.params;
    const sums = b.local('v128');
    for (const half of [0, 8]) {
      b.get(x).memory('v128.load8x8_s', half, 1).get(y).memory('v128.load8x8_s', half, 1);
      b.op('i32x4.dot_i16x8_s').get(sums).op('i32x4.add').set(sums);
    }
    for (const lane of [0, 1, 2, 3]) b.get(sums).lane('i32x4.extract_lane', lane);
    b.op('i32.add', 'i32.add', 'i32.add');
  });
  module.exportFunc('dot', dot);
  const exports = instance(module);
  const values = new Int8Array((exports.memory as WebAssembly.Memory).buffer);
  let expected = 0;
  for (let i = 0; i < 16; i++) {
    values[i] = i * 16 - 128;
    values[16 + i] = 127 - i * 7;
    expected += values[i] * values[16 + i];
  }
  expect((exports.dot as (x: number, y: number) => number)(0, 16)).toBe(expected);
});

test('equal functions are kept once', () => {
  const module = new ModuleBuilder();
  const type = { params: [], results: ['i32'] } as const;
  const one = module.func('one', type, (b) => b.i32(1));
  const same = module.func('same', type, (b) => b.i32(1));
  const other = module.func('other', type, (b) => b.i32(2));
  expect(same).toBe(one);
  expect(other.index).not.toBe(one.index);
  expect(module.functionCount).toBe(2);
});

test('names are what a disassembler shows', () => {
  const module = new ModuleBuilder();
  module.func('fire_conv1', { params: [], results: [] }, () => {});
  const bytes = module.encode({ names: true });
  const read = wabt.readWasm(bytes, { readDebugNames: true });
  read.applyNames();
  expect(read.toText({})).toContain('fire_conv1');
  expect(module.encode().length).toBeLessThan(bytes.length);
});
