// The page's icons, drawn inline so that nothing is loaded.

const PATHS = {
  smile: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM8.5 14.2a4.4 4.4 0 0 0 7 0M9 9.7v.1M15 9.7v.1",
  reply: "M4 5h16v11H10l-4 4v-4H4ZM8 9h8M8 12h5",
  more: "M12 5.5v.1M12 12v.1M12 18.5v.1",
  lock: "M6 11h12v9H6ZM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  hash: "M9.5 4 7.5 20M16.5 4l-2 16M4.5 9h16M3.5 15h16",
  send: "M4 12 20 4.5 15 20l-3.5-6.5ZM11.5 13.5 20 4.5",
  clip: "M8 12.5 14 6.5a3 3 0 0 1 4.3 4.3l-7.5 7.5a5 5 0 0 1-7-7L11 4",
  close: "M6 6l12 12M18 6 6 18",
  sun: "M12 7.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM12 2v2.5M12 19.5V22M2 12h2.5M19.5 12H22M5 5l1.7 1.7M17.3 17.3 19 19M5 19l1.7-1.7M17.3 6.7 19 5",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z",
  map: "M3.5 6.5h6v11h-6ZM14.5 6.5h6v11h-6ZM9.5 12h5",
  home: "M4 11.5 12 4.5l8 7M6.5 10v9.5h11V10M10 19.5V14h4v5.5",
  menu: "M4 6.5h16M4 12h16M4 17.5h16",
  down: "M6 9.5l6 6 6-6",
  bolt: "M13 3 5 13.5h6L10 21l8-10.5h-6Z",
  eye: "M2.5 12c2.2-4 5.5-6 9.5-6s7.3 2 9.5 6c-2.2 4-5.5 6-9.5 6s-7.3-2-9.5-6ZM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6Z",
  file: "M6 3h8l4 4v14H6ZM14 3v4h4M9 12h6M9 15.5h6",
  archive: "M4 5h16v4H4ZM5.5 9v10.5h13V9M10 12.5h4",
  picture: "M4 5h16v14H4ZM4 16l5-5 4 4 2.5-2.5L20 17M15.5 9v.1",
  updown: "M8 9.5l4-4 4 4M8 14.5l4 4 4-4",
  people: "M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 19.5c.5-3.5 3-5.5 6.5-5.5s6 2 6.5 5.5M16 5a3.5 3.5 0 0 1 0 6.5M18 14.5c2 .8 3.2 2.5 3.5 5",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" strokeWidth="1.7" strokeLinecap="round" strokeLinejoin="round">
      <path d={PATHS[name]} />
    </svg>
  );
}
