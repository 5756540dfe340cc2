/** Which addresses of a firmware stand for which operator: what boards/plugin/count.c is told, and what it answers. */
import type { ProgramActor } from '../kernels/program.ts';

/** The bucket of the schedule itself: loops, calls, outputs handed over. Actor i has bucket i + 1. */
const SCHEDULE = 0;

export interface Symbol {
  readonly name: string;
  readonly address: number;
  readonly bytes: number;
}

/** Lines of `nm -S` that are code. */
export function readSymbols(text: string): Symbol[] {
  return text.split('\n').flatMap((line) => {
    const match = /^([0-9a-f]+) ([0-9a-f]+) [tTwW] (\S+)/.exec(line);
    // The lowest bit says Thumb.
    return match
      ? [
          {
            name: match[3],
            address: Number.parseInt(match[1], 16) & ~1,
            bytes: Number.parseInt(match[2], 16),
          },
        ]
      : [];
  });
}

/** Marks for the plugin. `outside` are the firmware's own functions. */
export function marksOf(
  symbols: readonly Symbol[],
  actors: readonly ProgramActor[],
  outside: ReadonlySet<string>,
): string {
  const hex = (n: number) => n.toString(16);
  const buckets = new Map(actors.map(({ fn }, i) => [fn, i + 1]));
  const lines = symbols.flatMap(({ name, address, bytes }) => {
    const base = name.replace(/\..*$/, '');
    const bucket = buckets.get(base);
    if (bucket !== undefined) return name === base ? [`entry ${hex(address)} ${bucket}`] : [];
    if (base === 'model_run') return [`range ${hex(address)} ${hex(address + bytes)} ${SCHEDULE}`];
    if (outside.has(base)) return [`outside ${hex(address)} ${hex(address + bytes)}`];
    return [];
  });
  return `${lines.join('\n')}\n`;
}

export interface Counts {
  /** Of one inference, without what the firmware does around it. */
  readonly instructions: number;
  readonly operators: readonly { readonly name: string; readonly instructions: number }[];
}

/** What the plugin wrote. Undefined where its two ways of counting disagree. */
export function readCounts(text: string, actors: readonly ProgramActor[]): Counts | undefined {
  const counts = new Map(
    text
      .trim()
      .split('\n')
      .map((line) => line.split(' '))
      .map(([key, value]) => [key, Number(value)]),
  );
  const total = counts.get('total') ?? 0;
  let sum = 0;
  for (const [key, value] of counts) if (key !== 'total') sum += value;
  if (sum !== total) return undefined;
  const of = (bucket: number) => counts.get(String(bucket)) ?? 0;
  const merged = new Map<string, number>();
  actors.forEach(({ name }, i) => {
    merged.set(name, (merged.get(name) ?? 0) + of(i + 1));
  });
  merged.set('schedule', of(SCHEDULE));
  const operators = [...merged].map(([name, instructions]) => ({ name, instructions }));
  return { instructions: operators.reduce((n, o) => n + o.instructions, 0), operators };
}
