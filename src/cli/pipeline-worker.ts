/** The module that a worker thread of `tidemark pipeline --run` runs: one stage of a pipeline. */
import { parentPort } from 'node:worker_threads';
import type { ToWorker } from '../run/pipeline/protocol.ts';
import { stageWorker } from '../run/pipeline/worker.ts';

const port = parentPort!;
const take = stageWorker((message) => port.postMessage(message));
port.on('message', (message: ToWorker) => take(message));
