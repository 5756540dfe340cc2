/** Reads plan files. What is in one is checked against the schema; whether it is right is the checker's to say. */
import { TidemarkError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import { fingerprint } from '../plan/fingerprint.ts';
import { type Plan, planSchema } from '../plan/plan.ts';
import { readChecked } from './model-files.ts';

export function readPlan(file: string, graph: Graph): Plan {
  const text = new TextDecoder().decode(readChecked(file, file));
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new TidemarkError('plan-invalid', `${file}: this is no JSON, so no plan`);
  }
  const parsed = parsedPlan(file, json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue.path.length > 0 ? issue.path.join('.') : 'the document';
    throw new TidemarkError(
      'plan-invalid',
      `${file}: this is no plan of version 1: ${where}: ${issue.message}`,
    );
  }
  if (parsed.data.model.fingerprint !== fingerprint(graph)) {
    throw new TidemarkError(
      'plan-invalid',
      `${file}: the plan was made for another model (${parsed.data.model.name}) or other shapes than ${graph.name}`,
    );
  }
  return parsed.data;
}

function parsedPlan(file: string, json: unknown): ReturnType<typeof planSchema.safeParse> {
  try {
    return planSchema.safeParse(json);
  } catch (error) {
    // A schedule nested so deeply that following it overflows the stack.
    if (error instanceof RangeError)
      throw new TidemarkError('plan-invalid', `${file}: its schedule is nested too deeply`);
    throw error;
  }
}
