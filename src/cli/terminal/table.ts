/** Tables for people: columns padded with blanks, a rule under the heading, long names cut in the middle. */
import { style, terminalWidth } from './style.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** May be shortened when the table is wider than the terminal. */
  readonly flexible?: boolean;
}

/** `rows[i][j]` belongs to `columns[j]`. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width = terminalWidth(),
): string {
  const widths = columns.map((c, j) => Math.max(c.title.length, ...rows.map((r) => (r[j] ?? '').length)));
  shrink(widths, columns, width);
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, j) => {
        const text = shorten(cell ?? '', widths[j]);
        return columns[j].align === 'right' ? text.padStart(widths[j]) : text.padEnd(widths[j]);
      })
      .join('  ')
      .trimEnd();
  const head = line(columns.map((c) => c.title));
  const rule = widths.map((w) => '─'.repeat(w)).join('──');
  return [style.bold(head), style.dim(rule), ...rows.map(line)].join('\n');
}

/** Takes columns from the widest flexible one until the table fits. */
function shrink(widths: number[], columns: readonly Column[], limit: number): void {
  const total = () => widths.reduce((sum, w) => sum + w, 2 * (widths.length - 1));
  while (total() > limit) {
    let widest = -1;
    columns.forEach((c, j) => {
      if (c.flexible && widths[j] > 10 && (widest < 0 || widths[j] > widths[widest])) widest = j;
    });
    if (widest < 0) return;
    widths[widest]--;
  }
}

function shorten(text: string, width: number): string {
  if (text.length <= width) return text;
  const end = Math.floor((width - 1) / 2);
  return `${text.slice(0, width - 1 - end)}…${text.slice(text.length - end)}`;
}

/** Names and values in two columns. */
export function facts(entries: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...entries.map(([name]) => name.length));
  return entries.map(([name, value]) => `${style.dim(name.padEnd(width))}  ${value}`).join('\n');
}
