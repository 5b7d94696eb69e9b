import { existsSync } from 'node:fs';

/** What decides which checks a machine can run. */
export interface Machine {
  platform: NodeJS.Platform;
  isRoot: boolean;
  /** Whether Debian's package with Fashion-MNIST is installed. */
  hasFashionMnist: boolean;
}

export function thisMachine(): Machine {
  return {
    platform: process.platform,
    isRoot: process.getuid?.() === 0,
    hasFashionMnist: existsSync('/usr/share/datasets/fashion-mnist'),
  };
}

export function describeMachine({ platform, isRoot }: Machine): string {
  return `${platform}-${process.arch}, Node ${process.version}${isRoot ? ', root' : ''}`;
}
