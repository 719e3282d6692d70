// The icons of states: 16 units square, one line of 1.75.
const PATHS = {
  check: "M3.5 8.5l3 3 6-7",
  cross: "M4.5 4.5l7 7m0-7l-7 7",
  dot: "M8 5.5a2.500 2.500 0 1 1 0 5 2.500 2.500 0 0 1 0-5z",
  ring: "M8 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8z",
  half: "M8 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM8 4v8M9.500 4.500v7M10.800 5.500v5",
  dash: "M4 8h8",
  dotted: "M8 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8z",
  slash: "M8 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM5.200 10.800l5.600-5.600",
  empty: "M8 3a5 5 0 1 1 0 10 5 5 0 0 1 0-10zM3 13L13 3",
  pause: "M6 4.500v7m4-7v7",
  warn: "M8 4v5m0 2.500v.1",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
