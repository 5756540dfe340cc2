import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { interruptible } from './interrupt.ts';

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
  const work = interruptible(() => calls++);
  expect(work.run(() => 'first')).toBe('first');
  // From another process: this one is busy until it comes.
  spawn('sh', ['-c', `sleep 0.3; kill -INT ${process.pid}`]);
  const forever = () => {
    for (;;);
  };
  expect(work.run(forever)).toBeUndefined();
  expect(work.interrupted).toBe(true);
  expect(calls).toBe(1);
  expect(work.run(() => 'later')).toBeUndefined();
});
