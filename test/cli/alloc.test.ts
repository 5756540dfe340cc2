/** `tidemark alloc` as a user runs it. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tidemark, tidemarkJson } from './tidemark.ts';

let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidemark-alloc-'));
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string): string {
  const full = path.join(folder, name);
  fs.writeFileSync(full, content);
  return full;
}

const EXAMPLE = 'id,lower,upper,size\nb1,0,3,4\nb2,3,9,4\nb3,0,9,4\nb4,9,21,4\nb5,0,21,4\n';

describe('tidemark alloc', () => {
  it('finds the lowest height, proves it, and writes the offsets', () => {
    const out = path.join(folder, 'out.csv');
    const found = tidemarkJson(['alloc', file('a.csv', EXAMPLE), '-o', out]);
    expect(found).toMatchObject({ height: 12, lowerBound: 12, optimal: true });
    expect(Object.keys(found.offsets)).toEqual(['b1', 'b2', 'b3', 'b4', 'b5']);
    const lines = fs.readFileSync(out, 'utf8').trim().split('\n');
    expect(lines[0]).toBe('id,lower,upper,size,offset');
    expect(lines[3]).toBe(`b3,0,9,4,${found.offsets.b3}`);
  });

  it('with a capacity: 0 where it fits, 1 where it cannot, and says which', () => {
    const name = file('b.csv', EXAMPLE);
    expect(tidemarkJson(['alloc', name, '--capacity', '12'])).toMatchObject({ fits: true });
    const not = tidemarkJson(['alloc', name, '--capacity', '11'], { status: 1 });
    expect(not).toMatchObject({ fits: false, impossible: true });
    expect(tidemark(['alloc', name, '--capacity', '11']).stdout).toContain('proven impossible');
  });

  it('takes columns in any order, an inclusive end, alignment, fixed offsets', () => {
    const name = file(
      'c.csv',
      'size,buffer,end,start,alignment,offset\n10,a,2,0,8,\n5,b,2,0,4,0\n6,c,5,3,1,\n',
    );
    expect(tidemarkJson(['alloc', name])).toMatchObject({
      height: 18,
      offsets: { a: 8, b: 0 },
      optimal: true,
    });
  });

  it.each([
    ['', 'line 1: expected a header'],
    [
      'id,lower,size\n',
      'line 1: expected a header with the columns id, lower, upper, size; upper is missing',
    ],
    ['id,lower,upper,size\na,0,3,x\n', "line 2: size must be a whole number from 0 to 137438953472, got 'x'"],
    ['id,lower,upper,size\na,0,3\n', "line 2: expected 4 fields, got 3 in 'a,0,3'"],
    ['id,lower,upper,size\na,5,3,1\n', 'line 2: upper (3) must not be below lower (5)'],
    ['id,lower,upper,size\na,0,3,1\na,0,3,1\n', "line 3: the id 'a' is already that of line 2"],
    ['id,lower,upper,size,gaps\na,0,3,1,\n', 'line 1: the column gaps is not supported'],
  ])('refuses %j in one line', (content, message) => {
    const { status, stdout, stderr } = tidemark(['alloc', file('bad.csv', content)]);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
