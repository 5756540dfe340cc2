/** A quarter of the 2,000 random graphs; four files, so that they run side by side. */
import { checkSeeds } from './check-plans.ts';

checkSeeds(500, 1000);
