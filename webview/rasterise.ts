/** PNG bytes of an SVG. The page's policy must allow `data:` images. */
export async function rasterise(
  svg: string,
  { widthPx, heightPx, scale }: { widthPx: number; heightPx: number; scale: number },
): Promise<Uint8Array> {
  const image = new Image(widthPx, heightPx);
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = widthPx * scale;
  canvas.height = heightPx * scale;
  const context = canvas.getContext('2d');
  if (!context) throw new Error('internal: no 2-D canvas');
  context.scale(scale, scale);
  context.drawImage(image, 0, 0, widthPx, heightPx);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (!blob) throw new Error('internal: the canvas gave no PNG');
  return new Uint8Array(await blob.arrayBuffer());
}
