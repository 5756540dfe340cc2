import { expect, test } from 'vitest';
import { doneKey } from './done-key.ts';

test('sets have the same key only where they are the same', () => {
  const keys = new Set<string>();
  for (let set = 0; set < 2 ** 9; set++) {
    // Spread over more than one character.
    const done = new Uint8Array(33);
    for (let k = 0; k < 9; k++) done[4 * k] = (set >> k) & 1;
    keys.add(doneKey(done));
    expect(doneKey(done.slice())).toBe(doneKey(done));
  }
  expect(keys.size).toBe(2 ** 9);
  expect(doneKey(new Uint8Array(0))).toBe('');
});
