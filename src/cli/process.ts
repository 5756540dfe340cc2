/** How the process ends when the outside ends it: a closed pipe or Ctrl-C is no error of ours. */

/** Leaves without a message when the reader of stdout has gone, and with the usual code on Ctrl-C. */
export function finishQuietly(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
      throw error;
    });
  }
  process.on('SIGINT', () => {
    // A progress line may be open, and the cursor must be seen again.
    if (process.stderr.isTTY) process.stderr.write('\u001b[?25h\n');
    process.exit(130);
  });
}

/** From now on Ctrl-C ends the process at once, also in the midst of work that hears no events. */
export async function leaveOnInterrupt(): Promise<void> {
  // One that came while modules were loaded is heard first.
  await new Promise((heard) => setImmediate(heard));
  process.removeAllListeners('SIGINT');
}
