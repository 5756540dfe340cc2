import fs from 'node:fs';
import { expect, test } from 'vitest';
import { planJsonSchemaText } from './json-schema.ts';

test('the published schema is the plan type (npm run schema writes it)', () => {
  const published = fs.readFileSync(new URL('../../schema/plan-v1.schema.json', import.meta.url), 'utf8');
  expect(published).toBe(planJsonSchemaText());
});
