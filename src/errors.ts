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
  | 'internal';

export class TidemarkError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message.replace(/\s+/g, ' ').trim(), options);
    this.name = 'TidemarkError';
    this.code = code;
  }
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
