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
    ...(bank ? banksDocument(compiled, bank) : {}),
    ...(fits ? {} : { smallestBytes: arenaBytes, smallestMacOverhead: macOverhead }),
    accounting,
    spans: plan.spans,
    files,
  };
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
