/** The plan format as JSON Schema, for readers that are not this program. `npm run schema` writes it to schema/. */
import { z } from 'zod';
import { planSchema } from './plan.ts';

/** What a plan file may hold: draft 2020-12. Fields beside these are ignored, as this program ignores them. */
export function planJsonSchema(): object {
  return z.toJSONSchema(planSchema, { io: 'input' });
}

/** The published file, byte for byte. */
export function planJsonSchemaText(): string {
  return `${JSON.stringify(planJsonSchema(), null, 2)}\n`;
}
