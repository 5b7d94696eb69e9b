/**
 * TensorBoard's `Event` message: when and at which step, and a summary of named values. Written are scalars and PNG images; read are
 * scalars of both kinds in use, `simple_value` and a one-element tensor.
 */
import { ProtobufWriter } from '../engines/onnx/protobuf.ts';
import { doubleOf, floatOf, readFields, textOf } from './protobufReader.ts';

export interface EncodedImage {
  png: Uint8Array;
  heightPx: number;
  widthPx: number;
}

/** What a written event says besides its time. */
export type EventContent =
  | { kind: 'version' }
  /** Events at this step or later that earlier files hold count no more. */
  | { kind: 'sessionStart'; step: number }
  | { kind: 'scalars'; step: number; values: Readonly<Record<string, number>> }
  | { kind: 'image'; step: number; tag: string; image: EncodedImage };

const eventFields = { wallTime: 1, step: 2, fileVersion: 3, summary: 5, session: 7 } as const;
const valueFields = { tag: 1, simpleValue: 2, image: 4, tensor: 8 } as const;
const sessionStatusStart = 1;
const colourSpaceRgb = 3;

/** One event in TensorBoard's encoding. `timeMs` is Unix time. */
export function encodeEvent(timeMs: number, content: EventContent): Uint8Array {
  const event = new ProtobufWriter().double(eventFields.wallTime, timeMs / 1000);
  switch (content.kind) {
    case 'version':
      return event.text(eventFields.fileVersion, 'brain.Event:2').finish();
    case 'sessionStart':
      return event
        .integer(eventFields.step, content.step)
        .message(eventFields.session, (session) => session.integer(1, sessionStatusStart))
        .finish();
    case 'scalars':
      return event
        .integer(eventFields.step, content.step)
        .message(eventFields.summary, (summary) => {
          for (const [tag, number] of Object.entries(content.values))
            summary.message(1, (value) => value.text(valueFields.tag, tag).float(valueFields.simpleValue, number));
        })
        .finish();
    case 'image': {
      const { tag, image } = content;
      return event
        .integer(eventFields.step, content.step)
        .message(eventFields.summary, (summary) =>
          summary.message(1, (value) =>
            value
              .text(valueFields.tag, tag)
              .message(valueFields.image, (message) =>
                message
                  .integer(1, image.heightPx)
                  .integer(2, image.widthPx)
                  .integer(3, colourSpaceRgb)
                  .bytes(4, image.png),
              ),
          ),
        )
        .finish();
    }
  }
}

/** What was read of an event. */
export interface ReadEvent {
  timeMs: number;
  step: number;
  scalars: { tag: string; value: number }[];
  images: { tag: string; png: Uint8Array }[];
  sessionStart: boolean;
}

/** @throws RangeError when the bytes are no message */
export function decodeEvent(bytes: Uint8Array): ReadEvent {
  const event: ReadEvent = { timeMs: 0, step: 0, scalars: [], images: [], sessionStart: false };
  for (const entry of readFields(bytes)) {
    if (entry.field === eventFields.wallTime && entry.wire === 'fixed64') event.timeMs = 1000 * doubleOf(entry.value);
    else if (entry.field === eventFields.step && entry.wire === 'varint')
      event.step = Number(BigInt.asIntN(64, entry.value));
    else if (entry.field === eventFields.session && entry.wire === 'bytes') event.sessionStart = true;
    else if (entry.field === eventFields.summary && entry.wire === 'bytes')
      for (const value of readFields(entry.value)) if (value.wire === 'bytes') decodeValue(value.value, event);
  }
  return event;
}

function decodeValue(bytes: Uint8Array, event: ReadEvent): void {
  let tag = '';
  let value: number | undefined;
  let png: Uint8Array | undefined;
  for (const entry of readFields(bytes)) {
    if (entry.field === valueFields.tag && entry.wire === 'bytes') tag = textOf(entry.value);
    else if (entry.field === valueFields.simpleValue && entry.wire === 'fixed32') value = floatOf(entry.value);
    else if (entry.field === valueFields.tensor && entry.wire === 'bytes') value = scalarOfTensor(entry.value);
    else if (entry.field === valueFields.image && entry.wire === 'bytes')
      for (const part of readFields(entry.value)) if (part.field === 4 && part.wire === 'bytes') png = part.value;
  }
  if (value !== undefined) event.scalars.push({ tag, value });
  if (png) event.images.push({ tag, png });
}

/** Element types of a `TensorProto`. */
const float32Type = 1n;
const float64Type = 2n;

/** The element of a tensor of one real number, undefined for any other. */
function scalarOfTensor(bytes: Uint8Array): number | undefined {
  let type = 0n;
  let content: Uint8Array | undefined;
  let elements = 1;
  for (const entry of readFields(bytes)) {
    if (entry.field === 1 && entry.wire === 'varint') type = entry.value;
    else if (entry.field === 2 && entry.wire === 'bytes') elements = elementsOfShape(entry.value);
    // `tensor_content`, or the first of the packed or single `float_val` / `double_val`.
    else if ((entry.field === 4 || entry.field === 5 || entry.field === 6) && entry.wire !== 'varint')
      content = entry.value;
  }
  if (!content || elements !== 1) return undefined;
  if (type === float32Type && content.length === 4) return floatOf(content);
  if (type === float64Type && content.length === 8) return doubleOf(content);
  return undefined;
}

function elementsOfShape(shape: Uint8Array): number {
  let elements = 1;
  for (const dimension of readFields(shape)) {
    if (dimension.field !== 2 || dimension.wire !== 'bytes') continue;
    for (const part of readFields(dimension.value))
      if (part.field === 1 && part.wire === 'varint') elements *= Number(part.value);
  }
  return elements;
}
