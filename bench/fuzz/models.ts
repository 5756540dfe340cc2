/** The public models lie beside the checkout, not beside what is compiled: said before anything looks for them. */
import { resolve } from 'node:path';

process.env.TIDEMARK_MODELS ??= resolve('../shared/models');
