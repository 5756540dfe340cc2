/**
 * Staggered asynchronous pipelines (STAP, Gondimalla et al., section 3.4): the stages that hold a pipeline up are
 * replicated, and mini-batches go to the replicas in turn, each a share of the stage's time after the one before. The
 * partition stays as it is.
 */

/** Replicas with which no stage takes longer than the period: r_i = ceil(t_i / T). */
export function replicasForPeriod(seconds: readonly number[], period: number): number[] {
  // A quotient that is whole but for rounding is whole.
  return seconds.map((t) => Math.max(1, Math.ceil(t / period - 1e-9)));
}

/** Replicas for so many chips: the next always goes to the stage with the largest t_i / r_i. */
export function replicasForChips(seconds: readonly number[], chips: number): number[] {
  const replicas = seconds.map(() => 1);
  for (let left = chips - seconds.length; left > 0; left--) {
    let worst = 0;
    for (let i = 1; i < seconds.length; i++)
      if (seconds[i] / replicas[i] > seconds[worst] / replicas[worst]) worst = i;
    replicas[worst]++;
  }
  return replicas;
}

export interface StapFigures {
  /** Time between mini-batches in the steady state: max of t_i / r_i. */
  readonly periodSeconds: number;
  /** Mini-batches a second: 1 / period. */
  readonly throughput: number;
  /** From when a mini-batch enters to when it is done, nothing in its way: the sum of t_i. */
  readonly latencySeconds: number;
  readonly chips: number;
}

export function stapFigures(seconds: readonly number[], replicas: readonly number[]): StapFigures {
  const periodSeconds = Math.max(...seconds.map((t, i) => t / replicas[i]));
  return {
    periodSeconds,
    throughput: 1 / periodSeconds,
    latencySeconds: seconds.reduce((a, b) => a + b, 0),
    chips: replicas.reduce((a, b) => a + b, 0),
  };
}
