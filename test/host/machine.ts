/** What decides which checks a machine can run. */
export interface Machine {
  platform: NodeJS.Platform;
  isRoot: boolean;
}

export function thisMachine(): Machine {
  return { platform: process.platform, isRoot: process.getuid?.() === 0 };
}

export function describeMachine({ platform, isRoot }: Machine): string {
  return `${platform}-${process.arch}, Node ${process.version}${isRoot ? ', root' : ''}`;
}
