import { describe, expect, it } from "vitest";
import { suggest, taken } from "../src/text/suggest";

const known = {
  commands: [
    { command: "/coldmigrate", description: "Move a VM", usage_hint: "<vm> <site>" },
    { command: "/diagnose", description: "Say why", usage_hint: "" },
  ],
  users: [
    { id: "U1", name: "alice", real_name: "Alice Example", is_bot: false, groups: [] },
    { id: "U2", name: "coldmigrate", real_name: "", is_bot: true, groups: [] },
  ],
  groups: [{ id: "S1", handle: "vm-ops", name: "VM operations" }],
};

const titles = (text: string, cursor = text.length): string[] => suggest(text, cursor, known).items.map((item) => item.title);

describe("suggest", () => {
  it("offers commands while the first word is typed, and no longer", () => {
    expect(titles("/")).toEqual(["/coldmigrate", "/diagnose"]);
    expect(titles("/COLD")).toEqual(["/coldmigrate"]);
    expect(titles("/coldmigrate ")).toEqual([]);
    expect(titles("say /cold")).toEqual([]);
  });

  it("offers people, groups and the app first", () => {
    expect(titles("hello @")).toEqual(["@coldmigrate", "@alice", "@vm-ops"]);
    expect(titles("@exam")).toEqual(["@alice"]);
    expect(titles("mail@exam")).toEqual([]);
  });

  it("replaces the word at the cursor and keeps what follows", () => {
    const { from, items } = suggest("ask @ali now", 8, known);
    expect(taken("ask @ali now", 8, from, items[0]!.insert)).toEqual({ text: "ask @alice now", cursor: 11 });
  });
});
