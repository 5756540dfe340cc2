/**
 * Failures that a user can act on. Everything thrown on purpose is a `TidemarkError`: a stable code and one
 * line that names the file, operator or tensor, what was expected and received, and what to do. The command
 * line prints the line and exits with 2.
 */

/** The catalogue. A code is never reused for another meaning. */
export type ErrorCode =
  | 'usage'
  | 'file-missing'
  | 'file-unreadable'
  | 'file-format'
  | 'file-too-large'
  | 'graph-invalid'
  | 'graph-cyclic'
  | 'shape-dynamic'
  | 'shape-mismatch'
  | 'shape-too-large'
  | 'operator-unsupported'
  | 'operator-invalid'
  | 'type-unsupported'
  | 'quantisation-invalid'
  | 'external-data'
  | 'input-invalid'
  | 'plan-invalid'
  | 'runtime-missing'
  | 'stopped'
  | 'internal';

/** Names and lists of a damaged file may have megabytes; a line of that length helps nobody. */
const LONGEST_LINE = 1000;

export class TidemarkError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(oneLine(message), options);
    this.name = 'TidemarkError';
    this.code = code;
  }
}

/** Without breaks, and without its middle where it is too long: its start says where, its end what to do. */
function oneLine(message: string): string {
  const line = message.replace(/\s+/g, ' ').trim();
  if (line.length <= LONGEST_LINE) return line;
  const half = LONGEST_LINE / 2 - 8;
  return `${line.slice(0, half)} [ ... ] ${line.slice(-half)}`;
}

/** The line with its context put in front: file first, then operator or tensor. */
export function within<T>(context: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof TidemarkError) {
      throw new TidemarkError(error.code, `${context}: ${error.message}`, { cause: error });
    }
    throw error;
  }
}
