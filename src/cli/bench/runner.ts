import type { StopDocument } from '../bounded.ts';

/** Something that is timed: made ready once, then run as often as asked. */
export interface Runner {
  readonly runtime: string;
  /** How the plan was made; null for other runtimes. */
  readonly plan: string | null;
  readonly arenaBytes: number | null;
  /** What ended the search for the plan early. */
  readonly stop?: StopDocument;
  /** Runs `times` times and gives the milliseconds of each. */
  time(times: number): Promise<readonly number[]> | readonly number[];
  /** Processor time of a run, of those timed last; undefined where this process did them. */
  cpuMs?(): number | undefined;
}

export interface Timing {
  readonly medianMs: number;
  readonly minMs: number;
  /** Processor time of a run, whatever else the machine does: the median over turns. */
  readonly cpuMs: number;
  readonly runs: number;
}

export interface MeasureOptions {
  /** Turns in which every runner runs for about `turnMs`. */
  readonly turns: number;
  readonly turnMs: number;
  onTurn?(done: number): void;
}

/** Time that each gets before the first turn, so that engines have compiled what is hot. */
const WARM_UP_MS = 1500;

/**
 * Times runners in turns, one after another, so that what else the machine does meets all of them. Gives the times
 * in the order of the runners.
 */
export async function measure(runners: readonly Runner[], options: MeasureOptions): Promise<Timing[]> {
  const each = await warmUp(runners, options.turnMs);
  const times: number[][] = runners.map(() => []);
  const cpu: number[][] = runners.map(() => []);
  for (let turn = 0; turn < options.turns; turn++) {
    for (const [i, runner] of runners.entries()) {
      const before = process.cpuUsage();
      times[i].push(...(await runner.time(each[i])));
      const { user, system } = process.cpuUsage(before);
      cpu[i].push(runner.cpuMs?.() ?? (user + system) / 1000 / each[i]);
    }
    options.onTurn?.((turn + 1) / options.turns);
  }
  return times.map((t, i) => ({ ...summary(t), cpuMs: median(cpu[i]) }));
}

/** Runs of each that fill a turn. */
async function warmUp(runners: readonly Runner[], turnMs: number): Promise<number[]> {
  const runs: number[] = [];
  for (const runner of runners) {
    let spent = 0;
    let each = 1;
    let fill = 1;
    while (spent < WARM_UP_MS) {
      const times = await runner.time(each);
      // The first runs of a kind are slow, and a clock may be coarse.
      const ms = Math.max(median(times), 1e-3);
      spent += Math.max(
        times.reduce((n, t) => n + t, 0),
        1,
      );
      fill = Math.max(1, Math.min(1000, Math.round(turnMs / ms)));
      each = Math.min(2 * each, fill);
    }
    runs.push(fill);
  }
  return runs;
}

function summary(times: readonly number[]): Omit<Timing, 'cpuMs'> {
  return { medianMs: median(times), minMs: Math.min(...times), runs: times.length };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
