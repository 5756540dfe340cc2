/** Worker threads for a pipeline's coordinator. */
import { Worker } from 'node:worker_threads';
import type { Spawn } from '../run/pipeline/contract.ts';
import type { FromWorker } from '../run/pipeline/protocol.ts';

/** The file that this program was built to, or TypeScript where it runs from its sources. */
const MODULE = new URL(
  import.meta.url.endsWith('.ts') ? './pipeline-worker.ts' : './pipeline-worker.js',
  import.meta.url,
);

/** `onThread` is told of every thread as it starts. */
export function threadSpawner(onThread?: (thread: Worker, stage: number, replica: number) => void): Spawn {
  return (events, stage, replica) => {
    const thread = new Worker(MODULE);
    let gone = false;
    const exit = (reason: string) => {
      if (gone) return;
      gone = true;
      events.onExit(reason);
    };
    thread.on('message', (message: FromWorker) => events.onMessage(message));
    thread.on('error', (error) => exit(error.message));
    thread.on('messageerror', (error) => exit(error.message));
    thread.on('exit', (code) => exit(`exit code ${code}`));
    onThread?.(thread, stage, replica);
    return {
      post: (message) => thread.postMessage(message),
      stop: () => {
        gone = true;
        void thread.terminate();
      },
    };
  };
}
