/**
 * Ctrl-C in the midst of work that never gives way to the event loop, where Node's signal handlers are not called:
 * a piece of it runs as a script, which Node can break off. What earlier pieces found is still there.
 */
import vm from 'node:vm';

export interface Interruptible {
  /** Runs a piece; undefined where it was broken off, and for every piece after that. */
  run<T>(piece: () => T): T | undefined;
  /** Whether Ctrl-C has been pressed. */
  readonly interrupted: boolean;
}

/** The name under which a script finds the piece that it runs. */
const NAME = '__tidemarkPiece';

/** `onInterrupt` is called once, when Ctrl-C has broken a piece off. */
export function interruptible(onInterrupt?: () => void): Interruptible {
  let interrupted = false;
  return {
    get interrupted() {
      return interrupted;
    },
    run<T>(piece: () => T): T | undefined {
      if (interrupted) return undefined;
      let result: T | undefined;
      Object.defineProperty(globalThis, NAME, {
        configurable: true,
        value: () => {
          result = piece();
        },
      });
      try {
        vm.runInThisContext(`${NAME}()`, { breakOnSigint: true });
        return result;
      } catch (error) {
        if ((error as NodeJS.ErrnoException)?.code !== 'ERR_SCRIPT_EXECUTION_INTERRUPTED') throw error;
        interrupted = true;
        onInterrupt?.();
        return undefined;
      } finally {
        Reflect.deleteProperty(globalThis, NAME);
      }
    },
  };
}
