/** Progress of long work on stderr: one line that is rewritten on a terminal, silence elsewhere. */

export interface Progress {
  /** Shows what is being done; calls in quick succession are dropped. */
  step(text: string): void;
  /** Clears the line. */
  done(): void;
}

const INTERVAL_MS = 80;

/** A progress line, or nothing when stderr is no terminal. */
export function startProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  if (!stream.isTTY) return { step: () => {}, done: () => {} };
  let last = 0;
  let open = false;
  return {
    step(text) {
      const now = Date.now();
      if (now - last < INTERVAL_MS) return;
      last = now;
      open = true;
      stream.write(`\r\u001b[2K${text.slice(0, Math.max(10, (stream.columns ?? 80) - 1))}`);
    },
    done() {
      if (open) stream.write('\r\u001b[2K');
      open = false;
    },
  };
}
