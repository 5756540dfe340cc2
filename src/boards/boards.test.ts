/** Parts, their layouts on emulated machines, bounds of stacks, counts by operator: what needs no compiler. */
import { describe, expect, test } from 'vitest';
import { holesBelow, layoutOf } from './layout.ts';
import { marksOf, readCounts, readSymbols } from './marks.ts';
import { partOf, parts } from './parts.ts';
import { controlBytes, readFault, readReport } from './report.ts';
import { readCallGraph, readDisassembly, type StackFunction, stackBound } from './stack-bound.ts';

describe('parts', () => {
  test('at least twenty real ones, each with a source, names once', () => {
    const real = parts.filter((p) => !p.source.startsWith('qemu'));
    expect(real.length).toBeGreaterThanOrEqual(20);
    expect(parts.every((p) => p.source.length > 0 && p.flashBytes > 0 && p.ramBytes > 0)).toBe(true);
    const names = parts.flatMap((p) => [p.name, ...(p.aliases ?? [])]);
    expect(new Set(names).size).toBe(names.length);
    expect(partOf('microbit')).toBe(partOf('nrf51822'));
  });

  test('RAM lies at the top of the machine that emulates it, and what is below is a hole', () => {
    const layout = layoutOf(partOf('stm32f405')!)!;
    expect(layout.ramOrigin).toBe(0x20010000);
    expect(layout.holes).toEqual([{ base: 0x20000000, log2Bytes: 16 }]);
    expect(layoutOf(partOf('esp32-c3')!)).toBeUndefined();
    for (const part of parts) {
      const at = layoutOf(part);
      if (at) expect(at.ramOrigin + at.ramBytes).toBe(at.machine.ramOrigin + at.machine.ramBytes);
    }
  });

  test('holes are aligned to their size and end where RAM begins', () => {
    const holes = holesBelow(0x20018000, 0x20000000);
    expect(holes).toEqual([
      { base: 0x20010000, log2Bytes: 15 },
      { base: 0x20000000, log2Bytes: 16 },
    ]);
    expect(holesBelow(0x20000000, 0x20000000)).toEqual([{ base: 0x1fffffe0, log2Bytes: 5 }]);
  });
});

const GRAPH = `graph: { title: "a.c"
node: { title: "main" label: "main\\na.c:1:5\\n16 bytes (static)\\n0 dynamic objects" }
node: { title: "a.c:leaf" label: "leaf\\na.c:2:5\\n40 bytes (static)\\n0 dynamic objects" }
node: { title: "back" label: "back\\na.c:3:5\\n24 bytes (static)\\n0 dynamic objects" }
node: { title: "memcpy" label: "memcpy\\n<built-in>" shape : ellipse }
edge: { sourcename: "main" targetname: "a.c:leaf" label: "a.c:1:9" }
edge: { sourcename: "main" targetname: "__indirect_call" label: "a.c:1:9" }
edge: { sourcename: "back" targetname: "memcpy" label: "a.c:3:9" }
}`;

describe('stack bound', () => {
  const read = (): Map<string, StackFunction> => {
    const functions = new Map<string, StackFunction>();
    readCallGraph(GRAPH, functions);
    return functions;
  };

  test('is the deepest chain, through pointers and library functions', () => {
    const functions = read();
    const code = `00000100 <memcpy>:\n 100:\tb5f0\tpush\t{r4, r5, r6, r7, lr}\n 102:\tb082\tsub\tsp, #8\n`;
    readDisassembly(code, [{ name: 'memcpy', address: 0x100 }], functions);
    expect(stackBound(functions, 'main', ['back'])).toEqual({
      bytes: 16 + 24 + 28,
      path: ['main', 'back', 'memcpy'],
    });
    expect(stackBound(functions, 'main', ['leaf']).bytes).toBe(16 + 40);
  });

  test('refuses what has none', () => {
    expect(() => stackBound(read(), 'back', [])).toThrow('memcpy is not known');
    const circle = new Map([['a', { frameBytes: 8, calls: ['a'], indirect: false }]]);
    expect(() => stackBound(circle, 'a', [])).toThrow('calls itself');
    const dynamic = GRAPH.replace('40 bytes (static)', '40 bytes (dynamic)');
    expect(() => readCallGraph(dynamic, new Map())).toThrow('leaf');
  });
});

describe('counts', () => {
  const actors = [
    { name: 'conv', fn: 'fire_0', firings: 2 },
    { name: 'pool', fn: 'fire_1', firings: 1 },
  ];
  const symbols = readSymbols(
    '08000101 00000010 t fire_0\n08000111 00000010 t fire_1\n08000121 00000020 T model_run\n08000141 00000008 t read_input\n20000000 00000004 b port\n',
  );

  test('marks name addresses without the bit for Thumb', () => {
    expect(marksOf(symbols, actors, new Set(['read_input']))).toBe(
      'entry 8000100 1\nentry 8000110 2\nrange 8000120 8000140 0\noutside 8000140 8000148\n',
    );
  });

  test('add up, or are refused', () => {
    expect(readCounts('0 5\n1 70\n2 20\noutside 9\ntotal 104\n', actors)).toEqual({
      instructions: 95,
      operators: [
        { name: 'conv', instructions: 70 },
        { name: 'pool', instructions: 20 },
        { name: 'schedule', instructions: 5 },
      ],
    });
    expect(readCounts('0 5\n1 70\noutside 9\ntotal 104\n', actors)).toBeUndefined();
  });
});

test('reports and faults are read, and nothing is made of other bytes', () => {
  expect(readReport(new Uint8Array(3))).toBeUndefined();
  expect(readReport(new Uint8Array(16))).toBeUndefined();
  const fault = new Uint8Array(new Uint32Array([0x82, 0, 0x20030000, 0]).buffer);
  expect(readFault(fault)).toEqual({ kind: 'refused by the memory protection unit', address: 0x20030000 });
  expect([...new Int32Array(controlBytes(0xa5, { kind: 'poke', distance: -1 }).buffer)]).toEqual([
    0xa5, 1, -1,
  ]);
});
