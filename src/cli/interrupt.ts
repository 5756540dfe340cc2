/**
 * Ctrl-C, a time limit and a memory limit in the midst of work that never gives way to the event loop, where Node's
 * signal handlers and timers are not called: a piece of it runs as a script, which Node can break off. What earlier
 * pieces found is still there.
 */
import vm from 'node:vm';
import { type MemoryWatch, watchMemory } from './memory-watch.ts';

/** What broke work off. */
export type StoppedBy = 'interrupt' | 'time' | 'memory';

export interface Bounds {
  /** Seconds that may pass from the first piece on. */
  readonly timeLimitSeconds?: number;
  /** Bytes of memory that the process may have. */
  readonly memoryLimitBytes?: number;
  /** Whether Ctrl-C breaks off too. Left out: it does. */
  readonly interrupts?: boolean;
}

export interface Interruptible {
  /** Runs a piece; undefined where it was broken off, and for every piece after that. */
  run<T>(piece: () => T): T | undefined;
  /**
   * Runs what is made of such pieces. Ctrl-C between two of them breaks it off: what it has handed on by then is all there
   * is. Once something is broken off already, Ctrl-C ends the process.
   */
  around(work: () => void): void;
  /** What broke a piece off; undefined while nothing has. */
  readonly stoppedBy: StoppedBy | undefined;
  /** Nothing more is to be run. */
  done(): void;
}

/** The name under which a script finds the piece that it runs. */
const NAME = '__tidemarkPiece';

/** `onStop` is called once, when a piece has been broken off. */
export function interruptible(onStop?: (by: StoppedBy) => void, bounds: Bounds = {}): Interruptible {
  const { timeLimitSeconds, memoryLimitBytes, interrupts = true } = bounds;
  let deadline: number | undefined;
  const left = () => {
    if (timeLimitSeconds === undefined) return undefined;
    deadline ??= performance.now() + Math.ceil(1000 * timeLimitSeconds);
    return Math.floor(deadline - performance.now());
  };
  const memory = memoryLimitBytes === undefined ? undefined : watchMemory(memoryLimitBytes);
  let stoppedBy: StoppedBy | undefined;
  const stop = (by: StoppedBy): undefined => {
    stoppedBy = by;
    memory?.end();
    onStop?.(by);
    return undefined;
  };
  return {
    get stoppedBy() {
      return stoppedBy;
    },
    done: () => memory?.end(),
    around(work: () => void): void {
      try {
        runScript(work, { breakOnSigint: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_INTERRUPTED') throw error;
        if (stoppedBy) leave();
        stop('interrupt');
      }
    },
    run<T>(piece: () => T): T | undefined {
      if (stoppedBy) return undefined;
      if (!interrupts && !memory && timeLimitSeconds === undefined) return piece();
      const timeout = left();
      if (timeout !== undefined && timeout < 1) return stop('time');
      try {
        const breakOnSigint = interrupts || memory !== undefined;
        const options = { breakOnSigint, ...(timeout === undefined ? {} : { timeout }) };
        return runScript(memory ? () => watched(memory, piece) : piece, options);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED' && memory?.arrived()) return stop('memory');
        if (memory?.underWay()) awaitSignal();
        if (code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return stop('time');
        if (code !== 'ERR_SCRIPT_EXECUTION_INTERRUPTED') throw error;
        if (!interrupts) leave();
        return stop('interrupt');
      }
    },
  };
}

/** As Ctrl-C ends a process. */
export function leave(): never {
  process.exit(130);
}

/** The piece, with the watch's signal coming before its end or not at all. */
function watched<T>(memory: MemoryWatch, piece: () => T): T {
  memory.enter();
  try {
    return piece();
  } finally {
    memory.leave();
  }
}

/** Takes the watch's signal where something else ended the script that it was for. */
function awaitSignal(): void {
  try {
    runScript(
      () => {
        for (;;);
      },
      { breakOnSigint: true },
    );
  } catch {
    // It came.
  }
}

/** Runs a piece as a script. Scripts may be nested: the innermost is the one that is broken off. */
function runScript<T>(piece: () => T, options: vm.RunningScriptOptions): T | undefined {
  let result: T | undefined;
  const value = () => {
    result = piece();
  };
  Object.defineProperty(globalThis, NAME, { configurable: true, value });
  const script = new vm.Script(`{ const piece = ${NAME}; delete globalThis.${NAME}; piece(); }`);
  try {
    script.runInThisContext(options);
    return result;
  } finally {
    Reflect.deleteProperty(globalThis, NAME);
  }
}
