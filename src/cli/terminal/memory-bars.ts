/** Memory over time as bars in the terminal: one column a step (or the largest of several), peak and budget marked. */
import { formatSize } from '../../report/format.ts';
import { style, terminalWidth } from './style.ts';

export interface BarsOptions {
  readonly budgetBytes?: number;
  /** Scale of the axis, so that two pictures can be compared; the peak where left out. */
  readonly scaleBytes?: number;
  /** Where the peak is. */
  readonly peakAt?: string;
  readonly rows?: number;
  readonly width?: number;
}

const EIGHTHS = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

export function memoryBars(bytes: readonly number[], options: BarsOptions = {}): string {
  const rows = options.rows ?? 8;
  const labelWidth = 9;
  const room = (options.width ?? terminalWidth()) - labelWidth - 3;
  const columns = resample(bytes, Math.max(10, Math.min(room, 88)));
  const peak = Math.max(...bytes);
  const scale = Math.max(1, options.scaleBytes ?? 0, peak, options.budgetBytes ?? 0);
  const budgetRow =
    options.budgetBytes === undefined ? -1 : Math.ceil((options.budgetBytes / scale) * rows) - 1;
  const lines: string[] = [];
  for (let row = rows - 1; row >= 0; row--) {
    const cells = columns.map((value) => {
      const filled = Math.round((value / scale) * rows * 8) - row * 8;
      const block = EIGHTHS[Math.max(value > 0 && row === 0 ? 1 : 0, Math.min(8, filled))];
      if (block === ' ') return row === budgetRow ? style.yellow('╌') : ' ';
      return value === peak ? style.red(block) : style.cyan(block);
    });
    const label = row === rows - 1 ? formatSize(scale) : row === budgetRow ? 'budget' : '';
    lines.push(`${style.dim(label.padStart(labelWidth))} ${style.dim('│')}${cells.join('').trimEnd()}`);
  }
  lines.push(`${style.dim('0'.padStart(labelWidth))} ${style.dim(`└${'─'.repeat(columns.length)}`)}`);
  const where = columns.indexOf(Math.max(...columns));
  const text = `peak ${formatSize(peak)}${options.peakAt ? ` at ${options.peakAt}` : ''}`;
  const left = Math.min(where, Math.max(0, columns.length - text.length - 2));
  lines.push(
    `${' '.repeat(labelWidth + 2 + left)}${where === left ? '↑ ' : ''}${text}${where === left ? '' : ' ↑'}`,
  );
  return lines.join('\n');
}

/** Stretches or shrinks to `count` columns; a column shows the largest of its steps. */
function resample(values: readonly number[], count: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    const from = Math.floor((i * values.length) / count);
    const to = Math.max(from + 1, Math.ceil(((i + 1) * values.length) / count));
    let most = 0;
    for (let j = from; j < to && j < values.length; j++) most = Math.max(most, values[j]);
    return most;
  });
}
