/** What a module says of itself to its loader, as JSON in a custom section. */
import type { Graph, Port } from '../../graph/graph.ts';
import type { Program, ProgramPort } from '../../kernels/program.ts';
import { bankBase, type Layout } from './layout.ts';

export const DESCRIPTION_SECTION = 'tidemark';

export interface PortDescription {
  readonly name: string;
  readonly dtype: string;
  /** Channels last, as it lies in memory. */
  readonly shape: readonly number[];
  /** 'memory': at `address` before (inputs) or after (outputs) a run. 'streamed': through callbacks. */
  readonly where: 'memory' | 'streamed';
  readonly address: number;
  /** Shape in the model's file, and which of its dimensions each of `shape` is, where axes were moved. */
  readonly fileShape?: readonly number[];
  readonly perm?: readonly number[];
  /** real = scale * (stored - zeroPoint), where values are quantised. */
  readonly scale?: number;
  readonly zeroPoint?: number;
}

/** The graph's ports: how the model's file has them. */
export type FilePorts = Pick<Graph, 'inputs' | 'outputs' | 'tensors'>;

export interface Description {
  readonly version: 1;
  readonly name: string;
  readonly arena: { readonly address: number; readonly bytes: number };
  /** Memory banks beside the arena, where the plan has more than one. */
  readonly banks?: readonly { readonly name: string; readonly address: number; readonly bytes: number }[];
  /** Where weights are to be put that lie in a file of their own. */
  readonly weights?: { readonly address: number; readonly bytes: number };
  readonly inputs: readonly PortDescription[];
  readonly outputs: readonly PortDescription[];
}

export function describe(program: Program, layout: Layout, beside: boolean, files?: FilePorts): Description {
  const port = (p: ProgramPort, index: number, file?: Port): PortDescription => ({
    name: p.name,
    dtype: p.dtype,
    shape: p.shape,
    where: p.where === 'streamed' ? 'streamed' : 'memory',
    address: addressOf(p, index, layout),
    ...(file ? { fileShape: file.shape } : {}),
    ...(file?.perm ? { perm: file.perm } : {}),
    ...(file ? quantisationOf(file, files!) : {}),
  });
  return {
    version: 1,
    name: program.name,
    arena: { address: layout.arena, bytes: program.arenaBytes },
    ...(program.banks.length > 0
      ? { banks: program.banks.map((b, i) => ({ ...b, address: layout.banks[i] })) }
      : {}),
    ...(beside ? { weights: { address: layout.dataStart, bytes: layout.dataEnd - layout.dataStart } } : {}),
    inputs: program.inputs.map((p, i) => port(p, i, files?.inputs[i])),
    outputs: program.outputs.map((p, i) => port(p, i, files?.outputs[i])),
  };
}

function quantisationOf(port: Port, { tensors }: FilePorts): Pick<PortDescription, 'scale' | 'zeroPoint'> {
  const quant = tensors[port.tensor]?.quant;
  return quant?.scale.length === 1 ? { scale: quant.scale[0], zeroPoint: quant.zeroPoint[0] } : {};
}

function addressOf(port: ProgramPort, index: number, layout: Layout): number {
  switch (port.where) {
    case 'arena':
      return bankBase(layout, port.bank) + port.offset;
    case 'outside':
      return layout.inputs[index]!;
    case 'constant':
      return layout.data[port.offset];
    default:
      return 0;
  }
}
