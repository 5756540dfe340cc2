/** Colour and width of the terminal. Colour only where stdout is one, and never against NO_COLOR. */
import pc from 'picocolors';

export const style = pc.createColors(
  Boolean(process.stdout.isTTY) && process.env.NO_COLOR === undefined && process.env.TERM !== 'dumb',
);

/** Columns to draw in: the terminal's, or 100 in a file or pipe. */
export function terminalWidth(): number {
  return Math.min(160, Math.max(40, process.stdout.columns ?? 100));
}
