/** How elementwise kernels go over a run: as one line where everything lies side by side, else pixel by pixel. */
import { type Builder, type Index, index, load, minus, times } from './builder.ts';
import { type Expr, typeOf } from './ir.ts';
import type { Run, Task } from './kernel.ts';
import { addressOf, elementAt, isDense, runsUnbroken, type Site } from './site.ts';

/** A line of neighbouring elements: `address` of each site where it begins, the channel it begins at, its length. */
export interface Line {
  readonly addresses: readonly Expr[];
  readonly count: Index;
  /** True where element e of the line is channel e. */
  readonly byChannel: boolean;
}

/** Calls `body` for the lines of a run of pixels over sites of one shape. `joined` allows lines of several pixels. */
export function overLines(
  b: Builder,
  sites: readonly Site[],
  run: Run,
  joined: boolean,
  body: (line: Line) => void,
): void {
  const { channels } = sites[0];
  const flat = joined && sites.every((s) => isDense(s) && runsUnbroken(s, run.length));
  if (flat) {
    const addresses = sites.map((s) => b.let('at', addressOf(s, run.lo)));
    const count = run.even ? index(run.length * channels) : times(minus(run.hi, run.lo), channels);
    body({ addresses, count: run.even ? count : b.let('count', count), byChannel: false });
    return;
  }
  b.for('p', run.lo, run.hi, 1, (p) => {
    body({ addresses: sites.map((s) => b.let('at', addressOf(s, p))), count: channels, byChannel: true });
  });
}

/** Elements [0, count) of a line in vectors of `lanes`, then one by one. */
export function overLanes(
  b: Builder,
  count: Index,
  lanes: number,
  body: (e: Expr, lanes: number) => void,
): void {
  if (lanes === 1) {
    b.for('e', 0, count, 1, (e) => body(e, 1));
    return;
  }
  const whole = wholeLanes(b, count, lanes);
  b.for('e', 0, whole, lanes, (e) => body(e, lanes));
  b.for('e', whole, count, 1, (e) => body(e, 1));
}

function wholeLanes(b: Builder, count: Index, lanes: number): Index {
  if (typeof count === 'number') return count - (count % lanes);
  if (count.kind === 'const') return Number(count.value) - (Number(count.value) % lanes);
  return b.let('whole', {
    kind: 'binary',
    type: 'index',
    op: 'sub',
    a: count,
    b: { kind: 'binary', type: 'index', op: 'rem', a: count, b: index(lanes) },
  });
}

/** Copies a run of pixels from one site to another of the same type. */
export function writeCopy({ b, run, machine }: Task, from: Site, to: Site): void {
  overLines(b, [from, to], run, true, ({ addresses: [i, o], count }) => {
    overLanes(b, count, machine.lanes, (e, lanes) => {
      const type = typeOf(from.cell === 'f32' ? 'f32' : 'i32', lanes);
      b.store(to.cell, elementAt(to, o, e), load(type, from.cell, elementAt(from, i, e)));
    });
  });
}
