/** The catalogue of metrics: what the trainer logs and what the panels know how to draw. */
export interface MetricInfo {
  label: string;
  unit: string;
  /** Words for the tooltip, with the equation where there is one. */
  description: string;
  /** Which way is better; null where neither is. */
  better: 'higher' | 'lower' | null;
  /**
   * What it tells of, where not of training at large: frozen features put to use, the machine and its load, or the objective, whose
   * terms compare only between runs that minimise the same.
   */
  about?: 'evaluation' | 'machine' | 'objective';
}

export const metricCatalogue = {
  loss: {
    label: 'Loss',
    unit: '',
    description: 'What is minimised; by SimDINO distance - gamma x coding rate.',
    better: 'lower',
    about: 'objective',
  },
  distance: {
    label: 'Distance',
    unit: '',
    description: 'Mean of 1/2 |z_t - z_s|^2 over the view pairs, eq. (6).',
    better: 'lower',
    about: 'objective',
  },
  codingRate: {
    label: 'Coding rate',
    unit: 'nats',
    description: 'R_eps = 1/2 logdet(I + d/eps^2 Cov), eq. (7), mean over global views and groups.',
    better: 'higher',
    about: 'objective',
  },
  codingRateMax: {
    label: 'Coding rate maximum',
    unit: 'nats',
    description: 'The coding rate of orthonormal features for this batch, dimension, eps and groups.',
    better: null,
  },
  gamma: { label: 'gamma', unit: '', description: 'Weight of the coding rate.', better: null },
  teacherStudentCosine: {
    label: 'Teacher-student cosine',
    unit: '',
    description: 'Mean cosine between teacher and student features of different views.',
    better: null,
  },
  patchDistance: {
    label: 'Patch distance',
    unit: '',
    description:
      'Mean of 1/2 |z_t - z_s|^2 of hidden patches over the global views, those without hidden patches at 0.',
    better: 'lower',
    about: 'objective',
  },
  teacherEntropy: {
    label: 'Teacher entropy',
    unit: 'nats',
    description:
      'Mean entropy of the teacher\u2019s distribution over the prototypes (DINO); 0 or ln K means collapse.',
    better: null,
  },
  viewCrossEntropy: {
    label: 'Cross-entropy of views',
    unit: 'nats',
    description: 'DINOv2: mean cross-entropy of teacher and student over the prototypes, between different views.',
    better: 'lower',
    about: 'objective',
  },
  patchCrossEntropy: {
    label: 'Cross-entropy of patches',
    unit: 'nats',
    description: 'DINOv2: the same of hidden patches (iBOT), those views without any at 0.',
    better: 'lower',
    about: 'objective',
  },
  koleo: {
    label: 'KoLeo',
    unit: '',
    description:
      'DINOv2: -mean ln of the distance to the nearest other class token, summed over the global views; it grows when features come together.',
    better: 'lower',
    about: 'objective',
  },
  effectiveRank: {
    label: 'Effective rank',
    unit: '',
    description:
      'exp of the entropy of the eigenvalues of the student features\u2019 second-moment matrix; 1 means collapse.',
    better: 'higher',
  },
  effectiveRankTeacher: {
    label: 'Effective rank (teacher)',
    unit: '',
    description: 'The same of the teacher\u2019s features.',
    better: 'higher',
  },
  gradientNorm: {
    label: 'Gradient norm',
    unit: '',
    description: 'Global l2 norm of the gradient before clipping.',
    better: null,
  },
  lossScale: {
    label: 'Loss scale',
    unit: '',
    description: 'Factor of the loss in mixed precision; halved whenever a gradient overflows.',
    better: null,
  },
  lr: { label: 'Learning rate', unit: '', description: 'Learning rate of the step.', better: null },
  weightDecay: { label: 'Weight decay', unit: '', description: 'Weight decay of the step.', better: null },
  momentum: {
    label: 'Teacher momentum',
    unit: '',
    description: 'Momentum of the teacher\u2019s moving average, per step.',
    better: null,
  },
  imagesPerSecond: {
    label: 'Throughput',
    unit: 'images/s',
    description: 'Source images trained on per second.',
    better: 'higher',
    about: 'machine',
  },
  stepMs: { label: 'Step time', unit: 'ms', description: 'Wall time of the step.', better: 'lower', about: 'machine' },
  dataWaitShare: {
    label: 'Waiting for data',
    unit: '',
    description: 'Share of the step spent waiting for crops.',
    better: 'lower',
    about: 'machine',
  },
  memoryBytes: {
    label: 'Memory',
    unit: 'bytes',
    description: 'Resident memory of trainer and executor.',
    better: null,
    about: 'machine',
  },
  cpuShare: {
    label: 'CPU use',
    unit: '',
    description: 'Processor time of trainer and executor over wall time, in cores.',
    better: null,
    about: 'machine',
  },
  gpuShare: {
    label: 'GPU use',
    unit: '',
    description: 'Share of the last second in which the GPU computed, as its driver (NVML) tells.',
    better: null,
    about: 'machine',
  },
  gpuMemoryBytes: {
    label: 'GPU memory',
    unit: 'bytes',
    description: 'Memory in use on the GPU, that of other processes included.',
    better: null,
    about: 'machine',
  },
  linearTop1: {
    label: 'Linear top-1',
    unit: '',
    description: 'Accuracy of a linear classifier on the teacher\u2019s frozen features; of a grid, the best one.',
    better: 'higher',
    about: 'evaluation',
  },
  knnTop1: {
    label: 'k-NN top-1',
    unit: '',
    description: 'Weighted k-NN accuracy of the teacher\u2019s features on the validation split.',
    better: 'higher',
    about: 'evaluation',
  },
  testKnnTop1: {
    label: 'k-NN top-1 (test)',
    unit: '',
    description: 'Weighted k-NN accuracy of the teacher\u2019s features on the test split, evaluated after training.',
    better: 'higher',
    about: 'evaluation',
  },
  validationKnnTop1: {
    label: 'k-NN top-1 (validation, afterwards)',
    unit: '',
    description: 'The same on the validation split, evaluated after training.',
    better: 'higher',
    about: 'evaluation',
  },
  testLinearTop1: {
    label: 'Linear top-1 (test)',
    unit: '',
    description:
      'Accuracy of a linear classifier on the teacher\u2019s frozen features, test split, evaluated after training.',
    better: 'higher',
    about: 'evaluation',
  },
  validationLinearTop1: {
    label: 'Linear top-1 (validation, afterwards)',
    unit: '',
    description: 'The same on the validation split, evaluated after training.',
    better: 'higher',
    about: 'evaluation',
  },
  segmentationIou: {
    label: 'Segmentation mIoU',
    unit: '',
    description: 'Mean intersection over union of a linear layer on frozen patch tokens (Table 3).',
    better: 'higher',
    about: 'evaluation',
  },
  segmentationAccuracy: {
    label: 'Segmentation mAcc',
    unit: '',
    description: 'Mean over classes of the share of pixels found (Table 3).',
    better: 'higher',
    about: 'evaluation',
  },
  pixelAccuracy: {
    label: 'Segmentation pixel accuracy',
    unit: '',
    description: 'Share of all pixels whose class was found.',
    better: 'higher',
    about: 'evaluation',
  },
  videoJF: {
    label: 'Video J&F',
    unit: '',
    description: 'Mean of region and boundary agreement of labels carried through a video (Table 3).',
    better: 'higher',
    about: 'evaluation',
  },
  videoJ: {
    label: 'Video J',
    unit: '',
    description: 'Region agreement of labels carried through a video: intersection over union (Table 3).',
    better: 'higher',
    about: 'evaluation',
  },
  videoF: {
    label: 'Video F',
    unit: '',
    description: 'Boundary agreement of labels carried through a video (Table 3).',
    better: 'higher',
    about: 'evaluation',
  },
  boxAP: {
    label: 'MaskCut box AP',
    unit: '',
    description: 'COCO average precision of boxes of objects found without labels (Table 2).',
    better: 'higher',
    about: 'evaluation',
  },
  boxAP50: {
    label: 'MaskCut box AP50',
    unit: '',
    description: 'Average precision at an overlap of 0.5 of boxes of objects found without labels (Table 2).',
    better: 'higher',
    about: 'evaluation',
  },
  boxAP75: {
    label: 'MaskCut box AP75',
    unit: '',
    description: 'Average precision at an overlap of 0.75 of boxes of objects found without labels (Table 2).',
    better: 'higher',
    about: 'evaluation',
  },
  maskAP: {
    label: 'MaskCut mask AP',
    unit: '',
    description: 'COCO average precision of masks of objects found without labels (Table 2).',
    better: 'higher',
    about: 'evaluation',
  },
  maskAP50: {
    label: 'MaskCut mask AP50',
    unit: '',
    description: 'Average precision at an overlap of 0.5 of masks of objects found without labels (Table 2).',
    better: 'higher',
    about: 'evaluation',
  },
  maskAP75: {
    label: 'MaskCut mask AP75',
    unit: '',
    description: 'Average precision at an overlap of 0.75 of masks of objects found without labels (Table 2).',
    better: 'higher',
    about: 'evaluation',
  },
} satisfies Record<string, MetricInfo>;

export type MetricName = keyof typeof metricCatalogue;

/** Metrics that come once per view, numbered from 1, the global views first: `distanceView1`, `codingRateView2`. */
export const viewMetrics: Record<string, MetricInfo> = {
  distanceView: {
    label: 'Distance of view',
    unit: '',
    description: 'Distance of one student view to the teacher\u2019s other views; the global ones are counted first.',
    better: 'lower',
    about: 'objective',
  },
  codingRateView: {
    label: 'Coding rate of view',
    unit: 'nats',
    description: 'Coding rate of one global view, mean over groups.',
    better: 'higher',
    about: 'objective',
  },
};

/** The name of a figure of an evaluation on other images than the run's own. */
export const metricOn = (metric: string, data: string): string => `${metric} on ${data}`;

/** The data that a figure of an evaluation is of, where they are not the run's own. */
export const dataOf = (name: string): string | undefined => / on (.+)$/.exec(name)?.[1];

/** The metric without the data that it is of. */
export const withoutData = (name: string): string => name.replace(/ on .+$/, '');

/** The metric that a name means: itself, or a figure on other data where that is the only one of the name; undefined if none or several. */
export function metricMeant(name: string, known: readonly string[]): string | undefined {
  if (known.includes(name)) return name;
  const onData = [...new Set(known.filter((metric) => withoutData(metric) === name))];
  return onData.length === 1 ? onData[0] : undefined;
}

/**
 * The catalogue's entry of a metric, those of single views and of other data included; undefined for a name that it does not
 * know.
 */
export function knownMetric(name: string): MetricInfo | undefined {
  const metric = withoutData(name);
  if (metric !== name) {
    const info = knownMetric(metric);
    return info && { ...info, label: info.label + name.slice(metric.length) };
  }
  if (Object.hasOwn(metricCatalogue, name)) return metricCatalogue[name as MetricName];
  const [, stem = '', view = ''] = /^([a-zA-Z]+View)(\d+)$/.exec(name) ?? [];
  const info = viewMetrics[stem];
  return info && { ...info, label: `${info.label} ${view}` };
}
