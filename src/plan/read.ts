/** The text of a plan file. What is in it is checked against the schema; whether it is right is the checker's to say. */
import { TidemarkError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import { withinLimit } from '../limits.ts';
import { fingerprint } from './fingerprint.ts';
import { type Plan, planSchema } from './plan.ts';

/** `file` is what messages call it. Throws `plan-invalid`. */
export function parsePlan(text: string, file: string, graph: Graph): Plan {
  const depth = depthOf(text);
  withinLimit('nesting', depth, 'plan-invalid', `${file}: lists stand ${depth} deep in each other`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new TidemarkError('plan-invalid', `${file}: this is no JSON, so no plan`);
  }
  const parsed = planSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue.path.length > 0 ? issue.path.join('.') : 'the document';
    throw new TidemarkError(
      'plan-invalid',
      `${file}: this is no plan of version 1: ${where}${/received undefined$/.test(issue.message) ? ' is missing' : `: ${issue.message}`}`,
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

/** How deep lists and objects stand in each other, before anything is made of them. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (quoted) {
      if (c === 0x5c) i++;
      else if (c === 0x22) quoted = false;
    } else if (c === 0x22) quoted = true;
    else if (c === 0x5b || c === 0x7b) deepest = Math.max(deepest, ++depth);
    else if (c === 0x5d || c === 0x7d) depth--;
  }
  return deepest;
}
