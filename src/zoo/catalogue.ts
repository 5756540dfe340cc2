/** The networks of the zoo by name, with what calibrating them takes. */
import type { Graph } from '../graph/graph.ts';
import { densenet121 } from './densenet.ts';
import { googlenet } from './googlenet.ts';
import { inceptionV3 } from './inception.ts';
import { dsCnn } from './keyword.ts';
import { mobilenetV1, mobilenetV2 } from './mobilenet.ts';
import type { NetOptions } from './net.ts';
import { dncnn17, espcn, fsrcnn, unet } from './pictures.ts';
import { resnet, resnet8 } from './resnet.ts';
import { squeezenet10, squeezenet11 } from './squeezenet.ts';
import { ssdMobilenetV1 } from './ssd.ts';
import { alexnet, vgg } from './vgg.ts';
import { tinyYoloV2, tinyYoloV3 } from './yolo.ts';

export interface ZooEntry {
  readonly name: string;
  build(options?: NetOptions): Graph;
  /**
   * Picture size of the calibration run where it is smaller than the network's own. Ranges hardly depend on
   * the size of the picture, and the weights not at all, since no dense layer reads one.
   */
  readonly calibrationSize?: readonly [number, number];
}

type Build = (name: string, options: NetOptions) => Graph;

const entry = (name: string, build: Build, calibration?: number): ZooEntry => ({
  name,
  build: (options = {}) => build(name, options),
  ...(calibration ? { calibrationSize: [calibration, calibration] as const } : {}),
});

export const catalogue: readonly ZooEntry[] = [
  entry('alexnet', alexnet),
  entry('vgg16', (name, o) => vgg(name, [2, 2, 3, 3, 3], o)),
  entry('vgg19', (name, o) => vgg(name, [2, 2, 4, 4, 4], o)),
  entry('squeezenet1.0', squeezenet10),
  entry('squeezenet1.1', squeezenet11),
  entry('resnet18', (name, o) => resnet(name, 'basic', [2, 2, 2, 2], o), 128),
  entry('resnet34', (name, o) => resnet(name, 'basic', [3, 4, 6, 3], o), 128),
  entry('resnet50', (name, o) => resnet(name, 'bottleneck', [3, 4, 6, 3], o), 128),
  entry('resnet101', (name, o) => resnet(name, 'bottleneck', [3, 4, 23, 3], o), 128),
  entry('resnet152', (name, o) => resnet(name, 'bottleneck', [3, 8, 36, 3], o), 128),
  entry('mobilenetv1-1.0-224', (name, o) => mobilenetV1(name, 1, 224, 1000, o)),
  entry('mobilenetv1-0.25-96', (name, o) => mobilenetV1(name, 0.25, 96, 2, o)),
  entry('mobilenetv2-1.0-224', (name, o) => mobilenetV2(name, 1, 224, o)),
  entry('mobilenetv2-0.35-144', (name, o) => mobilenetV2(name, 0.35, 144, o)),
  entry('inceptionv3', inceptionV3, 171),
  entry('googlenet', googlenet, 128),
  entry('densenet121', densenet121, 128),
  entry('tinyyolov2', tinyYoloV2, 160),
  entry('tinyyolov3', tinyYoloV3, 160),
  entry('ssd-mobilenetv1-300', ssdMobilenetV1),
  entry('dncnn-17', dncnn17, 48),
  entry('fsrcnn', fsrcnn, 48),
  entry('espcn', espcn, 48),
  entry('unet', unet, 64),
  entry('ds-cnn', dsCnn),
  entry('resnet8', resnet8),
];
