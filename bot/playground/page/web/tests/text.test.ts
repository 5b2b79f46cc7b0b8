import { describe, expect, it } from "vitest";
import { firstSteps } from "../src/text/first-steps";
import { bitRate, bytes, dayLabel, duration, percent } from "../src/text/format";
import { hue, initials } from "../src/text/people";
import { safeImage, safeUrl } from "../src/text/urls";
import { visible } from "../src/text/visible";
import { shownJson } from "../src/world/shown-json";

describe("addresses", () => {
  it.each(["http://a.example/", "https://a.example/b?c#d", "mailto:a@example.com"])("%s may be followed", (url) =>
    expect(safeUrl(url)).toBe(url),
  );
  it.each(["javascript:alert(1)", "\u0001javascript:alert(1)", " data:text/html,x", "//evil.example", "/relative", "", null, 7])(
    "%j may not",
    (url) => expect(safeUrl(url)).toBeNull(),
  );
  it("only inline raster pictures are drawn", () => {
    expect(safeImage("data:image/png;base64,AAAA")).not.toBeNull();
    expect(safeImage("data:image/svg+xml;base64,AAAA")).toBeNull();
    expect(safeImage("https://example.com/a.png")).toBeNull();
  });
});

describe("figures", () => {
  it("bytes and rates keep to three digits", () => {
    expect([0, 1023, 1024, 1536, 5 * 1024 ** 3, 2048 * 1024 ** 3].map(bytes)).toEqual(["0 B", "1023 B", "1 KiB", "1.5 KiB", "5 GiB", "2 TiB"]);
    expect([5e3, 2.5e6, 1e9].map(bitRate)).toEqual(["5 kbit/s", "2.5 Mbit/s", "1 Gbit/s"]);
  });
  it("loss shows small shares", () => {
    expect([0, 0.0004, 0.004, 0.1].map(percent)).toEqual(["0 %", "0.04 %", "0.4 %", "10 %"]);
  });
  it("durations", () => expect([5, 600, 3600, 5400].map(duration)).toEqual(["5 s", "10 min", "1 h", "1 h 30 min"]));
  it("days are told from now", () => {
    const now = new Date("2026-11-23T12:00:00");
    const ts = (text: string): string => String(new Date(text).getTime() / 1000);
    expect(dayLabel(ts("2026-11-23T01:00:00"), now)).toBe("Today");
    expect(dayLabel(ts("2026-11-22T23:00:00"), now)).toBe("Yesterday");
    expect(dayLabel(ts("2026-11-16T23:00:00"), now)).toBe("Monday 16 November");
  });
});

describe("names", () => {
  it("characters that act are shown as a mark", () => {
    expect(visible("vpxa\u202egol.exe")).toBe("vpxa\ufffdgol.exe");
    expect(visible("a\nb\u0000\u200b")).toBe("a b\ufffd\ufffd");
    expect(visible("👩\u200d💻")).toBe("👩\u200d💻");
  });
  it("initials and colours are stable", () => {
    expect(["Alice Example", "bob", "", "vm-ops"].map(initials)).toEqual(["AE", "B", "?", "VO"]);
    expect(hue("U1")).toBe(hue("U1"));
  });
  it("the inspector writes acting characters as escapes, and bounds what it shows", () => {
    expect(shownJson({ a: "\u202e" })).toContain("\\u202e");
    expect(shownJson("x".repeat(100_000)).length).toBeLessThan(41_000);
  });
});

it("first steps are those that this world allows", () => {
  const site = (name: string, ...vms: string[]) => ({ name, vms: vms.map((vm) => ({ name: vm })) });
  const lines = (...sites: unknown[]) => firstSteps({ sites } as never).map((step) => step.line);
  expect(firstSteps(null)).toEqual([]);
  expect(lines(site("site1", "web01", "db01"), site("site2"))).toEqual(["/coldmigrate web01 site2", "/coldmigrate db01 site2"]);
  expect(lines(site("site1", "db01"), site("site2", "web01"))).toEqual(["/coldmigrate db01 site2"]);
  expect(lines(site("home", "web01"), site("away"))).toEqual([]);
});
