/** Files that were made to do harm, or that came to some: refused with a sentence, without running or unpacking anything. */
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { crc32 } from '../../../runtime/checkpoint/foreign/crc32.ts';
import { openForeignFile, readForeignTensor } from '../../../runtime/checkpoint/foreign/foreignFile.ts';
import { recogniseVit } from '../../../runtime/checkpoint/foreign/foreignVit.ts';
import { writeTorchFile } from '../../../runtime/checkpoint/foreign/writeTorch.ts';
import { writeSafetensors, type TensorMap } from '../../../runtime/checkpoint/safetensors.ts';
import { readIndexedPng } from '../../../runtime/eval/segmentation/indexedPng.ts';
import { isSimdinoError } from '../../../protocol/errors.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hostile-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const latin = (text: string) => Buffer.from(text, 'latin1');

/** The sentence that refuses a file, its folder left out. */
function refusal(content: Buffer, use: (path: string) => void = (path) => openForeignFile(path).close()): string {
  const path = join(folder, 'file');
  writeFileSync(path, content);
  return refusalOf(path, use);
}

/**
 * The highest memory of this file's own process only ever grows. What a bomb unpacks to is far above what the process had at its
 * highest before, so that none can be unpacked unseen, not even for a moment.
 */
const bombBytes = 2 ** 30;

/** So many zeros as a deflate stream of a megabyte, made of one part over and over so that they are never in memory here. */
function deflatedZeros(): Buffer {
  const part = deflateRawSync(Buffer.alloc(2 ** 24), { finishFlush: constants.Z_FULL_FLUSH });
  return Buffer.concat([...Array<Buffer>(bombBytes / 2 ** 24).fill(part), deflateRawSync(Buffer.alloc(0))]);
}

function refusalOf(path: string, use: (path: string) => void = (p) => openForeignFile(p).close()): string {
  const before = process.resourceUsage().maxRSS;
  try {
    use(path);
  } catch (error) {
    expect(isSimdinoError(error), String(error)).toBe(true);
    expect((process.resourceUsage().maxRSS - before) * 1024, 'memory at its highest').toBeLessThan(bombBytes / 8);
    return (error as Error).message.replaceAll(`${folder}/`, '');
  }
  throw new Error('the file was accepted');
}

/** A zip file; entries are stored, unless they are the deflated form of so many bytes. */
function zip(entries: { name: string; bytes: Buffer; deflatedFrom?: number; claim?: number }[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, bytes, deflatedFrom, claim } of entries) {
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(deflatedFrom === undefined ? 0 : 8, 4);
    fields.writeUInt32LE(crc32(bytes), 10);
    fields.writeUInt32LE(claim ?? bytes.length, 14);
    fields.writeUInt32LE(claim ?? deflatedFrom ?? bytes.length, 18);
    fields.writeUInt16LE(name.length, 22);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    fields.copy(central, 6);
    central.writeUInt32LE(at, 42);
    directory.push(central, latin(name));
    const local = Buffer.concat([latin('PK\x03\x04'), fields, latin(name), bytes]);
    parts.push(local);
    at += local.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, list, end]);
}

const torchZip = (pickle: string, ...more: Parameters<typeof zip>[0]) =>
  zip([{ name: 'archive/data.pkl', bytes: latin(pickle) }, ...more]);

/** A pickled float tensor of storage 0. */
const tensor = (elements: number, shape: number[], strides: number[]) =>
  'ctorch._utils\n_rebuild_tensor_v2\n((' +
  `S'storage'\nctorch\nFloatStorage\nS'0'\nS'cpu'\nI${elements}\ntQI0\n` +
  `(${shape.map((n) => `I${n}\n`).join('')}t(${strides.map((n) => `I${n}\n`).join('')}tI00\n}tR`;

describe('pickles', () => {
  test('that call something are refused by its name, and it is not called', () => {
    const trace = join(folder, 'trace');
    const calls = {
      os: `cos\nsystem\n(S'touch ${trace}'\ntR.`,
      posix: `cposix\nsystem\n(S'touch ${trace}'\ntR.`,
      builtins: `\x80\x04\x8c\x08builtins\x8c\x04eval\x93(S'1'\ntR.`,
      'nested load': `ctorch.storage\n_load_from_bytes\n(S'x'\ntR.`,
    };
    const said = Object.fromEntries(Object.entries(calls).map(([name, pickle]) => [name, refusal(torchZip(pickle))]));
    expect(said).toMatchInlineSnapshot(`
      {
        "builtins": "file can't be imported: it holds a call of \`builtins.eval\`, which is not on the list of harmless names. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
        "nested load": "file can't be imported: it holds a call of \`torch.storage._load_from_bytes\`, which is not on the list of harmless names. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
        "os": "file can't be imported: it holds a call of \`os.system\`, which is not on the list of harmless names. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
        "posix": "file can't be imported: it holds a call of \`posix.system\`, which is not on the list of harmless names. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
      }
    `);
    expect(existsSync(trace)).toBe(false);
    expect(refusal(latin(`\x80\x02cos\nsystem\n(S'touch ${trace}'\ntR.`))).toContain('`os.system`');
    expect(existsSync(trace)).toBe(false);
  });

  test('that are cut short, or count on what is not there', () => {
    expect([
      refusal(torchZip('(S')),
      refusal(torchZip('h\x05.')),
      refusal(torchZip('R.')),
      refusal(torchZip('X\xff\xff\xff\x7fabc.')),
      refusal(torchZip('\x8d\xff\xff\xff\xff\xff\xff\xff\x7fabc.')),
      refusal(torchZip('i\x01.')),
    ]).toMatchInlineSnapshot(`
      [
        "file can't be imported: it holds a pickle that is cut short. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
        "file can't be imported: it holds a reference to something that was never there. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
        "file can't be imported: it holds more taken from the stack than was put there. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
        "file can't be imported: it holds a pickle that is cut short. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
        "file can't be imported: it holds a pickle that is cut short. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
        "file can't be imported: it holds the instruction 0x69, which no PyTorch file needs. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
      ]
    `);
  });

  test('of dictionaries in dictionaries in themselves end', () => {
    // d = {}; d['a'] = d, and so on: 2^n paths lead through n levels that share their children.
    let pickle = '}q\x00';
    for (let level = 1; level < 40; level++)
      pickle += `}q${String.fromCharCode(level)}(S'a'\nh${String.fromCharCode(level - 1)}S'b'\nh${String.fromCharCode(level - 1)}u`;
    expect(refusal(torchZip(`${pickle}.`), (path) => recogniseVit(openForeignFile(path)))).toContain('no `cls_token`');
  });

  test('with tensors of more elements than their storage', () => {
    const state = (t: string) => `}(S'cls_token'\n${t}u.`;
    expect([
      refusal(torchZip(state(tensor(4, [1e9, 1e5], [0, 0])))),
      refusal(torchZip(state(tensor(4, [5], [1])))),
      refusal(torchZip(state(tensor(4, [2], [4])))),
      refusal(
        torchZip(state(tensor(2 ** 50, [2 ** 50], [1])), { name: 'archive/data/0', bytes: latin('1234') }),
        (path) => void readForeignTensor(openForeignFile(path), 'cls_token'),
      ),
    ]).toMatchInlineSnapshot(`
      [
        "file can't be imported: its tensor 'cls_token' [1000000000,100000] claims more than the 4 elements of its storage. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
        "file can't be imported: its tensor 'cls_token' [5] claims more than the 4 elements of its storage. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
        "file can't be imported: its tensor 'cls_token' [2] claims more than the 4 elements of its storage. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
        "file can't be imported: its entry 'archive/data/0' has 4 bytes, and 4503599627370496 are claimed of it. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
      ]
    `);
  });
});

describe('zip files', () => {
  test('that unpack to more than themselves are not unpacked', () => {
    const bomb = deflatedZeros();
    expect(bomb.length).toBeLessThan(bombBytes / 500);
    expect(() => inflateRawSync(bomb, { maxOutputLength: 2 ** 20 })).toThrow(/larger than 1048576/);
    // One that claims to be no larger than it is packed is not unpacked either.
    for (const claim of [bombBytes, bomb.length])
      expect(refusal(zip([{ name: 'archive/data.pkl', bytes: bomb, deflatedFrom: claim }]))).toContain(
        `its entry 'archive/data.pkl' is compressed (${bomb.length} bytes that claim to be ${claim}); PyTorch stores entries as they are.`,
      );
  });

  test('that claim sizes they don\u2019t have', () => {
    expect([
      refusal(zip([{ name: 'archive/data.pkl', bytes: latin('}.'), claim: 2 ** 31 }])),
      refusal(zip([{ name: 'readme', bytes: latin('hello') }])),
      refusal(
        zip([
          { name: 'x/data.pkl', bytes: latin('}.') },
          { name: 'x/data.pkl', bytes: latin('}.') },
        ]),
      ),
      refusal(
        zip([
          { name: 'x/data.pkl', bytes: latin('}.') },
          { name: 'x/byteorder', bytes: latin('big') },
        ]),
      ),
    ]).toMatchInlineSnapshot(`
      [
        "file can't be imported: its pickle has 2147483648 bytes. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
        "file can't be imported: it is a zip file without \`data.pkl\`, not of PyTorch. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
        "file can't be imported: it has two entries 'x/data.pkl'. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
        "file can't be imported: its numbers are big-endian. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
      ]
    `);
  });
});

test('masks that unpack to more than their pixels are not unpacked', () => {
  const chunk = (kind: string, content: Buffer) => {
    const body = Buffer.concat([latin(kind), content]);
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(content.length);
    check.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, check]);
  };
  const header = Buffer.from([0, 0, 0, 4, 0, 0, 0, 4, 8, 0, 0, 0, 0]);
  const sum = Buffer.from([0, 0, 0, 1]);
  sum.writeUInt16BE(bombBytes % 65521);
  const content = Buffer.concat([latin('\x78\x9c'), deflatedZeros(), sum]);
  const file = [
    latin('\x89PNG\r\n\x1a\n'),
    chunk('IHDR', header),
    chunk('IDAT', content),
    chunk('IEND', Buffer.alloc(0)),
  ];
  expect(refusal(Buffer.concat(file), (path) => void readIndexedPng(path))).toMatchInlineSnapshot(
    `"The mask file can't be used: its content does not unpack to its size. Give a PNG of its image’s size whose pixels are class numbers."`,
  );
});

describe('files cut short at every byte', () => {
  const tensors: TensorMap = new Map([['cls_token', { shape: [1, 1, 64], data: new Float32Array(64).fill(1) }]]);
  test('.pth', () => {
    const path = join(folder, 'whole.pth');
    writeTorchFile(path, tensors);
    const { length } = readFileSync(path);
    for (let bytes = length - 1; bytes >= 0; bytes--) {
      truncateSync(path, bytes);
      expect(refusalOf(path, (p) => void readForeignTensor(openForeignFile(p), 'cls_token'))).toMatch(
        /can't be imported/,
      );
    }
  });
  test('.safetensors', () => {
    const path = join(folder, 'whole.safetensors');
    writeSafetensors(path, tensors);
    const { length } = readFileSync(path);
    for (let bytes = length - 1; bytes >= 0; bytes--) {
      truncateSync(path, bytes);
      expect(refusalOf(path, (p) => void readForeignTensor(openForeignFile(p), 'cls_token'))).toMatch(
        /can't be imported/,
      );
    }
  });
});

test('safetensors that overlap, reach beyond the file, or lie about their shape', () => {
  const file = (header: object | string, data = 16, claimed?: bigint) => {
    const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(claimed ?? BigInt(json.length));
    return Buffer.concat([length, json, Buffer.alloc(data)]);
  };
  const entry = (shape: number[], begin: number, end: number, dtype = 'F32') => ({
    dtype,
    shape,
    data_offsets: [begin, end],
  });
  expect([
    refusal(file({ a: entry([2], 0, 8), b: entry([2], 4, 12) })),
    refusal(file({ a: entry([2 ** 40], 0, 2 ** 42) })),
    refusal(file({ a: entry([3], 0, 8) })),
    refusal(file({ a: entry([2 ** 30, 2 ** 30, 2 ** 30], 0, 8) })),
    refusal(file({ a: entry([2], 0, 8, 'F8_E4M3') })),
    refusal(file({ a: { dtype: 'F32', shape: [-1], data_offsets: [0, 4] } })),
    refusal(file('{"a":')),
    refusal(file('{}', 0, 2n ** 63n)),
  ]).toMatchInlineSnapshot(`
    [
      "file can't be imported: its tensors overlap. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
      "file can't be imported: its tensor 'a' [1099511627776] claims bytes 0 to 4398046511104 of 16. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
      "file can't be imported: its tensor 'a' [3] claims bytes 0 to 8 of 16. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
      "file can't be imported: its tensor 'a' [1073741824,1073741824,1073741824] claims bytes 0 to 8 of 16. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
      "file can't be imported: its tensor 'a' is F8_E4M3, expected F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
      "file can't be imported: its entry 'a' is malformed. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
      "file can't be imported: its header is not JSON (Unexpected end of JSON input). Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
      "file can't be imported: its header claims 9223372036854776000 bytes of a 10-byte file. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
    ]
  `);
});

test('networks of other kinds are refused by what they have', () => {
  const zeros = (...shape: number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) });
  const vit: TensorMap = new Map(
    Object.entries({
      cls_token: zeros(1, 1, 64),
      pos_embed: zeros(1, 5, 64),
      'patch_embed.proj.weight': zeros(64, 3, 4, 4),
      'patch_embed.proj.bias': zeros(64),
      'blocks.0.norm1.weight': zeros(64),
      'blocks.0.norm1.bias': zeros(64),
      'blocks.0.attn.qkv.weight': zeros(192, 64),
      'blocks.0.attn.qkv.bias': zeros(192),
      'blocks.0.attn.proj.weight': zeros(64, 64),
      'blocks.0.attn.proj.bias': zeros(64),
      'blocks.0.norm2.weight': zeros(64),
      'blocks.0.norm2.bias': zeros(64),
      'blocks.0.mlp.fc1.weight': zeros(256, 64),
      'blocks.0.mlp.fc1.bias': zeros(256),
      'blocks.0.mlp.fc2.weight': zeros(64, 256),
      'blocks.0.mlp.fc2.bias': zeros(64),
      'norm.weight': zeros(64),
      'norm.bias': zeros(64),
    }),
  );
  let made = 0;
  const said = (change: (tensors: TensorMap) => void, options = {}) => {
    const tensors: TensorMap = new Map(vit);
    change(tensors);
    const path = join(folder, `${made++}.safetensors`);
    writeSafetensors(path, tensors);
    return refusalOf(path, () => recogniseVit(openForeignFile(path), options));
  };
  expect([
    said((t) => t.clear()),
    said((t) => t.delete('norm.bias')),
    said((t) => t.set('norm_pre.weight', zeros(64))),
    said((t) => t.set('blocks.0.attn.q_norm.weight', zeros(64))),
    said((t) => t.set('pos_embed', zeros(1, 7, 64))),
    said((t) => t.set('patch_embed.proj.weight', zeros(64, 1, 4, 4))),
    said((t) => t.set('blocks.0.attn.qkv.weight', zeros(64, 64))),
    said(() => undefined, { heads: 5 }),
    said(() => undefined, { network: 'student' }),
  ]).toMatchInlineSnapshot(`
    [
      "0.safetensors can't be imported: it holds no \`cls_token\`, so no vision transformer of this kind. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
      "1.safetensors can't be imported: its network lacks the tensor 'norm.bias'. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
      "2.safetensors can't be imported: it has the tensor 'norm_pre.weight', which this product's vision transformer has no place for. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
      "3.safetensors can't be imported: it has the tensor 'blocks.0.attn.q_norm.weight', which this product's vision transformer has no place for. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
      "4.safetensors can't be imported: its 7 positions are not those of a square of patches. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
      "5.safetensors can't be imported: its patches have 1 channels, expected 3. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
      "6.safetensors can't be imported: its tensor 'blocks.0.attn.qkv.weight' is [64,64], expected [192,64]. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
      "7.safetensors can't be imported: its width 64 does not tell the number of attention heads; give it with --heads. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
      "8.safetensors can't be imported: it has no network 'student'; it has a bare one. Import a vision transformer of DINO, DINOv2, SimDINO or timm.",
    ]
  `);
});
