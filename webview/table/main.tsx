import '../base.css';
import './table.css';
import { mountPanel } from '../mountPanel.tsx';
import { editorHost } from '../panelHost.ts';
import { TablePanel } from './TablePanel.tsx';
import { tableModel } from './tableModel.ts';

const host = editorHost();
mountPanel(<TablePanel model={tableModel(host)} />, host);
