import '../base.css';
import './look.css';
import { render } from 'preact';
import { isToLookPanel, type FromLookPanel, type ToLookPanel } from '../../protocol/lookMessages.ts';
import { watchTheme } from '../theme.ts';
import { LookPanel } from './LookPanel.tsx';

declare function acquireVsCodeApi(): { postMessage(message: FromLookPanel): void };

const api = acquireVsCodeApi();
const root = document.getElementById('app');
if (!root) throw new Error('internal: the page has no #app');

function show(content: ToLookPanel | null): void {
  render(<LookPanel content={content} look={(runId) => api.postMessage({ type: 'look', runId })} />, root!);
}

watchTheme();
window.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
  if (isToLookPanel(data)) show(data);
});
show(null);
api.postMessage({ type: 'ready' });
