import '../base.css';
import './grid.css';
import { mountPanel } from '../mountPanel.tsx';
import { editorHost } from '../panelHost.ts';
import { GridPanel } from './GridPanel.tsx';
import { gridModel } from './gridModel.ts';

const host = editorHost();
mountPanel(<GridPanel model={gridModel(host)} />, host);
