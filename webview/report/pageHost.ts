import type { FromPanelMessage, ToPanelMessage } from '../../protocol/panelMessages.ts';
import type { PanelHost } from '../panelHost.ts';

/** The host of a page that stands alone: it hands out what it was given once, saves files itself, opens runs in place. */
export function pageHost(
  initial?: ToPanelMessage,
  onOpen: (runIds: readonly string[]) => void = () => undefined,
): PanelHost {
  let listener: ((message: ToPanelMessage) => void) | null = null;
  return {
    live: false,
    send(message: FromPanelMessage) {
      if (message.type === 'ready' && initial) listener?.(initial);
      else if (message.type === 'openRun') onOpen([message.runId]);
      else if (message.type === 'compare' || message.type === 'openRuns') onOpen(message.runIds);
      else if (message.type === 'export') download(message.fileName, message.content);
      else if (message.type === 'fault') console.error(message.message);
    },
    receive(callback) {
      listener = callback;
    },
    saved: () => undefined,
    save: () => undefined,
  };
}

function download(fileName: string, content: Extract<FromPanelMessage, { type: 'export' }>['content']): void {
  const blob = new Blob([content.kind === 'text' ? content.text : new Uint8Array(content.bytes)]);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = fileName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
