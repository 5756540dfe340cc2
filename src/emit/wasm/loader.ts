/**
 * The JavaScript file that goes with a module: loads it in Node and in browsers, and moves values in and out. It is
 * text because it is written beside the module as it is; loader.test.ts imports it as a user would.
 */
export const LOADER = `// Runs a model that Tidemark (https://www.npmjs.com/package/tidemark) compiled to WebAssembly.
//
//   import { load } from "./model.mjs";
//   const model = await load();
//   const outputs = model.run({ [model.inputs[0].name]: new Float32Array(...) });
//
// Quantised values are taken and given as they are stored: real = scale * (stored - zeroPoint).
// Values are in the model file's order of axes, as 'shape' of inputs and outputs says; run(inputs, { layout:
// 'memory' }) takes and gives them as they lie in memory, channels last ('memoryShape'), and moves no axes.
// An input may be a function (values, first) that fills 'values', a stretch of the input in memory order that begins at
// element 'first'; options.on[name] is the like for an output, called with each stretch. Where the plan streams a port,
// the stretches are its rows, and the whole tensor never exists.

const ARRAYS = { f32: Float32Array, i32: Int32Array, i16: Int16Array, i8: Int8Array, u8: Uint8Array, bool: Uint8Array };

const sizeOf = (shape) => shape.reduce((n, d) => n * d, 1);

/** A URL, a path, a Response or bytes, as bytes. */
async function bytesOf(source) {
  let from = await source;
  if (from instanceof ArrayBuffer || ArrayBuffer.isView(from)) return from;
  if (typeof from === 'string' || from instanceof URL) {
    const here = globalThis.document?.baseURI ?? globalThis.location?.href;
    const url = new URL(from, here ?? 'file://' + globalThis.process?.cwd() + '/');
    if (url.protocol === 'file:' && globalThis.process?.versions?.node) {
      // In two parts, so that bundlers for browsers do not look for it.
      const { readFile } = await import('node:' + 'fs/promises');
      return readFile(url);
    }
    from = await fetch(url);
  }
  if (!from.ok) throw new Error('cannot load ' + from.url + ': ' + from.status);
  return from.arrayBuffer();
}

/** Elements of 'from', whose dimension axes[j] is dimension j of what is wanted. */
function permute(from, shape, axes, to) {
  const strides = shape.map((_, a) => sizeOf(shape.slice(a + 1)));
  const sizes = axes.map((a) => shape[a]);
  const steps = axes.map((a) => strides[a]);
  const last = sizes.length - 1;
  const index = sizes.map(() => 0);
  let i = 0;
  for (let o = 0; o < to.length; ) {
    for (let n = 0, j = i; n < sizes[last]; n++, j += steps[last]) to[o++] = from[j];
    for (let d = last - 1; d >= 0; d--) {
      i += steps[d];
      if (++index[d] < sizes[d]) break;
      i -= steps[d] * sizes[d];
      index[d] = 0;
    }
  }
  return to;
}

/**
 * Loads a model. 'source': URL, path, Response, bytes or a compiled WebAssembly.Module; left out: model.wasm beside this
 * file. 'options.weights': the same for weights in a file of their own; left out: model.weights beside this file.
 */
export async function load(source = new URL('./model.wasm', import.meta.url), options = {}) {
  const module = source instanceof WebAssembly.Module ? source : await WebAssembly.compile(await bytesOf(source));
  const [section] = WebAssembly.Module.customSections(module, 'tidemark');
  if (!section) throw new Error('this WebAssembly module was not made by Tidemark');
  const about = JSON.parse(new TextDecoder().decode(section));
  const streams = { input() {}, output() {} };
  const host = { input: (...a) => streams.input(...a), output: (...a) => streams.output(...a) };
  const { exports } = await WebAssembly.instantiate(module, { host });
  const memory = exports.memory.buffer;
  if (about.weights) {
    const given = await bytesOf(options.weights ?? new URL('./model.weights', import.meta.url));
    const bytes = ArrayBuffer.isView(given) ? new Uint8Array(given.buffer, given.byteOffset, given.byteLength) : new Uint8Array(given);
    if (bytes.length !== about.weights.bytes) throw new Error('the weights have ' + bytes.length + ' bytes, this model needs ' + about.weights.bytes);
    new Uint8Array(memory, about.weights.address).set(bytes);
  }
  const at = (port, address, count) => new ARRAYS[port.dtype](memory, address, count);

  /** What a port is to the outside. 'view': where it stands in memory, if it does. */
  const open = (port) => ({
    name: port.name,
    dtype: port.dtype,
    shape: port.fileShape ?? port.shape,
    memoryShape: port.shape,
    streamed: port.where === 'streamed',
    ...(port.scale && { scale: port.scale, zeroPoint: port.zeroPoint }),
    ...(port.where === 'memory' && { view: at(port, port.address, sizeOf(port.shape)) }),
  });
  const inputs = about.inputs.map(open);
  const outputs = about.outputs.map(open);

  /** A stretch of a streamed port: bytes [from, from + bytes) of it lie at 'address'. */
  const stretch = (port, from, address, bytes) => {
    const size = ARRAYS[port.dtype].BYTES_PER_ELEMENT;
    return [at(port, address, bytes / size), from / size];
  };

  /** An input as elements in memory order. */
  const arranged = (i, given, raw) => {
    const port = about.inputs[i];
    const count = sizeOf(port.shape);
    if (given?.length !== count) throw new Error('input ' + port.name + ' of shape [' + inputs[i].shape + '] needs ' + count + ' values, got ' + (given?.length ?? 'none'));
    return port.perm && !raw ? permute(given, port.fileShape, port.perm, new ARRAYS[port.dtype](count)) : given;
  };

  /** Runs the model once. An input that is left out is what 'view' holds; a run may overwrite it. */
  function run(values = {}, { layout = 'file', on = {} } = {}) {
    const raw = layout === 'memory';
    for (const name of Object.keys(values)) {
      if (!inputs.some((p) => p.name === name)) throw new Error('no input ' + name + '; there is ' + inputs.map((p) => p.name).join(', '));
    }
    const feeds = about.inputs.map((port, i) => {
      const given = values[port.name];
      const fill = typeof given === 'function' && given;
      if (port.where === 'memory') {
        if (fill) fill(inputs[i].view, 0);
        else if (given) inputs[i].view.set(arranged(i, given, raw));
        return undefined;
      }
      if (fill) return fill;
      const all = arranged(i, given, raw);
      return (to, first) => {
        for (let e = 0; e < to.length; e++) to[e] = all[first + e];
      };
    });
    const results = about.outputs.map((port) => (port.where === 'streamed' && !on[port.name] ? new ARRAYS[port.dtype](sizeOf(port.shape)) : undefined));
    streams.input = (p, ...where) => feeds[p](...stretch(about.inputs[p], ...where));
    streams.output = (p, ...where) => {
      const [part, first] = stretch(about.outputs[p], ...where);
      if (results[p]) results[p].set(part, first);
      else on[about.outputs[p].name](part, first);
    };
    exports.run();
    const out = {};
    about.outputs.forEach((port, i) => {
      const whole = results[i] ?? outputs[i].view;
      if (on[port.name]) {
        if (outputs[i].view) on[port.name](whole, 0);
        return;
      }
      const back = port.perm?.map((_, a) => port.perm.indexOf(a));
      out[port.name] = back && !raw ? permute(whole, port.shape, back, new ARRAYS[port.dtype](whole.length)) : whole.slice();
    });
    return out;
  }

  return { name: about.name, inputs, outputs, arenaBytes: about.arena.bytes, memoryBytes: memory.byteLength, exports, run };
}
`;
