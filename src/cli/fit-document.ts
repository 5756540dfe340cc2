/** The JSON of `fit` and `check`. */
import type { Compiled } from '../compile.ts';
import type { BankRequest, Shortfall } from '../fit/banks.ts';
import type { Plan } from '../plan/plan.ts';
import { planTraffic } from '../plan/traffic.ts';
import type { StoppedBy } from './interrupt.ts';
import type { BoardReport } from './options/board.ts';
import type { TargetOutput } from './targets.ts';

export interface FitDocument {
  readonly model: string;
  readonly ramBudgetBytes: number | null;
  readonly fits: boolean;
  readonly arenaBytes: number;
  readonly scratchBytes: number;
  readonly macs: number;
  readonly macOverhead: number;
  readonly lowerBoundBytes: number;
  readonly optimal: boolean;
  readonly checked: boolean;
  /** Firings of a run, and what storing their order takes: entries of its loops, and bytes. */
  readonly firings: number;
  readonly scheduleEntries: number;
  readonly scheduleBytes: number;
  /** With fits false: the smallest arena there is, and what it costs. */
  readonly smallestBytes?: number;
  readonly smallestMacOverhead?: number;
  readonly accounting: string;
  readonly spans: Plan['spans'];
  /** With --bank: what each bank holds and what a run moves in it. */
  readonly banks?: readonly (BankRequest & {
    readonly usedBytes: number;
    readonly readBytes: number;
    readonly writtenBytes: number;
  })[];
  /** With --bank and fits false: the bank that does not suffice, and what it would have to hold. */
  readonly shortfall?: Shortfall;
  /** With --board: the part. `fits` then wants the constants in its flash too. */
  readonly board?: BoardReport;
  /** Figures of each target that was asked for. */
  readonly targets?: Readonly<Record<string, TargetOutput['figures']>>;
  readonly files: readonly string[];
  /** Ctrl-C ended the search: the plan is the best that it had found. */
  readonly interrupted?: true;
  /** What ended the search early: Ctrl-C, --time-limit or --memory-limit. */
  readonly stoppedBy?: StoppedBy;
}

/** What the document is made of, beside the plan. */
interface Asked {
  readonly model: string;
  readonly budgetBytes?: number;
  readonly bank?: readonly BankRequest[];
  readonly accounting: string;
  readonly board?: BoardReport;
  /** What was written. */
  readonly files: readonly string[];
}

export function documentOf(compiled: Compiled, asked: Asked): FitDocument {
  const { model, budgetBytes, bank, accounting, board, files } = asked;
  const { plan, fits, arenaBytes, scratchBytes, macs, macOverhead, lowerBoundBytes, optimal, checked } =
    compiled;
  const { firings, scheduleEntries, scheduleBytes } = compiled;
  return {
    model,
    ramBudgetBytes: budgetBytes ?? null,
    fits:
      fits &&
      (board?.flashFits ?? true) &&
      arenaBytes <= (board ? board.ramBytes - board.reservedBytes : Number.POSITIVE_INFINITY),
    ...(board ? { board } : {}),
    arenaBytes,
    scratchBytes,
    macs,
    macOverhead,
    lowerBoundBytes,
    optimal,
    checked,
    firings,
    scheduleEntries,
    scheduleBytes,
    ...(bank ? banksDocument(compiled, bank) : {}),
    ...(fits ? {} : { smallestBytes: arenaBytes, smallestMacOverhead: macOverhead }),
    accounting,
    spans: spansWithin(plan),
    files,
  };
}

/**
 * The spans, none of which needs more than there is: they are chosen by live bytes with whole tensors at their ends, and
 * addresses may do better, as where a single operator chases its input.
 */
function spansWithin({ arenaBytes, banks, spans }: Plan): Plan['spans'] {
  const all = banks?.reduce((n, bank) => n + bank.bytes, 0) ?? arenaBytes;
  return spans.map((span) => ({ ...span, arenaBytes: Math.min(span.arenaBytes, all) }));
}

/** What each bank holds and what a run moves in it; or what is missing. */
function banksDocument(
  { graph, plan, fits, shortfall }: Compiled,
  banks: readonly BankRequest[],
): Pick<FitDocument, 'banks' | 'shortfall'> {
  if (!fits) return { shortfall };
  const traffic = planTraffic(graph, plan);
  return {
    banks: banks.map((bank) => {
      const { bytes, readBytes, writtenBytes } = traffic.find((t) => t.name === bank.name)!;
      return { ...bank, usedBytes: bytes, readBytes, writtenBytes };
    }),
  };
}
