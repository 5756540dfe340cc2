/** One worker under watch: it is killed where a case takes too long or too much memory, and another goes on behind it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Done, Job, Report } from './protocol.ts';

/** Processor time of one case, and wall time where it only waits. */
const MOST_CPU_SECONDS = 10;
const MOST_WALL_SECONDS = 60;
const MOST_RESIDENT_BYTES = 1.5 * 2 ** 30;
/** A batch of networks in C is compiled at once. */
const MOST_COMPILE_SECONDS = 180;

export interface Listener {
  done(job: Job, done: Done, phase: string): void;
  ran(counts: Readonly<Record<string, number>>): void;
}

/** Processor seconds and resident bytes of a process, from /proc; zero where there is none. */
function usageOf(pid: number): { cpuSeconds: number; residentBytes: number } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    return { cpuSeconds: ticks / 100, residentBytes: Number(fields[21]) * 4096 };
  } catch {
    return { cpuSeconds: 0, residentBytes: 0 };
  }
}

/** Runs one job to its end, whatever that takes. Resolves with false where the worker is gone. */
export class Watched {
  readonly #listener: Listener;
  #child: ChildProcess;
  #job: Job | undefined;
  #seed = 0;
  #phase = '';
  #kind = '';
  #startedCpu = 0;
  #startedAt = 0;
  #over: (() => void) | undefined;
  #killed = '';

  constructor(listener: Listener) {
    this.#listener = listener;
    this.#child = this.#spawned();
    setInterval(() => this.#look(), 250).unref();
  }

  /** Resolves when all its cases have been reported. */
  async run(job: Job): Promise<void> {
    this.#job = job;
    await new Promise<void>((over) => {
      this.#over = over;
      this.#child.stdin!.write(`${JSON.stringify(job)}\n`);
    });
    this.#job = undefined;
  }

  stop(): void {
    this.#over = undefined;
    this.#killed = 'stopped';
    this.#child.kill('SIGKILL');
  }

  #spawned(): ChildProcess {
    const worker = join(import.meta.dirname, 'worker.js');
    const child = spawn(process.execPath, ['--max-old-space-size=1024', worker], {
      stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    });
    let last = '';
    child.stderr!.on('data', (text) => {
      last = String(text).slice(-400);
    });
    createInterface({ input: child.stdio[3] as NodeJS.ReadableStream }).on('line', (line) => {
      if (child === this.#child) this.#hear(JSON.parse(line) as Report);
    });
    child.on('exit', (code, signal) => {
      if (child !== this.#child || this.#killed === 'stopped') return;
      this.#gone(this.#killed || `the worker died (${signal ?? code}) ${last}`);
    });
    this.#killed = '';
    return child;
  }

  #hear(report: Report): void {
    if ('start' in report) {
      this.#seed = report.start;
      this.#kind = '';
      this.#startedAt = performance.now();
      this.#startedCpu = usageOf(this.#child.pid!).cpuSeconds;
    }
    if ('phase' in report && report.phase) this.#phase = report.phase;
    if ('kind' in report && report.kind) this.#kind = report.kind;
    if ('done' in report) this.#listener.done(this.#job!, report.done, this.#phase);
    if ('ran' in report) this.#listener.ran(report.ran);
    if ('idle' in report) this.#over?.();
  }

  #look(): void {
    if (!this.#job || this.#killed) return;
    const { cpuSeconds, residentBytes } = usageOf(this.#child.pid!);
    const wall = (performance.now() - this.#startedAt) / 1000;
    const compiling = this.#phase === 'in C';
    if (residentBytes > MOST_RESIDENT_BYTES)
      this.#kill(`${(residentBytes / 2 ** 30).toFixed(1)} GiB of memory`);
    else if (!compiling && cpuSeconds - this.#startedCpu > MOST_CPU_SECONDS)
      this.#kill(`more than ${MOST_CPU_SECONDS} s of processor time`);
    else if (wall > (compiling ? MOST_COMPILE_SECONDS : MOST_WALL_SECONDS))
      this.#kill(`${wall.toFixed(0)} s without an end`);
  }

  #kill(why: string): void {
    this.#killed = why;
    this.#child.kill('SIGKILL');
  }

  /** Reports the case that it died of, and goes on behind it. */
  #gone(why: string): void {
    const job = this.#job;
    const seconds = (performance.now() - this.#startedAt) / 1000;
    this.#child = this.#spawned();
    if (!job) return;
    const [seed, phase] = [this.#seed, this.#phase];
    this.#listener.done(
      job,
      { seed, kind: this.#kind, outcome: 'finding', finding: `${phase}: ${why}`, seconds },
      phase,
    );
    const rest: Job =
      'seeds' in job ? { ...job, seeds: job.seeds.filter((s) => s > seed) } : { from: seed + 1, to: job.to };
    const left = 'seeds' in rest ? rest.seeds.length > 0 : rest.from < rest.to && phase !== 'in C';
    if (!left) {
      this.#over?.();
      return;
    }
    this.#job = rest;
    this.#child.stdin!.write(`${JSON.stringify(rest)}\n`);
  }
}
