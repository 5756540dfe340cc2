/**
 * What is expected of every public model: `verified` means planned by `fit`, the plan proven by the checker, run
 * under it bit for bit like layer by layer, and within tolerance of the outside reference. A refusal names its
 * reason, which the error must contain.
 */
import { FORMATS, filesOf } from './public-models.ts';

export type Status = 'verified' | { readonly refused: string };

/** Models of more multiply-accumulates are planned and checked by `npm test`, and run by `npm run bench:models`. */
export const MOST_MACS = 400e6;

export const EXPECTED: Readonly<Record<string, Status>> = {
  'cifar_cnn_dynbatch.onnx': 'verified',
  'dronet_nemo_int.onnx': 'verified',
  'fastestdet_352.onnx': 'verified',
  'light_bvlc_alexnet.onnx': 'verified',
  'light_densenet121.onnx': 'verified',
  'light_inception_v1.onnx': 'verified',
  'light_inception_v2.onnx': 'verified',
  'light_resnet50.onnx': 'verified',
  'light_shufflenet.onnx': 'verified',
  'light_squeezenet.onnx': 'verified',
  'light_vgg19.onnx': 'verified',
  'light_zfnet512.onnx': 'verified',
  'mnist_cntk.onnx': 'verified',
  'mobilenetv2_035_128.onnx': 'verified',
  'nanodet_m_320.onnx': 'verified',
  'ort_conv_qdq_s8s8_perchannel.onnx': 'verified',
  'ort_conv_qdq_u8u8.onnx': 'verified',
  'ort_fuse_conv_bn_mul_add_unsqueeze.onnx': 'verified',
  'ort_mobilenet_v3_small_excerpt.onnx': 'verified',
  'ort_nhwc_conv_clip_relu.onnx': 'verified',
  'ort_qdq_convs.onnx': 'verified',
  'ort_qdq_multi_consumer.onnx': 'verified',
  'ppocrv3_det_ch_dyn.onnx': 'verified',
  'resnet8_cifar10_fp16.onnx': 'verified',
  'road_segmentation_adas_0001.onnx': 'verified',
  'shufflenet_v2_int8_qlinear.onnx': 'verified',
  'squeezenet1.1_fp16.onnx': 'verified',
  'super_resolution_espcn.onnx': 'verified',
  'tbefn_180x320.onnx': 'verified',
  'ultraface_rfb_320.onnx': 'verified',
  'ultraface_slim_320_simplified.onnx': 'verified',
  'yamnet_256_64x96.onnx': 'verified',
  'yolox_nano_416.onnx': 'verified',
  'yunet_n_320.onnx': 'verified',
  'ad_toycar_float.tflite': 'verified',
  'ad_toycar_int8.tflite': 'verified',
  'deeplabv3_257_float.tflite': 'verified',
  'deeplabv3_mnv2_dm05_513_uint8.tflite': 'verified',
  'face_detection_front_f16w.tflite': 'verified',
  'face_landmark_float.tflite': 'verified',
  'har_cnn_int8.tflite': 'verified',
  'hello_world_float.tflite': 'verified',
  'hello_world_int8.tflite': 'verified',
  'kws_dscnn_float_dynrange.tflite': 'verified',
  'kws_dscnn_int8.tflite': 'verified',
  'mcunet_detection_int8.tflite': 'verified',
  'mcunet_vww_int8.tflite': 'verified',
  'micro_speech_int8.tflite': 'verified',
  'miniresnet_1stack_int8.tflite': 'verified',
  'mnist_cnn_float.tflite': 'verified',
  'mnist_cnn_int8.tflite': 'verified',
  'mobilenet_v1_025_128_uint8.tflite': 'verified',
  'mobilenet_v1_025_224_float.tflite': 'verified',
  'mobilenet_v2_10_224_uint8.tflite': 'verified',
  'movenet_lightning_int8.tflite': 'verified',
  'person_detect_int8.tflite': 'verified',
  'posenet_mnv1_257_int8.tflite': 'verified',
  'resnet8_cifar_float.tflite': 'verified',
  'resnet8_cifar_int8.tflite': 'verified',
  'resnet8_large_int8.tflite': 'verified',
  'rock_paper_scissors_int8.tflite': 'verified',
  'ssd_mobilenet_v1_coco_uint8.tflite': { refused: 'custom operator TFLite_Detection_PostProcess' },
  'streaming_wakeword_int8.tflite': 'verified',
  'style_transfer_384_int8.tflite': 'verified',
  'tinymaix_cifar10_float.tflite': 'verified',
  'tinymaix_cifar10_int8.tflite': 'verified',
  'tinymaix_mnist_resnet_float.tflite': 'verified',
  'tinymaix_mnist_resnet_int8.tflite': 'verified',
  'ultraface_rfb_320_float.tflite': 'verified',
  'vww_96_float.tflite': 'verified',
  'vww_96_int8.tflite': 'verified',
  'yamnet_256_64x96_int8.tflite': 'verified',
};

/** Files without an entry, and entries without a file. */
export function listDifferences(): { unlisted: string[]; missing: string[] } {
  const files = FORMATS.flatMap(filesOf);
  return {
    unlisted: files.filter((f) => !(f in EXPECTED)),
    missing: Object.keys(EXPECTED).filter((f) => !files.includes(f)),
  };
}
