/**
 * An ONNX file as a tree of protobuf fields, so that one field can be damaged and the rest stays as it is. Knows the
 * numbers of nested messages only, from onnx.proto, and shares nothing with the reader under test.
 */

/** Field numbers that hold a message, by the message they stand in. */
const NESTED = {
  Model: { 7: 'Graph', 8: 'OperatorSet' },
  OperatorSet: {},
  Graph: { 1: 'Node', 5: 'Tensor', 11: 'ValueInfo', 12: 'ValueInfo', 13: 'ValueInfo' },
  Node: { 5: 'Attribute' },
  Attribute: { 5: 'Tensor', 6: 'Graph' },
  Tensor: {},
  ValueInfo: { 2: 'Type' },
  Type: { 1: 'TensorType' },
  TensorType: { 2: 'Shape' },
  Shape: { 1: 'Dimension' },
  Dimension: {},
} as const satisfies Record<string, Record<number, string>>;

export type MessageName = keyof typeof NESTED;

/** Wire types: 0 a varint, 1 eight bytes, 2 bytes with their length in front, 5 four bytes. */
export interface Field {
  number: number;
  wire: number;
  /** A varint's value. */
  varint?: bigint;
  /** What stands in the file for all other wire types. */
  bytes?: Uint8Array;
  /** A message instead of its bytes. */
  message?: Message;
  /** Added to the length that is written in front: a lie. */
  lengthOff?: number;
}

export interface Message {
  readonly name: MessageName;
  readonly fields: Field[];
}

/** The tree of a well-formed file. Throws on a file that is not. */
export function parseMessage(name: MessageName, bytes: Uint8Array): Message {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      if (at >= bytes.length || shift > 63n) throw new Error('cut off');
      const byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw new Error('cut off');
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const number = tag >> 3;
    const wire = tag & 7;
    if (wire === 0) fields.push({ number, wire, varint: varint() });
    else if (wire === 2) {
      const content = take(Number(varint()));
      const nested = (NESTED[name] as Record<number, MessageName>)[number];
      fields.push(
        nested ? { number, wire, message: parseMessage(nested, content) } : { number, wire, bytes: content },
      );
    } else if (wire === 1 || wire === 5) fields.push({ number, wire, bytes: take(wire === 1 ? 8 : 4) });
    else throw new Error(`wire type ${wire}`);
  }
  return { name, fields };
}

/** A varint's bytes; negative numbers take ten, as in the file. */
export function varintBytes(value: bigint): number[] {
  const out: number[] = [];
  let left = BigInt.asUintN(64, value);
  while (left > 127n) {
    out.push(Number(left & 127n) | 128);
    left >>= 7n;
  }
  out.push(Number(left));
  return out;
}

/** The tree as bytes, lies included. */
export function writeMessage({ fields }: Message): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const f of fields) {
    parts.push(Uint8Array.from(varintBytes(BigInt((f.number << 3) | f.wire))));
    if (f.wire === 0) parts.push(Uint8Array.from(varintBytes(f.varint ?? 0n)));
    else {
      const content = f.message ? writeMessage(f.message) : (f.bytes ?? new Uint8Array());
      if (f.wire === 2)
        parts.push(Uint8Array.from(varintBytes(BigInt(Math.max(0, content.length + (f.lengthOff ?? 0))))));
      parts.push(content);
    }
  }
  return joined(parts);
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Every message of the tree, outermost first. */
export function messagesOf(root: Message): Message[] {
  return [root, ...root.fields.flatMap((f) => (f.message ? messagesOf(f.message) : []))];
}

const text = { encode: new TextEncoder(), decode: new TextDecoder() };

/** A field's bytes as text. */
export function textOf(field: Field | undefined): string {
  return text.decode.decode(field?.bytes ?? new Uint8Array());
}

export function textField(number: number, value: string): Field {
  return { number, wire: 2, bytes: text.encode.encode(value) };
}

export function varintField(number: number, value: bigint): Field {
  return { number, wire: 0, varint: value };
}

/** Field by number; the first where there are several. */
export function fieldOf(message: Message, number: number): Field | undefined {
  return message.fields.find((f) => f.number === number);
}
