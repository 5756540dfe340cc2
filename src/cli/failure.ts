/** One line on stderr for whatever went wrong. TIDEMARK_DEBUG=1 adds the stack trace. */
import { CommanderError } from 'commander';
import { TidemarkError } from '../errors.ts';

/** The line for people, without a line break. */
export function failureLine(error: unknown): string {
  if (error instanceof TidemarkError) return error.message;
  if (
    error instanceof RangeError &&
    /array (buffer )?allocation|invalid (typed )?array length/i.test(error.message)
  ) {
    return `not enough memory for this model on this machine (${oneLine(error.message)})`;
  }
  const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return `unexpected error: ${oneLine(detail)}; TIDEMARK_DEBUG=1 shows where, please report it`;
}

/** Reports the error and returns the exit code. Help and version come here too, as commander ends with them. */
export function reportFailure(error: unknown): number {
  if (error instanceof CommanderError) {
    // Commander has already written its text; bad usage is 2 here, not its 1.
    return error.exitCode === 0 ? 0 : 2;
  }
  process.stderr.write(`tidemark: ${failureLine(error)}\n`);
  if (process.env.TIDEMARK_DEBUG === '1' && error instanceof Error) {
    process.stderr.write(`${error.stack ?? ''}\n`);
    if (error.cause instanceof Error) process.stderr.write(`caused by ${error.cause.stack ?? ''}\n`);
  }
  return 2;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
