/**
 * erf(x) to about 1e-15: the Maclaurin series near zero, the continued fraction of erfc (Abramowitz and Stegun,
 * 7.1.5 and 7.1.14) in the tails.
 */
export function errorFunction(x: number): number {
  const a = Math.abs(x);
  if (a < 2.5) return series(x);
  return a > 6 ? Math.sign(x) : Math.sign(x) * (1 - tail(a));
}

function series(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

/** erfc(a) for a >= 2.5. */
function tail(a: number): number {
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (a + fraction);
  return Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + fraction));
}
