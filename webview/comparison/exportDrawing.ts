import type { PanelHost } from '../panelHost.ts';
import { rasterise } from '../rasterise.ts';

/** A drawing of the page as it stands, in the theme's colours, as a file of its own. */
export async function exportDrawing(
  host: PanelHost,
  drawing: SVGSVGElement,
  look: { name: string; format: 'svg' | 'png'; background: string; fontFamily: string },
): Promise<void> {
  const { name, format, background, fontFamily } = look;
  const { width: widthPx, height: heightPx } = drawing.viewBox.baseVal;
  const copy = drawing.cloneNode(true) as SVGSVGElement;
  const attributes = { width: widthPx, height: heightPx, 'font-family': fontFamily, 'font-size': 12 };
  for (const [key, value] of Object.entries(attributes)) copy.setAttribute(key, String(value));
  const ground = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
  for (const [key, value] of Object.entries({ width: '100%', height: '100%', fill: background }))
    ground.setAttribute(key, value);
  copy.prepend(ground);
  const svg = new XMLSerializer().serializeToString(copy);
  const fileName = `${name}.${format}`;
  if (format === 'svg') {
    host.send({ type: 'export', format, fileName, content: { kind: 'text', text: svg } });
    return;
  }
  try {
    const bytes = await rasterise(svg, { widthPx, heightPx, scale: 3 });
    host.send({ type: 'export', format, fileName, content: { kind: 'bytes', bytes } });
  } catch (error) {
    host.send({ type: 'fault', message: `PNG of ${name}: ${String(error)}` });
  }
}
