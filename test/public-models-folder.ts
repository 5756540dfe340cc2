/** Where the public models lie that some tests read: beside the checkout, or where TIDEMARK_MODELS points. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export const MODELS = process.env.TIDEMARK_MODELS ?? join(import.meta.dirname, '../../shared/models');

export const haveModels = existsSync(join(MODELS, 'onnx')) && existsSync(join(MODELS, 'tflite'));

/** Why a test that needs the models is skipped. */
export const MISSING = `the public models are not at ${MODELS}; set TIDEMARK_MODELS`;

/** For the name of a suite: nothing, or that it is skipped and why. */
export const UNLESS_MODELS = haveModels ? '' : ` (skipped: ${MISSING})`;
