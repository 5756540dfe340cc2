/**
 * MiniMalloc's file of buffers: a header that names the columns in any order, then one buffer a line. `upper` is
 * exclusive; the older `end` is inclusive. `alignment` and `offset` (which fixes a buffer) may be there or not.
 */
import { TidemarkError } from '../../errors.ts';
import type { PackingProblem } from '../../passes/4-allocate/solver/problem.ts';

export interface BufferFile {
  readonly ids: readonly string[];
  readonly problem: PackingProblem;
  /** Header and lines as they were, without an offset column, for writing. */
  readonly rows: readonly string[];
}

/** Other names that MiniMalloc knows for its columns. */
const NAMES: Readonly<Record<string, string>> = {
  buffer: 'id',
  buffer_id: 'id',
  begin: 'lower',
  start: 'lower',
  end: 'upper',
};
const NEEDED = ['id', 'lower', 'upper', 'size'];
const KNOWN = [...NEEDED, 'alignment', 'offset'];

/** Sums of sizes and offsets stay exact below this. */
const MOST = 2 ** 37;

export function parseBuffers(text: string, file: string): BufferFile {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  while (lines.length > 0 && lines[lines.length - 1].trim() === '') lines.pop();
  if (lines.length === 0)
    throw bad(file, 1, `expected a header such as ${NEEDED.join(',')}, the file is empty`);
  const titles = lines[0].split(',').map((t) => t.trim());
  const columns = titles.map((t) => NAMES[t] ?? t);
  for (const name of NEEDED) {
    if (!columns.includes(name)) {
      throw bad(
        file,
        1,
        `expected a header with the columns ${NEEDED.join(', ')}; ${name} is missing in '${lines[0].slice(0, 60)}'`,
      );
    }
  }
  columns.forEach((name, k) => {
    if (columns.indexOf(name) !== k) throw bad(file, 1, `the column ${name} is there twice`);
    if (name === 'gaps')
      throw bad(file, 1, 'the column gaps is not supported: every buffer is taken as live all its life');
    if (!KNOWN.includes(name))
      throw bad(file, 1, `unknown column '${titles[k]}'; known are ${KNOWN.join(', ')}`);
  });
  const at = (name: string) => columns.indexOf(name);
  const inclusive = titles.includes('end') ? 1 : 0;
  const ids: string[] = [];
  const seen = new Map<string, number>();
  const sizes: number[] = [];
  const from: number[] = [];
  const to: number[] = [];
  const alignments: number[] = [];
  const fixed: number[] = [];
  const kept = columns.flatMap((name, k) => (name === 'offset' ? [] : [k]));
  const rows = [kept.map((k) => titles[k]).join(',')];
  for (let l = 1; l < lines.length; l++) {
    const fields = lines[l].split(',').map((f) => f.trim());
    if (fields.length !== columns.length) {
      throw bad(
        file,
        l + 1,
        `expected ${columns.length} fields, got ${fields.length} in '${lines[l].slice(0, 60)}'`,
      );
    }
    const number = (name: string, least: number): number => {
      const field = fields[at(name)];
      const value = /^[+-]?\d+$/.test(field) ? Number(field) : Number.NaN;
      if (!(value >= least && value <= MOST)) {
        throw bad(
          file,
          l + 1,
          `${name} must be a whole number from ${least} to ${MOST}, got '${field.slice(0, 40)}'`,
        );
      }
      return value;
    };
    const id = fields[at('id')];
    const before = seen.get(id);
    if (before !== undefined) throw bad(file, l + 1, `the id '${id}' is already that of line ${before}`);
    seen.set(id, l + 1);
    ids.push(id);
    sizes.push(number('size', 0));
    from.push(number('lower', -MOST));
    to.push(number('upper', -MOST) + inclusive);
    if (to[l - 1] < from[l - 1]) {
      throw bad(file, l + 1, `upper (${to[l - 1]}) must not be below lower (${from[l - 1]})`);
    }
    if (at('alignment') >= 0) alignments.push(number('alignment', 1));
    if (at('offset') >= 0) fixed.push(fields[at('offset')] === '' ? -1 : number('offset', 0));
    rows.push(kept.map((k) => fields[k]).join(','));
  }
  if (ids.length === 0) throw bad(file, 2, 'expected at least one buffer below the header');
  const problem = {
    sizes,
    lives: { from, to },
    ...(alignments.length > 0 ? { alignments } : {}),
    ...(fixed.length > 0 ? { fixed } : {}),
  };
  fixed.forEach((offset, i) => {
    const step = alignments[i] ?? 1;
    if (offset >= 0 && offset % step !== 0)
      throw bad(file, i + 2, `offset ${offset} is not a multiple of the alignment ${step}`);
  });
  return { ids, problem, rows };
}

/** The file with its offset column. */
export function withOffsets({ rows }: BufferFile, offsets: ArrayLike<number>): string {
  return `${rows.map((row, k) => `${row},${k === 0 ? 'offset' : offsets[k - 1]}`).join('\n')}\n`;
}

function bad(file: string, line: number, what: string): TidemarkError {
  return new TidemarkError('file-format', `${file}, line ${line}: ${what}`);
}
