/**
 * Reads a pickle without running it. A pickle is a program for a small stack machine; here its instructions put plain values together
 * (`Map`, arrays, numbers, strings, tensors as descriptions), and every function that it would call must be on the list of
 * `pickleGlobals.ts`. Work and memory are bounded by the pickle's own length.
 */
import { allowedGlobal, PickleFault, storageOf, type AllowedGlobal } from './pickleGlobals.ts';
import { PickledObject, type TorchStorage } from './torchTypes.ts';

export interface Unpickled {
  value: unknown;
  /** Where the next pickle of the same stream begins. */
  end: number;
  /** Every storage that it refers to, wherever in the value: by key. */
  storages: ReadonlyMap<string, TorchStorage>;
}

/**
 * Reads one pickle.
 *
 * @throws PickleFault naming what is not allowed, or that it is cut short
 */
export function unpickle(bytes: Buffer, start = 0): Unpickled {
  const machine = new Machine(bytes, start);
  for (;;) {
    const result = machine.step();
    if (result) return { value: result.value, end: machine.at, storages: machine.storages };
  }
}

/** Marks the bottom of a group of stack entries. */
const mark = Symbol('mark');

class Machine {
  private readonly stack: unknown[] = [];
  private readonly memo = new Map<number, unknown>();
  readonly storages = new Map<string, TorchStorage>();

  constructor(
    private readonly bytes: Buffer,
    public at: number,
  ) {}

  /** One instruction; a result at the last one. */
  step(): { value: unknown } | undefined {
    const code = this.take(1)[0]!;
    switch (String.fromCharCode(code)) {
      case '.':
        return { value: this.pop() };
      case '\x80':
        if (this.take(1)[0]! > 5) throw new PickleFault('a pickle of an unknown protocol');
        return;
      case '\x95':
        this.take(8); // a frame's length: a hint for buffered readers
        return;
      // --- marks and the stack
      case '(':
        return this.push(mark);
      case '0':
        this.pop();
        return;
      case '1':
        this.popToMark();
        return;
      case '2': {
        const top = this.pop();
        this.push(top);
        return this.push(top);
      }
      // --- constants
      case 'N':
        return this.push(null);
      case '\x88':
        return this.push(true);
      case '\x89':
        return this.push(false);
      case 'I': {
        const text = this.line();
        return this.push(text === '01' ? true : text === '00' ? false : Number(text));
      }
      case 'K':
        return this.push(this.take(1)[0]);
      case 'M':
        return this.push(this.take(2).readUInt16LE());
      case 'J':
        return this.push(this.take(4).readInt32LE());
      case 'L':
        return this.push(Number(this.line().replace(/L$/, '')));
      case '\x8a':
        return this.push(this.long(this.take(1)[0]!));
      case '\x8b':
        return this.push(this.long(this.take(4).readInt32LE()));
      case 'F':
        return this.push(Number(this.line()));
      case 'G':
        return this.push(this.take(8).readDoubleBE());
      // --- text and bytes
      case 'X':
        return this.push(this.text(this.take(4).readUInt32LE()));
      case '\x8c':
        return this.push(this.text(this.take(1)[0]!));
      case '\x8d':
        return this.push(this.text(this.length64()));
      case 'V':
        return this.push(this.line());
      case 'S':
        return this.push(this.line().replace(/^(['"])(.*)\1$/s, '$2'));
      case 'U':
        return this.push(this.text(this.take(1)[0]!));
      case 'T':
        return this.push(this.text(this.take(4).readInt32LE()));
      case 'C':
        return this.push(Buffer.from(this.take(this.take(1)[0]!)));
      case 'B':
        return this.push(Buffer.from(this.take(this.take(4).readUInt32LE())));
      case '\x8e':
      case '\x96':
        return this.push(Buffer.from(this.take(this.length64())));
      // --- containers
      case ')':
      case ']':
      case '\x8f':
        return this.push([]);
      case '}':
        return this.push(new Map());
      case 't':
      case 'l':
      case '\x91':
        return this.push(this.popToMark());
      case 'd':
        return this.push(mapOfFlat(this.popToMark()));
      case '\x85':
        return this.push([this.pop()]);
      case '\x86':
        return this.push(this.popMany(2));
      case '\x87':
        return this.push(this.popMany(3));
      case 'a':
        return this.append([this.pop()]);
      case 'e':
      case '\x90':
        return this.append(this.popToMark());
      case 's':
        return this.setItems(this.popMany(2));
      case 'u':
        return this.setItems(this.popToMark());
      // --- memo
      case 'p':
        return void this.memo.set(Number(this.line()), this.top());
      case 'q':
        return void this.memo.set(this.take(1)[0]!, this.top());
      case 'r':
        return void this.memo.set(this.take(4).readUInt32LE(), this.top());
      case '\x94':
        return void this.memo.set(this.memo.size, this.top());
      case 'g':
        return this.recall(Number(this.line()));
      case 'h':
        return this.recall(this.take(1)[0]!);
      case 'j':
        return this.recall(this.take(4).readUInt32LE());
      // --- what would be calls
      case 'c':
        return this.push(this.global(this.line(), this.line()));
      case '\x93': {
        const [module, attribute] = this.popMany(2);
        return this.push(this.global(String(module), String(attribute)));
      }
      case 'R':
      case '\x81': {
        const [callable, args] = this.popMany(2);
        return this.push(this.call(callable, args));
      }
      case '\x92': {
        const [callable, args] = this.popMany(3);
        return this.push(this.call(callable, args));
      }
      case 'b':
        return this.build(this.pop());
      case 'Q':
        return this.push(this.persistent(this.pop()));
      case 'P':
        return this.push(this.persistent(this.line()));
      default:
        throw new PickleFault(`the instruction 0x${code.toString(16)}, which no PyTorch file needs`);
    }
  }

  private global(module: string, attribute: string): AllowedGlobal {
    const found = allowedGlobal(module, attribute);
    if (!found)
      throw new PickleFault(`a call of \`${module}.${attribute}\`, which is not on the list of harmless names`);
    return found;
  }

  private call(callable: unknown, args: unknown): unknown {
    if (typeof callable !== 'object' || callable === null || !('call' in callable) || !Array.isArray(args))
      throw new PickleFault('a call of something that is no function');
    return (callable as AllowedGlobal).call(args as unknown[]);
  }

  private persistent(id: unknown): unknown {
    const storage = storageOf(id);
    if (!storage) throw new PickleFault('a reference to something other than a tensor storage');
    this.storages.set(storage.key, storage);
    return storage;
  }

  /** `__setstate__`: kept for objects, ignored for what is whole without it. */
  private build(state: unknown): undefined {
    const target = this.top();
    if (target instanceof PickledObject) target.state = state;
  }

  private append(items: unknown[]): undefined {
    const list = this.top();
    if (!Array.isArray(list)) throw new PickleFault('an append to something that is no list');
    for (const item of items) list.push(item);
  }

  private setItems(flat: unknown[]): undefined {
    const map = this.top();
    if (map instanceof Map) for (let at = 0; at + 1 < flat.length; at += 2) map.set(flat[at], flat[at + 1]);
    else if (!(map instanceof PickledObject)) throw new PickleFault('an item of something that is no dictionary');
  }

  private recall(index: number): undefined {
    if (!this.memo.has(index)) throw new PickleFault('a reference to something that was never there');
    this.push(this.memo.get(index));
  }

  private push(value: unknown): undefined {
    this.stack.push(value);
  }

  private pop(): unknown {
    if (this.stack.length === 0) throw new PickleFault('more taken from the stack than was put there');
    return this.stack.pop();
  }

  private top(): unknown {
    if (this.stack.length === 0) throw new PickleFault('more taken from the stack than was put there');
    return this.stack[this.stack.length - 1];
  }

  private popMany(count: number): unknown[] {
    if (this.stack.length < count) throw new PickleFault('more taken from the stack than was put there');
    return this.stack.splice(-count);
  }

  private popToMark(): unknown[] {
    const at = this.stack.lastIndexOf(mark);
    if (at < 0) throw new PickleFault('a group without a beginning');
    const group = this.stack.splice(at);
    return group.slice(1);
  }

  private take(count: number): Buffer {
    if (!Number.isSafeInteger(count) || count < 0 || this.at + count > this.bytes.length)
      throw new PickleFault('a pickle that is cut short');
    return this.bytes.subarray(this.at, (this.at += count));
  }

  private line(): string {
    const end = this.bytes.indexOf(10, this.at);
    if (end < 0) throw new PickleFault('a pickle that is cut short');
    const text = this.bytes.toString('utf8', this.at, end);
    this.at = end + 1;
    return text;
  }

  private text(count: number): string {
    return this.take(count).toString('utf8');
  }

  private length64(): number {
    return Number(this.take(8).readBigUInt64LE());
  }

  /** A little-endian two's complement integer; of more than 53 bits it is inexact, which only magic numbers are. */
  private long(count: number): number | bigint {
    const bytes = this.take(count);
    if (bytes.length > 64) throw new PickleFault('a whole number of more than 64 bytes');
    let value = 0n;
    for (let index = bytes.length - 1; index >= 0; index--) value = (value << 8n) | BigInt(bytes[index]!);
    if (bytes.length > 0 && bytes[bytes.length - 1]! >= 128) value -= 1n << BigInt(8 * bytes.length);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
}

function mapOfFlat(flat: readonly unknown[]): Map<unknown, unknown> {
  const map = new Map<unknown, unknown>();
  for (let at = 0; at + 1 < flat.length; at += 2) map.set(flat[at], flat[at + 1]);
  return map;
}
