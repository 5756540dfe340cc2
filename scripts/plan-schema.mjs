/** Writes schema/plan-v1.schema.json from the plan type. Run by `npm run schema` after a build. */
import fs from 'node:fs';
import { planJsonSchemaText } from '../dist/plan/json-schema.js';

fs.writeFileSync(new URL('../schema/plan-v1.schema.json', import.meta.url), planJsonSchemaText());
