/**
 * The networks of the published figures as the authors' own files describe them: they differ from the zoo's in details
 * that the figures depend on (a padded picture counted as the first layer's input, a last pool that fires once, where
 * the projection of a residual block stands).
 */
import { LineTable } from './line-table.ts';

function vgg16(): LineTable {
  const t = new LineTable();
  let x = -1;
  let size = 224;
  [2, 2, 3, 3, 3].forEach((depth, i) => {
    for (let k = 0; k < depth; k++)
      x = t.add(`conv${i + 1}_${k + 1}`, x < 0 ? [] : [x], [size, size, Math.min(512, 64 << i)], {
        kernel: 3,
      });
    size /= 2;
    const pool = { kernel: 2, stride: 2, kind: 'pool' };
    // Flattening is part of the last pool, which so has one line of output.
    if (i < 4) x = t.add(`pool${i + 1}`, [x], [size, size, 64 << i], pool);
    else x = t.add('pool5', [x], [1, 1, 25088], pool);
  });
  for (const [k, n] of [4096, 4096, 1000].entries()) x = t.add(`fc${k}`, [x], [1, 1, n], { once: true });
  return t;
}

/** Keras's ResNet-50: the stride in the first 1x1 convolution, the projection between the second and the third. */
function resnet50(): LineTable {
  const t = new LineTable();
  let x = t.add('conv1', [], [114, 114, 64], { kernel: 7, stride: 2, inLines: 230 });
  x = t.add('pool1', [x], [56, 56, 64], { kernel: 3, stride: 2, kind: 'pool' });
  let size = 56;
  [3, 4, 6, 3].forEach((depth, i) => {
    const c = 64 << i;
    for (let k = 0; k < depth; k++) {
      const stride = i > 0 && k === 0 ? 2 : 1;
      size /= stride;
      let y = t.add(`c${i}_${k}_1`, [x], [size, size, c], { stride });
      y = t.add(`c${i}_${k}_2`, [y], [size, size, c], { kernel: 3 });
      const shortcut = k === 0 ? t.add(`c${i}_${k}_0`, [x], [size, size, 4 * c], { stride }) : x;
      y = t.add(`c${i}_${k}_3`, [y], [size, size, 4 * c]);
      x = t.add(`add${i}_${k}`, [shortcut, y], [size, size, 4 * c], { kind: 'add' });
    }
  });
  x = t.add('avg_pool', [x], [1, 1, 2048], { kind: 'pool' });
  t.add('predictions', [x], [1, 1, 1000], { once: true });
  return t;
}

function resnet18(): LineTable {
  const t = new LineTable();
  let x = t.add('conv0', [], [112, 112, 64], { kernel: 7, stride: 2, inLines: 224 });
  x = t.add('pool0', [x], [56, 56, 64], { kernel: 3, stride: 2, kind: 'pool' });
  let size = 56;
  [2, 2, 2, 2].forEach((depth, i) => {
    const c = 64 << i;
    for (let k = 0; k < depth; k++) {
      const stride = i > 0 && k === 0 ? 2 : 1;
      size /= stride;
      const shortcut = stride === 2 ? t.add(`s${i}_proj`, [x], [size, size, c], { stride }) : x;
      let y = t.add(`s${i}_${k}_1`, [x], [size, size, c], { kernel: 3, stride });
      y = t.add(`s${i}_${k}_2`, [y], [size, size, c], { kernel: 3 });
      x = t.add(`add${i}_${k}`, [shortcut, y], [size, size, c], { kind: 'add' });
    }
  });
  x = t.add('gap', [x], [1, 1, 512], { kernel: 2, kind: 'pool' });
  t.add('fc', [x], [1, 1, 1000], { once: true });
  return t;
}

/** SqueezeNet 1.1 with pools that round down, and its softmax. */
function squeezenet(): LineTable {
  const t = new LineTable();
  const pool = { kernel: 3, stride: 2, kind: 'pool' };
  let x = t.add('conv0', [], [111, 111, 64], { kernel: 3, stride: 2, inLines: 224 });
  x = t.add('pool', [x], [55, 55, 64], pool);
  let size = 55;
  for (const squeeze of [16, 16, 0, 32, 32, 0, 48, 48, 64, 64]) {
    if (squeeze === 0) {
      size = Math.floor((size - 1) / 2);
      const channels = t.layers[x].lineElements / t.layers[x].outLines;
      x = t.add('pool', [x], [size, size, channels], pool);
      continue;
    }
    const s = t.add('squeeze', [x], [size, size, squeeze]);
    const a = t.add('expand1', [s], [size, size, 4 * squeeze]);
    const b = t.add('expand3', [s], [size, size, 4 * squeeze], { kernel: 3 });
    x = t.add('concat', [a, b], [size, size, 8 * squeeze], { kind: 'concat' });
  }
  x = t.add('conv62', [x], [size, size, 1000]);
  x = t.add('gap', [x], [1, 1, 1000], { kernel: 2, kind: 'pool' });
  t.add('softmax', [x], [1, 1, 1000]);
  return t;
}

/** DenseNet-121: each concat joins the one before it with the new features. */
function densenet121(): LineTable {
  const t = new LineTable();
  let x = t.add('conv1', [], [114, 114, 64], { kernel: 7, stride: 2, inLines: 230 });
  x = t.add('pool1', [x], [56, 56, 64], { kernel: 3, stride: 2, kind: 'pool' });
  let size = 56;
  let channels = 64;
  [6, 12, 24, 16].forEach((depth, i) => {
    for (let k = 0; k < depth; k++) {
      let y = t.add(`b${i}_${k}_1`, [x], [size, size, 128]);
      y = t.add(`b${i}_${k}_2`, [y], [size, size, 32], { kernel: 3 });
      channels += 32;
      x = t.add(`cat${i}_${k}`, [x, y], [size, size, channels], { kind: 'concat' });
    }
    if (i === 3) return;
    channels /= 2;
    x = t.add(`trans${i}`, [x], [size, size, channels]);
    size /= 2;
    x = t.add(`tpool${i}`, [x], [size, size, channels], { kernel: 2, stride: 2, kind: 'pool' });
  });
  x = t.add('avg_pool', [x], [1, 1, 1024], { kind: 'pool' });
  t.add('fc', [x], [1, 1, 1000], { once: true });
  return t;
}

/** Tiny-YOLOv2 with the scaling of its picture, which the file has as two layers. */
function tinyYoloV2(): LineTable {
  const t = new LineTable();
  let x = t.add('mul', [], [416, 416, 3], { kind: 'mul' });
  x = t.add('add', [x], [416, 416, 3], { kind: 'add' });
  let size = 416;
  for (let i = 0; i < 6; i++) {
    x = t.add(`conv${i}`, [x], [size, size, 16 << i], { kernel: 3 });
    const stride = i < 5 ? 2 : 1;
    size /= stride;
    x = t.add(`pool${i}`, [x], [size, size, 16 << i], { kernel: 2, stride, kind: 'pool' });
  }
  x = t.add('conv6', [x], [13, 13, 1024], { kernel: 3 });
  x = t.add('conv7', [x], [13, 13, 1024], { kernel: 3 });
  t.add('conv8', [x], [13, 13, 125]);
  return t;
}

export const publishedNetworks = { vgg16, tinyYoloV2, squeezenet, resnet18, resnet50, densenet121 } as const;
