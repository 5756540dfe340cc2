/**
 * Watches how much memory the process has, from a thread of its own, since the work that takes it hears nothing. Beyond
 * the limit it does as Ctrl-C does: the piece of work that runs is broken off.
 */
import { Worker } from 'node:worker_threads';

export interface MemoryWatch {
  /** Whether a piece of work runs that can be broken off. */
  watch(running: boolean): void;
  /** Whether the limit was what broke it off. */
  exceeded(): boolean;
  end(): void;
}

const RUNNING = 0;
const EXCEEDED = 1;
const INTERVAL_MS = 20;

/** The thread's program: too small for a file of its own, which a bundle would have to find. */
const PROGRAM = `
const { workerData } = require('node:worker_threads');
const state = new Int32Array(workerData.shared);
setInterval(() => {
  if (Atomics.load(state, ${RUNNING}) === 0 || process.memoryUsage.rss() <= workerData.limitBytes) return;
  if (Atomics.exchange(state, ${EXCEEDED}, 1) === 0) process.kill(process.pid, 'SIGINT');
}, ${INTERVAL_MS});
`;

export function watchMemory(limitBytes: number): MemoryWatch {
  const shared = new SharedArrayBuffer(8);
  const state = new Int32Array(shared);
  const thread = new Worker(PROGRAM, { eval: true, workerData: { shared, limitBytes } });
  thread.unref();
  return {
    watch: (running) => {
      Atomics.store(state, RUNNING, running ? 1 : 0);
    },
    exceeded: () => Atomics.load(state, EXCEEDED) === 1,
    end: () => {
      Atomics.store(state, RUNNING, 0);
      void thread.terminate();
    },
  };
}
