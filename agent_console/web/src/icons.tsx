/** The console's icons: paths on a 24 by 24 grid, drawn as 2 px strokes in the colour of the text. */
const PATHS = {
  check: 'M5 12.5l4.5 4.5L19 7.5',
  pause: 'M9 6v12M15 6v12',
  power: 'M12 4v8M7 7a7 7 0 1 0 10 0',
  bell: 'M6 17V11a6 6 0 0 1 12 0v6l1.5 1.5h-15zM10 21h4',
  bellOff: 'M6 17V11a6 6 0 0 1 1.2-3.6M9.5 5.5A6 6 0 0 1 18 11v4M17 18.5H4.5L6 17M10 21h4M4 4l16 16',
  phone:
    'M6 3.5h3l1.6 4.4-2 1.6a12 12 0 0 0 5.9 5.9l1.6-2 4.4 1.6v3a2 2 0 0 1-2.2 2A16.5 16.5 0 0 1 4 5.7a2 2 0 0 1 2-2.2z',
  phoneIn:
    'M15 4v5h5M20.5 3.5L15 9M6 3.5h3l1.6 4.4-2 1.6a12 12 0 0 0 5.9 5.9l1.6-2 4.4 1.6v3a2 2 0 0 1-2.2 2A16.5 16.5 0 0 1 4 5.7a2 2 0 0 1 2-2.2z',
  phoneOut:
    'M15 3.5h5.5V9M20.5 3.5L15 9M6 3.5h3l1.6 4.4-2 1.6a12 12 0 0 0 5.9 5.9l1.6-2 4.4 1.6v3a2 2 0 0 1-2.2 2A16.5 16.5 0 0 1 4 5.7a2 2 0 0 1 2-2.2z',
  hangUp: 'M3.5 15.5c-1-2 .2-4 2-5a14 14 0 0 1 13 0c1.8 1 3 3 2 5l-4.3-1v-3a13 13 0 0 0-8.4 0v3z',
  headset: 'M4 15v-3a8 8 0 0 1 16 0v3M4 15h3v5H5.5A1.5 1.5 0 0 1 4 18.5zM20 15h-3v5h1.5a1.5 1.5 0 0 0 1.5-1.5z',
  mic: 'M12 14a3 3 0 0 0 3-3V6a3 3 0 0 0-6 0v5a3 3 0 0 0 3 3zM5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21',
  micOff:
    'M9 9v2a3 3 0 0 0 4.5 2.6M15 10.5V6a3 3 0 0 0-5.8-1M5.5 11a6.5 6.5 0 0 0 10 5.5M18.3 12.5a6.5 6.5 0 0 0 .2-1.5M12 17.5V21M4 4l16 16',
  keypad: 'M6 5h.01M12 5h.01M18 5h.01M6 11h.01M12 11h.01M18 11h.01M6 17h.01M12 17h.01M18 17h.01',
  pencil: 'M4 20l1-4.5L16.5 4a1.5 1.5 0 0 1 2.1 0l1.4 1.4a1.5 1.5 0 0 1 0 2.1L8.5 19z',
  user: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5a7.5 7.5 0 0 1 15 0',
  users:
    'M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 19.5a6.5 6.5 0 0 1 13 0M16 4.8a3.5 3.5 0 0 1 0 6.4M18 14.2a6.5 6.5 0 0 1 3.5 5.3',
  userPlus: 'M10 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2.5 20.5a7.5 7.5 0 0 1 13-5M18.5 15v6M15.5 18h6',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5.5l3.5 2',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5L20.5 20.5',
  sun: 'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4',
  moon: 'M20 14A8.5 8.5 0 0 1 10 4a8.5 8.5 0 1 0 10 10z',
  help: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM9.5 9.5a2.5 2.5 0 1 1 3.5 2.3c-.7.3-1 .8-1 1.7M12 16.8v.2',
  signOut: 'M14 4H6v16h8M10 12h10.5M17 8.5l3.5 3.5-3.5 3.5',
  warning: 'M12 4L2.8 20h18.4zM12 10v4.5M12 17.2v.2',
  note: 'M5 4h14v11l-5 5H5zM14 20v-5h5M8.5 8.5h7M8.5 12h4',
  mail: 'M3.5 6h17v12.5h-17zM3.5 7l8.5 6.5L20.5 7',
  voicemail: 'M7 15a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM17 15a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM7 15h10',
  chat: 'M4 5h16v11h-9l-4.5 4v-4H4z',
  dot: 'M12 14.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z',
  language: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM3.5 12h17M12 3c5 5.5 5 12.5 0 18M12 3c-5 5.5-5 12.5 0 18',
  chevronRight: 'M9 5.5l6.5 6.5L9 18.5',
  chevronDown: 'M5.5 9l6.5 6.5L18.5 9',
  chevronUp: 'M5.5 15l6.5-6.5 6.5 6.5',
  close: 'M6 6l12 12M18 6L6 18',
} as const;

export type IconName = keyof typeof PATHS;

interface IconProps {
  readonly name: IconName;
  /** CSS pixels; 18 unless told. */
  readonly size?: number;
}

/** A picture beside a text that says the same; invisible to screen readers. */
export function Icon({ name, size = 18 }: IconProps) {
  return (
    <svg
      className="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={2}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
