/** The panels as one page without a host: data from the page itself, exports as downloads. */
import '../base.css';
import '../grid/grid.css';
import '../comparison/comparison.css';
import '../table/table.css';
import './report.css';
import { decodeReport } from '../../experiments/reportData.ts';
import { mountPanel } from '../mountPanel.tsx';
import { Notice } from '../parts/controls.tsx';
import { pageHost } from './pageHost.ts';
import { ReportPage } from './ReportPage.tsx';

const element = document.getElementById('report-data');
const dark = matchMedia('(prefers-color-scheme: dark)');
const applyScheme = (): void => {
  document.body.className = dark.matches ? 'vscode-dark' : 'vscode-light';
};
applyScheme();
dark.addEventListener('change', applyScheme);

try {
  const data = decodeReport(element?.textContent ?? '');
  mountPanel(<ReportPage data={data} />, pageHost());
} catch (fault) {
  const message = fault instanceof Error ? fault.message : String(fault);
  mountPanel(
    <main>
      <Notice tone="bad" title="This report can't be read.">
        {message}
      </Notice>
    </main>,
    pageHost(),
  );
}
