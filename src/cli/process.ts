/**
 * How the process ends when the outside ends it: a closed pipe is no error of ours. Ctrl-C has no handler, since planning never
 * gives way to the event loop and would not hear one; the system ends the process at once. Searches that keep what they
 * have are the exception (interrupt.ts).
 */

/** Leaves without a message when the reader of stdout has gone. */
export function finishQuietly(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
      throw error;
    });
  }
}
