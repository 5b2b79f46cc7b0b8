import { describe, expect, it } from "vitest";
import { keepSame } from "../src/model/same";
import { EMPTY, isUnread, reduce, type Action, type State } from "../src/model/state";
import { NOWHERE } from "../src/model/look";

const person = (id: string, is_bot = false) => ({ id, name: id.toLowerCase(), real_name: "", is_bot, groups: [] });
const channel = (id: string, more: object = {}) => ({
  id, name: id, is_private: false, is_archived: false, topic: "", members: ["U1", "U2"], last_ts: null, ...more,
});
const workspace = {
  name: "Demo",
  app: { id: "A", name: "app", user_id: "UB", bot_id: "B" },
  commands: [], shortcuts: [], groups: [],
  users: [person("UB", true), person("U1"), person("U2")],
  channels: [
    channel("C1"), channel("C2", { last_ts: "5.0" }), channel("G1", { is_private: true, members: ["U1"] }),
    channel("D1", { is_im: true, members: ["U1", "UB"] }), channel("D2", { is_im: true, members: ["U2", "UB"] }),
  ],
};
const put = (part: "workspace" | "channel", value: unknown): Action => ({ do: "server", said: { type: "put", part, value } });
const play = (...actions: Action[]): State => actions.reduce(reduce, { ...EMPTY, look: NOWHERE });

describe("reduce", () => {
  it("settles on the first person and the first channel", () => {
    expect(play(put("workspace", workspace)).look).toEqual({ user: "U1", channel: "C1", thread: null, home: null });
  });

  it("keeps a remembered look that still exists and leaves one that does not", () => {
    const look = { user: "U2", channel: "C2", thread: "1.0", home: null };
    expect(reduce({ ...EMPTY, look }, put("workspace", workspace)).look).toEqual(look);
    expect(reduce({ ...EMPTY, look: { ...look, channel: "C9" } }, put("workspace", workspace)).look).toEqual({ ...look, channel: "C1", thread: null });
  });

  it("does not take somebody into a private channel of somebody else", () => {
    const state = play(put("workspace", workspace), { do: "channel", id: "G1" }, { do: "as", user: "U2" });
    expect(state.look.channel).toBe("C1");
  });

  it("shows the direct messages of whoever looks", () => {
    const state = play(put("workspace", workspace), { do: "home", tab: "messages" });
    expect(state.look.channel).toBe("D1");
    expect(reduce(state, { do: "as", user: "U2" }).look).toMatchObject({ channel: "D2", home: "messages" });
  });

  it("drops the messages of the old channel at once", () => {
    const state = play(put("workspace", workspace), put("channel", { id: "C1", messages: [] }), { do: "channel", id: "C2" });
    expect(state.parts.channel).toBeNull();
  });

  it("counts as unread what came after it was seen", () => {
    const state = play(put("workspace", workspace));
    const second = workspace.channels[1]!;
    expect(isUnread(state, second)).toBe(true);
    expect(isUnread(reduce(state, { do: "seen", channel: "C2", ts: "5.0" }), second)).toBe(false);
  });

  it("ignores parts it does not know", () => {
    const state = play();
    expect(reduce(state, { do: "server", said: { type: "put", part: "constructor" as never, value: 1 } }).parts).toBe(state.parts);
  });
});

describe("keepSame", () => {
  it("keeps the identity of messages that did not change", () => {
    const before = [{ ts: "1", text: "a" }, { ts: "2", text: "b" }];
    const after = keepSame(before, [{ ts: "0", text: "new" }, { ts: "1", text: "a" }, { ts: "2", text: "c" }]);
    expect(after[1]).toBe(before[0]);
    expect(after[2]).not.toBe(before[1]);
    expect(keepSame(before, structuredClone(before))).toBe(before);
  });

  it("is not fooled by a prototype's keys", () => {
    expect(keepSame({}, JSON.parse('{"__proto__": {"x": 1}, "a": 1}') as object)).toHaveProperty("a", 1);
    expect(({} as { x?: number }).x).toBeUndefined();
  });
});
