/** Starts a panel: theme, error boundary, first message. */
import type { ComponentChildren } from 'preact';
import { Component, render } from 'preact';
import { t } from './l10n.ts';
import type { PanelHost } from './panelHost.ts';
import { Notice } from './parts/controls.tsx';
import { watchTheme } from './theme.ts';

export function mountPanel(panel: ComponentChildren, host: PanelHost): void {
  watchTheme();
  const report = (fault: unknown): void => {
    host.send({
      type: 'fault',
      message: (fault instanceof Error ? (fault.stack ?? fault.message) : String(fault)).slice(0, 4000),
    });
  };
  window.addEventListener('error', (event) => report(event.error ?? event.message));
  window.addEventListener('unhandledrejection', (event) => report(event.reason));
  const root = document.getElementById('app');
  if (!root) throw new Error('internal: the page has no #app');
  render(<FaultBoundary report={report}>{panel}</FaultBoundary>, root);
}

class FaultBoundary extends Component<
  { report: (fault: unknown) => void; children: ComponentChildren },
  { fault: Error | null }
> {
  override state: { fault: Error | null } = { fault: null };

  override componentDidCatch(fault: Error): void {
    this.props.report(fault);
    this.setState({ fault });
  }

  override render() {
    const { fault } = this.state;
    if (!fault) return this.props.children;
    return (
      <main>
        <Notice tone="bad" title={t('This panel met a fault of its own.')}>
          <p>{fault.message}</p>
          <p>{t('Close and open it again; the details are in the SimDINO log. The run is not affected.')}</p>
        </Notice>
      </main>
    );
  }
}
