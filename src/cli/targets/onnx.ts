/** `fit --target onnx`: the network that the plan is for, as a file that any ONNX runtime executes. */
import { writeOnnx } from '../../emit/onnx/write.ts';
import { formatSize } from '../../report/format.ts';
import type { Target } from '../targets.ts';
import { programVersion } from '../version.ts';

const ABOUT = `The network as it was planned: batch normalisation, activations and padding are part of their
neighbours, constants are folded. It computes the same as the model it was made from; any ONNX runtime of opset 17
and later executes it, in its own order and with its own memory. tidemark run, verify and fit take it as a model.`;

export const target: Target = {
  write({ compiled }) {
    const content = writeOnnx(compiled.graph, { version: programVersion() });
    return {
      files: [{ name: 'model.onnx', content, about: ABOUT }],
      figures: { bytes: content.length, operators: compiled.graph.operators.length },
      fits: true,
      lines: [
        ['onnx', `model.onnx, ${formatSize(content.length)}, ${compiled.graph.operators.length} operators`],
      ],
    };
  },
};
