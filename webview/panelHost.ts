/** The panel's side of the conversation with whoever shows it: the extension, or a report's own page. */
import { checkPanelState, checkToPanel } from '../protocol/checkPanelMessage.ts';
import type { FromPanelMessage, PanelState, ToPanelMessage } from '../protocol/panelMessages.ts';
import { fromWire } from '../protocol/panelTransport.ts';

export interface PanelHost {
  /** False in a report: there is nothing to stop, open or start. */
  live: boolean;
  send(message: FromPanelMessage): void;
  /** Calls back with every valid message; an invalid one is reported to the host and dropped. */
  receive(listener: (message: ToPanelMessage) => void): void;
  saved(): PanelState | undefined;
  save(state: PanelState): void;
}

interface EditorApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}
declare function acquireVsCodeApi(): EditorApi;

/** The extension host, from inside a webview. May be called once in a page. */
export function editorHost(): PanelHost {
  const api = acquireVsCodeApi();
  const send = (message: FromPanelMessage): void => api.postMessage(message);
  return {
    live: true,
    send,
    receive(listener) {
      window.addEventListener('message', (event: MessageEvent<unknown>) => {
        const checked = checkToPanel(fromWire(event.data));
        if (checked.ok) listener(checked.message);
        else send({ type: 'fault', message: `dropped a message: ${checked.reason}` });
      });
    },
    saved: () => checkPanelState(api.getState()),
    save: (state) => api.setState(state),
  };
}
