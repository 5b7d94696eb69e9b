/** Sixteen-pixel line icons, drawn in the text's colour. */
const paths = {
  running: 'M5 3.5v9l7-4.5z',
  starting: 'M8 2v3M8 11v3M2 8h3M11 8h3M3.8 3.8l2 2M10.2 10.2l2 2M3.8 12.2l2-2M10.2 5.8l2-2',
  stop: 'M4 4h8v8H4z',
  finished: 'M3 8.5l3.2 3.2L13 5',
  failed: 'M4 4l8 8M12 4l-8 8',
  crashed: 'M9 1.5L4 9h3.5L6.5 14.5 12 7H8.5z',
  queued: 'M8 4.5V8l2.5 1.5M8 1.8a6.2 6.2 0 100 12.4A6.2 6.2 0 008 1.8z',
  stale: 'M6 6a2 2 0 114 0c0 1.5-2 1.6-2 3.2M8 12v.2',
  paused: 'M5.5 3.5v9M10.5 3.5v9',
  file: 'M4 1.8h5l3 3v9.4H4zM9 1.8v3h3',
  log: 'M3 4h10M3 8h10M3 12h6',
  compare: 'M5 2.5v11M11 2.5v11M2.5 5L5 2.5 7.5 5M8.5 11L11 13.5 13.5 11',
  download: 'M8 2v8M4.5 6.8L8 10.3l3.5-3.5M2.5 13.5h11',
  table: 'M2.5 3.5h11v9h-11zM2.5 6.5h11M6.2 3.5v9',
  expand: 'M9.5 2.5h4v4M6.5 13.5h-4v-4M13.5 2.5L9 7M2.5 13.5L7 9',
  reset: 'M3 8a5 5 0 105-5H4.5M6.5 1L4.2 3l2.3 2',
  warning: 'M8 2L1.8 13.5h12.4zM8 6.5v3.2M8 11.6v.2',
  info: 'M8 1.8a6.2 6.2 0 100 12.4A6.2 6.2 0 008 1.8zM8 7v4.2M8 4.8V5',
  star: 'M8 1.8l1.9 4 4.3.5-3.2 3 .9 4.3L8 11.4l-3.9 2.2.9-4.3-3.2-3 4.3-.5z',
  plus: 'M8 3v10M3 8h10',
  fork: 'M4.5 3.5v9M4.5 9c0-3 7-1.5 7-5.5M3 3.5h3M10 3.5h3M3 12.5h3',
  half: 'M8 1.8a6.2 6.2 0 100 12.4A6.2 6.2 0 008 1.8zM8 2v12M8 5h4.5M8 8h6M8 11h4.5',
  more: 'M3.5 8h.1M8 8h.1M12.5 8h.1',
  down: 'M4 6l4 4 4-4',
} as const;

export type IconName = keyof typeof paths;

const filled: readonly IconName[] = ['running', 'stop', 'crashed', 'star'];

export function Icon({ name, size = 14 }: { name: IconName; size?: number }) {
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      aria-hidden="true"
      fill={filled.includes(name) ? 'currentColor' : 'none'}
      stroke="currentColor"
      stroke-width={name === 'more' ? 2.4 : 1.5}
      stroke-linecap="round"
      stroke-linejoin="round"
    >
      <path d={paths[name]} />
    </svg>
  );
}
