/** Tar archives for tests, block by block, so that they can also be wrong. */
export interface Member {
  name: string;
  content?: Uint8Array | string;
  type?: string;
  prefix?: string;
  /** What the header says instead of the content's length. */
  claimedBytes?: number;
  checksum?: number;
}

export function tar(members: readonly Member[], end: Buffer = Buffer.alloc(1024)): Buffer {
  return Buffer.concat([...members.map(member), end]);
}

export function member({ name, content = '', type = '0', prefix = '', claimedBytes, checksum }: Member): Buffer {
  const bytes = Buffer.from(content);
  const header = Buffer.alloc(512);
  header.write(name, 0, 100);
  header.write('0000644\0', 100);
  header.write((claimedBytes ?? bytes.length).toString(8).padStart(11, '0'), 124);
  header.write(type, 156);
  header.write('ustar\u000000', 257);
  header.write(prefix, 345);
  header.fill(32, 148, 156);
  const sum = checksum ?? header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, bytes, Buffer.alloc(-bytes.length & 511)]);
}

/** A pax record, whose length counts its own digits. */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest);
  while (length !== Buffer.byteLength(rest) + String(length).length)
    length = Buffer.byteLength(rest) + String(length).length;
  return `${length}${rest}`;
}
