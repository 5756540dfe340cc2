/** A simulated run in the trace event format, which Chrome's tracing page and Perfetto open. */
import type { PipelineRun } from './pipeline.ts';

export interface TraceEvent {
  readonly name: string;
  /** X: a span of time; M: a name for a row. */
  readonly ph: 'X' | 'M';
  readonly pid: number;
  readonly tid: number;
  /** Microseconds. */
  readonly ts?: number;
  readonly dur?: number;
  readonly cat?: string;
  readonly args?: Readonly<Record<string, string | number>>;
}

export interface Trace {
  readonly displayTimeUnit: 'ns';
  readonly traceEvents: readonly TraceEvent[];
}

/** A process for each stage, a thread for each replica. */
export function traceOf(run: PipelineRun, stageNames: readonly string[]): Trace {
  const events: TraceEvent[] = [];
  run.utilisation.forEach((replicas, stage) => {
    const name = `stage ${stage + 1}: ${stageNames[stage] ?? ''}`;
    events.push({ name: 'process_name', ph: 'M', pid: stage, tid: 0, args: { name } });
    replicas.forEach((_, tid) => {
      events.push({ name: 'thread_name', ph: 'M', pid: stage, tid, args: { name: `replica ${tid + 1}` } });
    });
  });
  for (const v of [...run.visits].sort((a, b) => a.start - b.start || a.stage - b.stage)) {
    const row = { pid: v.stage, tid: v.replica };
    events.push({
      name: `mini-batch ${v.batch}`,
      cat: 'work',
      ph: 'X',
      ...row,
      ts: v.start * 1e6,
      dur: (v.end - v.start) * 1e6,
      args: { batch: v.batch },
    });
    if (v.left > v.end)
      events.push({
        name: 'waiting for room',
        cat: 'blocked',
        ph: 'X',
        ...row,
        ts: v.end * 1e6,
        dur: (v.left - v.end) * 1e6,
      });
  }
  return { displayTimeUnit: 'ns', traceEvents: events };
}
