/** A set of what has been done, as a text: searches over orders look up the sets that they have seen by it. */

/** Equal for equal sets only. `done` has a 1 or a 0 for each member; fifteen of them make a character. */
export function doneKey(done: Uint8Array): string {
  let key = '';
  for (let i = 0; i < done.length; i += 15) {
    let bits = 0;
    for (let k = 0; k < 15 && i + k < done.length; k++) bits |= done[i + k] << k;
    key += String.fromCharCode(bits);
  }
  return key;
}
