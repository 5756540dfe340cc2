/**
 * The most stack that a program without recursion can take: frames from GCC's call graphs (-fcallgraph-info=su), and
 * from the disassembly for library functions that have none.
 */
import { TidemarkError } from '../errors.ts';

export interface StackFunction {
  /** Bytes of its own frame. */
  readonly frameBytes: number;
  readonly calls: readonly string[];
  /** Calls through a pointer. */
  readonly indirect: boolean;
}

/** The functions of one `.ci` file. Static functions are named `file:function` there; the name alone is kept. */
export function readCallGraph(text: string, into: Map<string, StackFunction>): void {
  const last = (title: string) => title.slice(title.lastIndexOf(':') + 1);
  const frames = new Map<string, number>();
  const calls = new Map<string, Set<string>>();
  for (const line of text.split('\n')) {
    const node = /^node: \{ title: "([^"]+)" label: "[^"]*?\\n(\d+) bytes \(([a-z,]+)\)/.exec(line);
    if (node) {
      if (node[3] !== 'static')
        throw new TidemarkError('internal', `${last(node[1])}: its stack frame is ${node[3]}, not static`);
      frames.set(last(node[1]), Number(node[2]));
    }
    const edge = /^edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"/.exec(line);
    if (edge) {
      const from = last(edge[1]);
      if (!calls.has(from)) calls.set(from, new Set());
      calls.get(from)!.add(last(edge[2]));
    }
  }
  for (const [name, frameBytes] of frames) {
    const targets = [...(calls.get(name) ?? [])];
    into.set(name, {
      frameBytes,
      calls: targets.filter((t) => t !== '__indirect_call'),
      indirect: targets.includes('__indirect_call'),
    });
  }
}

/**
 * `objdump -d`: calls of every function, as the compiler itself calls libraries too; and frames of those that the map
 * does not have: what they push and subtract, all at once. Names are looked up by address, as objdump also prints
 * names of numbers.
 */
export function readDisassembly(
  text: string,
  symbols: readonly { readonly name: string; readonly address: number }[],
  into: Map<string, StackFunction>,
): void {
  const names = new Map<number, string>();
  // Of several names for one address the one that has a frame counts.
  for (const { name, address } of symbols)
    if (!names.has(address) || into.has(name)) names.set(address, name);
  let name: string | undefined;
  let frameBytes = 0;
  let calls: string[] = [];
  const close = () => {
    if (name === undefined) return;
    const known = into.get(name);
    into.set(name, {
      frameBytes: known?.frameBytes ?? frameBytes,
      calls: [...new Set([...(known?.calls ?? []).filter((c) => into.has(c)), ...calls])],
      indirect: known?.indirect ?? false,
    });
  };
  for (const line of text.split('\n')) {
    const head = /^([0-9a-f]+) <[^>]+>:/.exec(line);
    const begins = head && names.get(Number.parseInt(head[1], 16));
    if (begins) {
      close();
      name = begins;
      frameBytes = 0;
      calls = [];
      continue;
    }
    const code = line.split('\t').slice(2).join(' ');
    frameBytes += pushedBytes(code);
    const branch = /^(?:bl?x?(?:eq|ne|cs|cc|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)?(?:\.[wn])?)\s+([0-9a-f]+) </.exec(
      code,
    );
    const target = branch && names.get(Number.parseInt(branch[1], 16));
    if (target && target !== name) calls.push(target);
  }
  close();
}

function pushedBytes(code: string): number {
  const list = /^(?:v?push|stmdb\s+sp!,)(?:\.w)?\s*\{([^}]+)\}/.exec(code);
  if (list) return registers(list[1]) * (code.startsWith('vpush') && list[1].includes('d') ? 8 : 4);
  const subtracted = /^sub(?:\.w|w)?\s+sp, (?:sp, )?#(\d+)/.exec(code);
  if (subtracted) return Number(subtracted[1]);
  const stored = /^str(?:d)?(?:\.w)?\s+.*\[sp, #-(\d+)\]!/.exec(code);
  return stored ? Number(stored[1]) : 0;
}

function registers(list: string): number {
  const number: Readonly<Record<string, number>> = { sl: 10, fp: 11, ip: 12, sp: 13, lr: 14, pc: 15 };
  const of = (r: string) => number[r] ?? Number(r.slice(1));
  return list
    .split(',')
    .map((part) => part.trim().split('-'))
    .reduce((sum, [first, last]) => sum + (last === undefined ? 1 : of(last) - of(first) + 1), 0);
}

export interface StackBound {
  readonly bytes: number;
  /** The deepest chain of calls. */
  readonly path: readonly string[];
}

/** Bytes of the deepest chain from a function. `through` are the functions that pointers may lead to. */
export function stackBound(
  functions: ReadonlyMap<string, StackFunction>,
  root: string,
  through: readonly string[],
): StackBound {
  const done = new Map<string, StackBound>();
  const open = new Set<string>();
  const visit = (name: string): StackBound => {
    const before = done.get(name);
    if (before) return before;
    const fn = functions.get(name);
    if (!fn) throw new TidemarkError('internal', `the stack of ${name} is not known`);
    if (open.has(name)) throw new TidemarkError('internal', `${name} calls itself: its stack has no bound`);
    open.add(name);
    let deepest: StackBound = { bytes: 0, path: [] };
    for (const target of [...fn.calls, ...(fn.indirect ? through : [])]) {
      const below = visit(target);
      if (below.bytes > deepest.bytes) deepest = below;
    }
    open.delete(name);
    const bound = { bytes: fn.frameBytes + deepest.bytes, path: [name, ...deepest.path] };
    done.set(name, bound);
    return bound;
  };
  return visit(root);
}
