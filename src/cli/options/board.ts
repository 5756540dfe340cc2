/** `--board NAME` of `fit` and `check`: a real part's RAM as the budget, and its flash for the constants. */
import type { Command } from 'commander';
import { type Part, partOf, parts } from '../../boards/parts.ts';
import { TidemarkError } from '../../errors.ts';
import { parseBudget, parseSize } from './size.ts';

export interface BoardOptions {
  readonly ram?: string;
  readonly board?: string;
  readonly reserve: number;
}

/** What the JSON says of the part. */
export interface BoardReport {
  readonly name: string;
  readonly title: string;
  readonly core: string;
  readonly flashBytes: number;
  readonly ramBytes: number;
  readonly reservedBytes: number;
  /** Constants of the model; code comes on top. */
  readonly weightBytes: number;
  readonly flashFits: boolean;
  readonly source: string;
}

export interface Budget {
  /** Left out: the smallest arena there is. */
  readonly budgetBytes?: number;
  readonly part?: Part;
}

export function withBoard(command: Command): Command {
  return command
    .option(
      '--board <name>',
      `a part's RAM instead of --ram, and its flash for the constants: ${parts.map((p) => p.name).join(', ')}`,
    )
    .option(
      '--reserve <size>',
      'with --board: RAM for stack and all else than the arena',
      (t) => parseSize(t, '--reserve'),
      1024,
    );
}

/** The budget that `--ram` or `--board` gives. With both, `--ram` is the budget, and the part says what there is. */
export function budgetOf({ ram, board, reserve }: BoardOptions): Budget {
  const part = board === undefined ? undefined : requirePart(board);
  const asked = ram === undefined ? undefined : parseBudget(ram, '--ram');
  if (!part) return { budgetBytes: asked };
  const most = part.ramBytes - reserve;
  if (most < 1)
    throw new TidemarkError(
      'usage',
      `--reserve ${reserve}: ${part.title} has ${part.ramBytes} bytes of RAM; give less`,
    );
  return { part, budgetBytes: ram === undefined ? most : asked && Math.min(asked, most) };
}

/** The figures of a part, for a model whose constants take so many bytes. */
export function boardReport(part: Part, reserve: number, weightBytes: number): BoardReport {
  const { name, title, core, flashBytes, ramBytes, source } = part;
  const flashFits = weightBytes <= flashBytes;
  return { name, title, core, flashBytes, ramBytes, reservedBytes: reserve, weightBytes, flashFits, source };
}

function requirePart(name: string): Part {
  const part = partOf(name);
  if (part) return part;
  const names = parts.map((p) => p.name).join(', ');
  throw new TidemarkError('usage', `--board expects one of ${names}; got '${name}'`);
}
