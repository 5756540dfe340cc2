/** The arrival of inputs and the departure of outputs: pixels in as few pieces as the buffer's ring allows. */
import { type Builder, compareIndex, least, minus, modulo, place, plus, times } from './builder.ts';
import type { Run } from './kernel.ts';
import { addressOf, isDense, runsUnbroken, type Site } from './site.ts';

/** Moves the pixels of a run between the caller's port and the arena. */
export function writeTransfer(b: Builder, direction: 'in' | 'out', port: number, site: Site, run: Run): void {
  const pixelBytes = site.channels * site.cellBytes;
  const { lo, hi } = run;
  if (!isDense(site) || (site.ring === undefined && !runsUnbroken(site, run.length))) {
    const chunk = chunkOf(site, run);
    if (chunk > 1) {
      b.for('p', lo, hi, chunk, (p) => {
        const bytes = chunk * pixelBytes;
        b.transfer(direction, port, times(p, pixelBytes), place(site.region, addressOf(site, p)), bytes);
      });
      return;
    }
    b.for('p', lo, hi, 1, (p) => {
      b.transfer(direction, port, times(p, pixelBytes), place(site.region, addressOf(site, p)), pixelBytes);
    });
    return;
  }
  const from = times(lo, pixelBytes);
  const bytes = times(minus(hi, lo), pixelBytes);
  if (runsUnbroken(site, run.length)) {
    b.transfer(direction, port, from, place(site.region, addressOf(site, lo)), bytes);
    return;
  }
  const ring = site.ring!;
  const at = b.let('at', modulo(plus(times(lo, site.stride), site.offset), ring));
  const size = b.let('size', bytes);
  const first = b.let('first', least(size, minus(ring, at)));
  b.transfer(direction, port, from, place(site.region, plus(at, site.base)), first);
  b.if(compareIndex('gt', size, first), () => {
    b.transfer(direction, port, plus(from, first), place(site.region, site.base), minus(size, first));
  });
}

/** Pixels of the largest equal parts of a run that lie side by side. */
function chunkOf(site: Site, run: Run): number {
  if (!isDense(site) || !run.even) return 1;
  const sizes = [site.rows?.pixels, site.pieces && site.pieces.bytes / site.stride];
  const fits = (n: number | undefined): n is number =>
    n !== undefined && n > 1 && run.length % n === 0 && runsUnbroken(site, n);
  return sizes.find(fits) ?? 1;
}
