/** Working memory of TFLite_Detection_PostProcess, whose options are a FlexBuffers map (kernels/detection_postprocess.cc). */
import { toReference } from 'flatbuffers/js/flexbuffers.js';
import type { FileNode, FileTensor } from '../../model/tflite/file.ts';
import { elementsOf } from './arena.ts';

const FLOAT_BYTES = 4;
const BOX_COORDINATES = 4;

/** The requests in the kernel's order; undefined where the options cannot be read. */
export function detectionScratch(
  node: FileNode,
  tensors: readonly FileTensor[],
): readonly number[] | undefined {
  const options = detectionOptions(node.customOptions);
  const [, boxes] = tensors[node.inputs[0]].shape;
  if (!options || boxes === undefined) return undefined;
  const { detections, classes } = options;
  const scores = elementsOf(tensors[node.inputs[1]]);
  const perBox = FLOAT_BYTES * boxes;
  return [
    boxes,
    BOX_COORDINATES * perBox,
    FLOAT_BYTES * scores,
    perBox,
    perBox,
    detections * perBox,
    detections * perBox,
    perBox,
    detections * perBox,
    Math.max(classes, detections) * perBox,
    Math.min(boxes, detections) * perBox,
  ];
}

/** Only the two numbers are followed: a damaged map must not be walked. */
function detectionOptions(
  bytes: Uint8Array | undefined,
): { detections: number; classes: number } | undefined {
  if (!bytes || bytes.length < 3) return undefined;
  try {
    const map = toReference(bytes.slice().buffer) as unknown as { get(key: string): Reference };
    const [detections, classes] = ['max_detections', 'num_classes'].map((k) => Number(map.get(k).intValue()));
    const valid = Number.isSafeInteger(detections) && Number.isSafeInteger(classes);
    return valid && detections >= 0 && classes >= 0 ? { detections, classes } : undefined;
  } catch {
    return undefined;
  }
}

/** What is read of a value; the package's own type leaves out that maps have keys of text. */
interface Reference {
  intValue(): number | bigint | null;
}
