/**
 * The one plan type. A plan is a firing sequence plus an address for everything that is live; it is JSON, and
 * with the model's graph it is all that a checker, an executor or an emitter needs.
 */
import { z } from 'zod';
import { tilingSchema } from '../passes/1-restructure/tiling.ts';

export const PLAN_VERSION = 1;

/** `actor` once, or `[times, ...body]`: the loop-compressed firing sequence. */
export type ScheduleNode = number | readonly [number, ...ScheduleNode[]];

const count = z.int().min(0);
const atLeastOne = z.int().min(1);

const scheduleNode: z.ZodType<ScheduleNode> = z
  .lazy(() =>
    z.union([count, z.tuple([atLeastOne]).rest(scheduleNode) as unknown as z.ZodType<ScheduleNode>]),
  )
  .meta({
    id: 'scheduleNode',
    description: 'an actor (an address, in a list of pieces), or [times, ...body]',
  });

/** Something that fires: an operator, the arrival of an input, or the departure of an output. */
export const planActor = z.object({
  kind: z
    .enum(['source', 'operator', 'sink'])
    .describe('the arrival of an input, an operator, or the departure of an output'),
  index: count.describe('input port, operator or output port of the graph'),
  name: z.string().describe('for people'),
  run: atLeastOne.describe(
    'pixels that a firing writes (a fold or a sink: reads); the last firing has what is left',
  ),
  fold: z
    .boolean()
    .optional()
    .describe('consumes input 0 run by run, and writes its output in the last firing'),
  scratch: count.optional().describe('buffer of its working memory or of its fold state'),
  staged: count
    .optional()
    .describe(
      'buffer that a firing writes its run into; it is copied to its place once the reads of the firing are over',
    ),
  reverse: z
    .boolean()
    .optional()
    .describe('runs fire from the last to the first: what is read and written walks down in memory'),
});

export const planBuffer = z.object({
  name: z.string().describe('for people'),
  tensor: count.optional().describe('root tensor that lies here; left out for working memory'),
  bank: z
    .string()
    .describe(
      'memory bank by its name ("arena" where the plan has one only), or "external" for what lies outside them',
    ),
  offset: count.describe('bytes from the start of the bank'),
  bytes: count.describe('size'),
  ring: atLeastOne
    .optional()
    .describe('elements of the ring: element e lies at e modulo this. Left out: the whole tensor is here'),
  pieces: z
    .object({
      elements: atLeastOne.describe('elements of each piece but the last, which has what is left'),
      offsets: z
        .array(scheduleNode)
        .describe('bytes from the offset of the buffer to each piece, repeats folded as in a schedule'),
    })
    .optional()
    .describe('rows placed one by one: every piece of the tensor has an address of its own'),
});

const planSpan = z.object({
  first: z.string().describe('name of the first actor'),
  last: z.string().describe('name of the last actor'),
  mode: z
    .enum(['whole', 'rows', 'pixels', 'singles'])
    .describe(
      'one operator by itself, or several that fire in turn: by rows, by pixels where that is less, or by rows that are placed one by one',
    ),
  operators: atLeastOne.describe('actors in the span'),
  arenaBytes: count.describe("live bytes at the span's worst moment"),
  instead: z
    .object({ whole: count, rows: count, pixels: count, singles: count })
    .partial()
    .optional()
    .describe('what its operators would need at their worst moment if they ran otherwise'),
});

export const planSchema = z
  .object({
    format: z.literal('tidemark-plan'),
    version: z.literal(PLAN_VERSION),
    model: z.object({
      name: z.string().describe('for people'),
      fingerprint: z.string().describe('of the normalised graph; a plan fits that graph only'),
    }),
    tiles: tilingSchema
      .optional()
      .describe('regions of the graph that are computed tile by tile; left out: none'),
    copies: z
      .array(z.object({ operator: count, input: count }))
      .describe('parts of concats that are copied into place although they could be written there'),
    policy: z.object({
      input: z.enum(['reuse', 'keep', 'external', 'streamed']).describe('what may happen to the inputs'),
      output: z.enum(['whole', 'streamed']).describe('whether the outputs stand in the arena at the end'),
    }),
    arenaBytes: count.describe('size of the arena'),
    banks: z
      .array(z.object({ name: z.string().min(1), bytes: count.describe('what the plan takes of it') }))
      .min(1)
      .optional()
      .describe(
        'memory banks of the device, the arena first; left out: the arena is the only one, named "arena"',
      ),
    actors: z.array(planActor),
    buffers: z.array(planBuffer),
    schedule: z.array(scheduleNode).describe('the firings, one after another, repeats folded into loops'),
    spans: z
      .array(planSpan)
      .describe('how the plan came about; nothing that runs or proves a plan reads this'),
  })
  .meta({ title: 'Tidemark plan, version 1' });

export type Plan = Readonly<z.infer<typeof planSchema>>;
export type PlanActor = Readonly<z.infer<typeof planActor>>;
export type PlanBuffer = Readonly<z.infer<typeof planBuffer>>;
export type Policy = Plan['policy'];
export type Span = Plan['spans'][number];

/** Bank of buffers that lie outside the arena. */
export const EXTERNAL = 'external';
/** Bank of the arena where a device has only one. */
export const ARENA = 'arena';

/** The banks of a plan, the arena first. */
export function banksOf({
  banks,
  arenaBytes,
}: Pick<Plan, 'banks' | 'arenaBytes'>): NonNullable<Plan['banks']> {
  return banks ?? [{ name: ARENA, bytes: arenaBytes }];
}
