/**
 * The one plan type. A plan is a firing sequence plus an address for everything that is live; it is JSON, and
 * with the model's graph it is all that a checker, an executor or an emitter needs.
 */
import { z } from 'zod';

export const PLAN_VERSION = 1;

/** `actor` once, or `[times, ...body]`: the loop-compressed firing sequence. */
export type ScheduleNode = number | readonly [number, ...ScheduleNode[]];

const scheduleNode: z.ZodType<ScheduleNode> = z.lazy(() =>
  z.union([
    z.int().min(0),
    z.tuple([z.int().min(1)]).rest(scheduleNode) as unknown as z.ZodType<ScheduleNode>,
  ]),
);

const bytes = z.int().min(0);

/** Something that fires: an operator, the arrival of an input, or the departure of an output. */
export const planActor = z.object({
  kind: z
    .enum(['source', 'operator', 'sink'])
    .meta({ description: 'operator of the graph, input port or output port' }),
  index: z.int().min(0).meta({ description: 'operator id, or port index' }),
  name: z.string(),
  run: z.int().min(1).meta({
    description:
      'pixels a firing writes; the last firing may write fewer. A fold: pixels of input 0 it reads',
  }),
  fold: z
    .boolean()
    .optional()
    .meta({ description: 'consumes input 0 run by run and writes its output in the last firing' }),
  scratch: z
    .int()
    .min(0)
    .optional()
    .meta({ description: 'buffer that holds its working memory or fold state' }),
});

export const planBuffer = z.object({
  name: z.string(),
  tensor: z
    .int()
    .min(0)
    .optional()
    .meta({ description: 'root tensor that lies here; left out for working memory' }),
  bank: z.string().meta({ description: 'memory bank; "external" is outside the arena' }),
  offset: bytes.meta({ description: 'bytes from the start of its bank' }),
  bytes: bytes.meta({ description: 'size' }),
  ring: z.int().min(1).optional().meta({
    description: 'elements in the ring: element e lies at e modulo this. Left out: the whole tensor',
  }),
});

export const planSchema = z
  .object({
    format: z.literal('tidemark-plan'),
    version: z.literal(PLAN_VERSION),
    model: z.object({
      name: z.string(),
      fingerprint: z.string().meta({ description: 'of the normalised graph; a plan fits that graph only' }),
    }),
    copies: z
      .array(z.object({ operator: z.int().min(0), input: z.int().min(0) }))
      .meta({ description: 'concat parts that are copied into place although they could be written there' }),
    policy: z.object({
      input: z.enum(['reuse', 'keep', 'external', 'streamed']),
      output: z.enum(['whole', 'streamed']),
    }),
    arenaBytes: bytes,
    actors: z.array(planActor),
    buffers: z.array(planBuffer),
    schedule: z.array(scheduleNode).meta({ description: 'actor index, or [times, ...body]' }),
    spans: z
      .array(
        z.object({
          first: z.string(),
          last: z.string(),
          mode: z.enum(['whole', 'rows', 'pixels']),
          operators: z.int().min(1),
          arenaBytes: bytes.meta({ description: "live bytes at this span's worst moment" }),
        }),
      )
      .meta({ description: 'how the plan came about: runs of operators and the way each is executed' }),
  })
  .meta({ id: 'tidemark-plan-v1', title: 'Tidemark plan, version 1' });

export type Plan = Readonly<z.infer<typeof planSchema>>;
export type PlanActor = Readonly<z.infer<typeof planActor>>;
export type PlanBuffer = Readonly<z.infer<typeof planBuffer>>;
export type Policy = Plan['policy'];
export type Span = Plan['spans'][number];

/** Bank of buffers that lie outside the arena. */
export const EXTERNAL = 'external';
/** Bank of the arena where a device has only one. */
export const ARENA = 'arena';
