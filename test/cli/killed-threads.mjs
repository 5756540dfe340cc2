/**
 * Streams images through a pipeline of worker threads and kills threads while they work, with the built program (Node
 * runs no TypeScript in a thread). Prints what came of it as JSON.
 */
import { PipelineCoordinator } from '../../dist/run/pipeline/coordinator.js';
import { runStages, stagesOf } from '../../dist/run/pipeline/stages.js';
import { threadSpawner } from '../../dist/cli/pipeline-threads.js';
import { layersOf } from '../../dist/passes/2-partition/layers.js';
import { Partitioner } from '../../dist/passes/2-partition/partition.js';
import { zooGraph } from '../../dist/zoo/zoo.js';

const IMAGES = 16;
const KILL_AFTER = [2, 5, 9];

const net = layersOf(zooGraph('resnet8'));
const { spans } = new Partitioner(net, { capacityBytes: 160 * 1024 }).best();
const stages = stagesOf(
  net,
  spans.map((s) => s.layers),
);
const image = (seed) => [Float32Array.from({ length: 32 * 32 * 3 }, (_, i) => ((i * 7 + seed * 13) % 29) / 29)];
const threads = [];
let reported = 0;
const coordinator = new PipelineCoordinator({
  net,
  stages,
  replicas: stages.map((_, i) => (i === 0 ? 2 : 1)),
  attempts: 6,
  spawn: threadSpawner((thread) => threads.push(thread)),
  onEvent: (e) => {
    if (e.kind === 'died') reported++;
  },
});
const delivered = new Map();
let twice = 0;
const summary = await coordinator.run(
  (b) => (b < IMAGES ? [image(b)] : undefined),
  (b, images) => {
    if (delivered.has(b)) twice++;
    delivered.set(b, images[0]);
    // The thread that has lived longest, whatever it is doing.
    if (KILL_AFTER.includes(delivered.size)) void threads.shift().terminate();
  },
);
let right = 0;
for (const [b, outputs] of delivered) {
  const expected = runStages(net, stages, image(b));
  if (outputs.every((o, k) => o.length === expected[k].length && o.every((v, i) => Object.is(v, expected[k][i])))) right++;
}
process.stdout.write(JSON.stringify({ ...summary, stages: stages.length, delivered: delivered.size, twice, right, reported }));
