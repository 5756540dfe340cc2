/**
 * What other programs may use. Everything here runs in Node and in browsers: bytes in, values out, no files.
 *
 * ```ts
 * const { graph, plan, arenaBytes } = compileModel({ bytes, file: 'model.tflite' }, {
 *   policy: { input: 'reuse', output: 'whole' },
 * });
 * const inputs = [toGraphLayout(graph.inputs[0], values)];
 * const [scores] = executePlan(graph, plan, inputs).outputs;
 * ```
 *
 * Failures that a user can act on are `TidemarkError`s with a stable code.
 */

export {
  type Compiled,
  compileModel,
  importModel,
  type ModelFile,
  type ModelSource,
  type Planned,
  planGraph,
  type ZooModel,
} from './compile.ts';
export { type OnnxOptions as WriteOnnxOptions, writeOnnx } from './emit/onnx/write.ts';
export { offlinePlanProblem, type PlannedKernels } from './emit/tflite/check-offline-plan.ts';
export { type OfflinePlan, planOffline } from './emit/tflite/offline-plan.ts';
export { type OverlappedPlan, planOverlapped } from './emit/tflite/overlapped-plan.ts';
export { withOfflinePlan } from './emit/tflite/write.ts';
export { type ErrorCode, TidemarkError } from './errors.ts';
export { analyseCsdf, type CsdfAnswer, type CsdfRequest, csdfPareto, csdfPipeline } from './fit/csdf.ts';
export { type FitRequest, type FitResult, fitGraph } from './fit/fit.ts';
export { type Overlapped, overlapGraph } from './fit/overlapped.ts';
export {
  type DType,
  elementBytes,
  elementCount,
  type Graph,
  type Operator,
  type Port,
  type Tensor,
  type TypedArray,
  tensorBytes,
} from './graph/graph.ts';
export { type Limits, resetLimits, setLimits } from './limits.ts';
export { type ModelFormat, modelFormat } from './model/format.ts';
export { normalise } from './model/normalise/normalise.ts';
export { type OnnxOptions as ReadOnnxOptions, readOnnx } from './model/onnx/read.ts';
export { type FileModel, parseTflite } from './model/tflite/file.ts';
export { type ReadTfliteOptions, readTflite } from './model/tflite/read.ts';
export { applyTiles } from './passes/1-restructure/apply.ts';
export {
  type Restructured,
  type RestructureOptions,
  restructureGraph,
} from './passes/1-restructure/restructure.ts';
export { type TiledRegion, type Tiling, tilingSchema } from './passes/1-restructure/tiling.ts';
export { type Closure, type ClosureOptions, Closures } from './passes/2-partition/closure.ts';
export { type Fusion, type FusionRequest, layerFusion } from './passes/2-partition/layer-fusion.ts';
export { type LayerNet, type LayerOptions, layersOf } from './passes/2-partition/layers.ts';
export {
  type Partition,
  Partitioner,
  type PartitionRequest,
  type PartitionSpan,
} from './passes/2-partition/partition.ts';
export { baseTraffic } from './passes/2-partition/traffic.ts';
export { type CheckResult, checkPlan } from './plan/check.ts';
export { fingerprint } from './plan/fingerprint.ts';
export { planJsonSchema } from './plan/json-schema.ts';
export { graphMacs, type PlanMetrics, planMetrics } from './plan/metrics.ts';
export {
  type Plan,
  type PlanActor,
  type PlanBuffer,
  type Policy,
  planSchema,
  type ScheduleNode,
} from './plan/plan.ts';
export { compressSchedule, expandSchedule } from './plan/schedule.ts';
export { htmlReport, type ReportData } from './report/html.ts';
export { type Profile, profileOf } from './report/profile.ts';
export { type Timeline, timelineOf } from './report/timeline.ts';
export { type ExecuteOptions, type ExecuteResult, executePlan } from './run/execute.ts';
export type { PipelineEvent, PipelineOptions, PipelineSummary, Spawn } from './run/pipeline/contract.ts';
export { PipelineCoordinator } from './run/pipeline/coordinator.ts';
export { runStages, type Stage, stagesOf } from './run/pipeline/stages.ts';
export { stageWorker } from './run/pipeline/worker.ts';
export { fromGraphLayout, type ReferenceOutput, runReference, toGraphLayout } from './run/reference.ts';
export { type Chip, chipPreset, chipPresets, parseChip } from './simulate/chip.ts';
export { type PipelineRun, simulatePipeline } from './simulate/pipeline.ts';
export { type PipelinePlan, planPipeline } from './simulate/plan-pipeline.ts';
export { ChipCosts } from './simulate/stages.ts';
export { replicasForChips, replicasForPeriod, stapFigures } from './simulate/stap.ts';
export {
  calibratedZooGraph,
  type ZooListing,
  type ZooOptions,
  zooGraph,
  zooListing,
  zooNames,
} from './zoo/zoo.ts';
