import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { interruptible } from './interrupt.ts';

const forever = () => {
  for (;;);
};

test('a piece gives what it returns and throws what it throws', () => {
  const { run } = interruptible();
  expect(run(() => 42)).toBe(42);
  expect(() =>
    run(() => {
      throw new RangeError('too far');
    }),
  ).toThrow(new RangeError('too far'));
  expect(Object.keys(globalThis).filter((k) => k.startsWith('__tidemark'))).toEqual([]);
});

test('Ctrl-C breaks a piece off that never ends, and later pieces are left out', () => {
  let calls = 0;
  const work = interruptible(() => {
    calls++;
  });
  expect(work.run(() => 'first')).toBe('first');
  // From another process: this one is busy until it comes.
  spawn('sh', ['-c', `sleep 0.3; kill -INT ${process.pid}`]);
  expect(work.run(forever)).toBeUndefined();
  expect(work.stoppedBy).toBe('interrupt');
  expect(calls).toBe(1);
  expect(work.run(() => 'later')).toBeUndefined();
});

test('a time limit breaks a piece off, and later ones are left out', () => {
  const work = interruptible(undefined, { timeLimitSeconds: 0.2 });
  expect(work.run(() => 'first')).toBe('first');
  const started = performance.now();
  expect(work.run(forever)).toBeUndefined();
  expect(performance.now() - started).toBeLessThan(5000);
  expect(work.stoppedBy).toBe('time');
  expect(work.run(() => 'later')).toBeUndefined();
});

test('a memory limit breaks off a piece that takes more', () => {
  const limit = process.memoryUsage.rss() + 64 * 2 ** 20;
  const by: string[] = [];
  const work = interruptible((reason) => by.push(reason), { memoryLimitBytes: limit });
  const kept: Uint8Array[] = [];
  const grown = work.run(() => {
    for (;;) if (kept.length < 1000) kept.push(new Uint8Array(2 ** 20).fill(1));
  });
  expect(grown).toBeUndefined();
  expect(work.stoppedBy).toBe('memory');
  expect(by).toEqual(['memory']);
});

test('Ctrl-C between pieces breaks off what is made of them, and what it handed on is kept', () => {
  const handedOn: string[] = [];
  const work = interruptible();
  spawn('sh', ['-c', `sleep 0.3; kill -INT ${process.pid}`]);
  work.around(() => {
    for (const name of ['a', 'b']) handedOn.push(work.run(() => name) ?? 'none');
    forever();
  });
  expect(work.stoppedBy).toBe('interrupt');
  expect(handedOn).toEqual(['a', 'b']);
});

test('Ctrl-C within a piece breaks off that piece alone', () => {
  const handedOn: unknown[] = [];
  const work = interruptible();
  spawn('sh', ['-c', `sleep 0.3; kill -INT ${process.pid}`]);
  work.around(() => {
    handedOn.push(work.run(forever));
    handedOn.push('after it');
  });
  expect(work.stoppedBy).toBe('interrupt');
  expect(handedOn).toEqual([undefined, 'after it']);
  expect(Object.keys(globalThis).filter((k) => k.startsWith('__tidemark'))).toEqual([]);
});

test('a memory limit that is reached at the end of a piece is never taken for Ctrl-C, nor does it end the process', () => {
  for (let attempt = 0; attempt < 30; attempt++) {
    const work = interruptible(undefined, { memoryLimitBytes: 1 });
    // Pieces as short as what lies between them: the signal comes within one, or just as one ends.
    const pieces = () => {
      while (!work.stoppedBy) work.run(() => new Array(20_000).fill(1).reduce((a, b) => a + b));
    };
    if (attempt % 2) work.around(pieces);
    else pieces();
    expect(work.stoppedBy).toBe('memory');
  }
});

test('a memory limit within nested pieces breaks the inner one off, and the outer one comes to its end', () => {
  const work = interruptible(undefined, { memoryLimitBytes: 1 });
  expect(work.run(() => [work.run(() => 1), work.run(forever), 'after it'])).toEqual([
    1,
    undefined,
    'after it',
  ]);
  expect(work.stoppedBy).toBe('memory');
});

test('what a piece throws is thrown under limits too', () => {
  const work = interruptible(undefined, { memoryLimitBytes: 2 ** 40, timeLimitSeconds: 60 });
  const tooFar = () => {
    throw new RangeError('too far');
  };
  expect(() => work.run(tooFar)).toThrow(new RangeError('too far'));
  expect(work.run(() => 'next')).toBe('next');
  work.done();
});

test('the time counts from the first piece on', () => {
  const work = interruptible(undefined, { timeLimitSeconds: 0.2, interrupts: false });
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  expect(work.run(() => 'first')).toBe('first');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  expect(work.run(() => 'second')).toBeUndefined();
  expect(work.stoppedBy).toBe('time');
});
