import '../base.css';
import './comparison.css';
import { curvesModel } from '../curves/curvesModel.ts';
import { mountPanel } from '../mountPanel.tsx';
import { editorHost } from '../panelHost.ts';
import { ComparisonPanel } from './ComparisonPanel.tsx';

const host = editorHost();
mountPanel(<ComparisonPanel model={curvesModel(host, 'comparison')} />, host);
