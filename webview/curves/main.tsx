import '../base.css';
import { mountPanel } from '../mountPanel.tsx';
import { editorHost } from '../panelHost.ts';
import { CurvesPanel } from './CurvesPanel.tsx';
import { curvesModel } from './curvesModel.ts';

const host = editorHost();
mountPanel(<CurvesPanel model={curvesModel(host)} />, host);
