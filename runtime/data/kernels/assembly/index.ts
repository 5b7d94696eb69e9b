/** Image kernels in WebAssembly SIMD. `npm run build:kernels` compiles them into `imageKernels.wasm.ts`. */
export { coefficients, entryBytes, resampleColumns, resampleRowsGrey, resampleRowsRgb } from './resample';
export { joinRgb, packRows, splitRgb } from './planes';
export { blendConstant, grayscale, saturate, solarize, sumLuma } from './colour';
export { rotateHue, rotateOne } from './hue';
export { blurKernel9, boxBlurColumns, boxBlurRows } from './blur';

/** Where memory of the caller's begins. */
export function heapBase(): usize {
  return __heap_base;
}
