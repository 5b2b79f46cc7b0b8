// Figures and times as people read them. Pure; the zone is the reader's.

export const seconds = (ts: string): number => Number.parseFloat(ts);

const moment = (ts: string): Date => new Date(seconds(ts) * 1000);

const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const FULL = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "medium" });
const DAY = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long" });

export const clock = (ts: string): string => TIME.format(moment(ts));
export const fullTime = (ts: string): string => FULL.format(moment(ts));

/** A key that two messages share when they are of one day. */
export const dayKey = (ts: string): string => moment(ts).toDateString();

export function dayLabel(ts: string, now: Date): string {
  const day = moment(ts);
  if (day.toDateString() === now.toDateString()) return "Today";
  if (day.toDateString() === new Date(now.getTime() - 86_400_000).toDateString()) return "Yesterday";
  return DAY.format(day);
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

export function bytes(count: number): string {
  let unit = 0;
  let left = Math.max(count, 0);
  while (left >= 1024 && unit < UNITS.length - 1) {
    left /= 1024;
    unit += 1;
  }
  return `${rounded(left)} ${UNITS[unit]}`;
}

export function bitRate(bitsPerSecond: number): string {
  if (bitsPerSecond >= 1e9) return `${rounded(bitsPerSecond / 1e9)} Gbit/s`;
  if (bitsPerSecond >= 1e6) return `${rounded(bitsPerSecond / 1e6)} Mbit/s`;
  return `${rounded(bitsPerSecond / 1e3)} kbit/s`;
}

const rounded = (value: number): string => (value >= 100 ? value.toFixed(0) : String(Number(value.toFixed(1))));

/** A share as percent, with as many digits as matter for a link's loss. */
export function percent(share: number): string {
  const value = share * 100;
  return `${value === 0 || value >= 10 ? value.toFixed(0) : Number(value.toFixed(2))} %`;
}

export function duration(total: number): string {
  const whole = Math.round(total);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  const minutes = Math.floor((whole % 3600) / 60);
  return minutes ? `${Math.floor(whole / 3600)} h ${minutes} min` : `${Math.floor(whole / 3600)} h`;
}

export const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;
