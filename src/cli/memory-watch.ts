/**
 * Watches how much memory the process has, from a thread of its own, since the work that takes it hears nothing. Beyond
 * the limit it does as Ctrl-C does: the piece of work that runs is broken off.
 */
import { Worker } from 'node:worker_threads';

export interface MemoryWatch {
  /** From here on a signal may come. To be called within the script that it breaks off; pieces may be nested. */
  enter(): void;
  /** No signal comes after this. Does not return where one is under way: the script is broken off here then. */
  leave(): void;
  /** No signal is sent after this; true where one is under way, which was not waited for. */
  underWay(): boolean;
  /** To be asked once a signal has broken the script off: whether it was the one from here. */
  arrived(): boolean;
  end(): void;
}

/** What the thread and the work tell each other. */
const IDLE = 0;
const RUNNING = 1;
/** The thread sends its one signal. */
const SENT = 2;
const ARRIVED = 3;
const INTERVAL_MS = 20;

/** The thread's program: too small for a file of its own, which a bundle would have to find. */
const PROGRAM = `
const { workerData } = require('node:worker_threads');
const state = new Int32Array(workerData.shared);
setInterval(() => {
  if (Atomics.load(state, 0) !== ${RUNNING} || process.memoryUsage.rss() <= workerData.limitBytes) return;
  if (Atomics.compareExchange(state, 0, ${RUNNING}, ${SENT}) === ${RUNNING}) process.kill(process.pid, 'SIGINT');
}, ${INTERVAL_MS});
`;

export function watchMemory(limitBytes: number): MemoryWatch {
  const shared = new SharedArrayBuffer(4);
  const state = new Int32Array(shared);
  const thread = new Worker(PROGRAM, { eval: true, workerData: { shared, limitBytes } });
  thread.unref();
  let depth = 0;
  const underWay = () => Atomics.compareExchange(state, 0, RUNNING, IDLE) === SENT;
  return {
    enter() {
      if (depth++ === 0) Atomics.compareExchange(state, 0, IDLE, RUNNING);
    },
    leave() {
      // Coming later it would find no script: it would end the process, or be taken for Ctrl-C.
      if (--depth === 0 && underWay()) for (;;);
    },
    underWay,
    arrived: () => Atomics.compareExchange(state, 0, SENT, ARRIVED) === SENT,
    end() {
      void thread.terminate();
    },
  };
}
