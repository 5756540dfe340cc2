/** A worker's side: holds one stage, runs mini-batches as they come. What sends and receives is up to its host. */
import { weightBytes } from '../../plan/metrics.ts';
import { type FromWorker, type ToWorker, unpackStage } from './protocol.ts';
import { runStage, type Stage } from './stages.ts';

/** Gives the function that takes a worker's messages; `reply` sends its answers. */
export function stageWorker(reply: (message: FromWorker) => void): (message: ToWorker) => void {
  let stage: Stage | undefined;
  return (message) => {
    if (message.kind === 'load') {
      stage = unpackStage(message.stage);
      reply({ kind: 'ready', arenaBytes: stage.plan.arenaBytes, weightBytes: weightBytes(stage.graph) });
      return;
    }
    try {
      if (!stage) throw new Error('no stage has been loaded');
      const loaded = stage;
      const images = message.images.map((inputs) => runStage(loaded, inputs));
      reply({ kind: 'done', batch: message.batch, images });
    } catch (error) {
      reply({
        kind: 'failed',
        batch: message.batch,
        message: error instanceof Error ? error.message : String(error),
      });
    }
  };
}
