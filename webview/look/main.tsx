import '../base.css';
import './look.css';
import { mountPanel } from '../mountPanel.tsx';
import { editorHost } from '../panelHost.ts';
import { LookPanel } from './LookPanel.tsx';
import { lookModel } from './lookModel.ts';

const host = editorHost();
mountPanel(<LookPanel model={lookModel(host)} />, host);
