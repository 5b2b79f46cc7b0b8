// Where a select's options come from: its own list, the workspace, or the app that is asked while somebody types.
import { useEffect, useState } from "react";
import type { OptionsAnswer, Workspace } from "../model/protocol";
import type { BlockElement, Option } from "../model/slack";
import { store, useWorkspace } from "../model/store";
import { visibleChannels } from "../model/state";
import { sentence, type Control } from "../wire/gestures";
import { useSurface } from "./place";
import { textOf } from "./Text";

export interface Group {
  label: string;
  options: Option[];
}

export interface Found {
  groups: Group[];
  note: string;
}

export const flat = (found: Found): Option[] => found.groups.flatMap((group) => group.options);

const DEBOUNCE = 180;
const ASK_FROM = 3; // Slack's default for min_query_length

export function useOptions(element: BlockElement, control: Control, query: string, open: boolean): Found {
  const workspace = useWorkspace();
  const external = useExternal(element, control, query, open && element.type.includes("external"));
  if (external) return external;
  return matching(known(element, workspace), query);
}

function known(element: BlockElement, workspace: Workspace | null): Group[] {
  if (element.type.includes("users")) {
    const people = (workspace?.users ?? []).map((user) => option(user.real_name || user.name, user.id));
    return [{ label: "", options: people }];
  }
  if (element.type.includes("channels") || element.type.includes("conversations")) {
    const open = workspace ? visibleChannels(workspace, store.get().look.user) : [];
    const direct = element.type.includes("conversations");
    const named = open.map((one) => option(one.is_im ? (workspace?.app.name ?? one.name) : `#${one.name}`, one.id));
    return [{ label: "", options: named.filter((_, index) => direct || !open[index]?.is_im) }];
  }
  if (element.option_groups) {
    return element.option_groups.map((group) => ({ label: textOf(group.label), options: group.options }));
  }
  return [{ label: "", options: element.options ?? [] }];
}

const option = (text: string, value: string): Option => ({ text: { type: "plain_text", text }, value });

export function matching(groups: Group[], query: string): Found {
  const typed = query.trim().toLowerCase();
  const left = groups
    .map((group) => ({ ...group, options: group.options.filter((one) => textOf(one.text).toLowerCase().includes(typed)) }))
    .filter((group) => group.options.length);
  return { groups: left, note: left.length ? "" : "Nothing matches." };
}

function useExternal(element: BlockElement, control: Control, query: string, open: boolean): Found | null {
  const surface = useSurface();
  const [found, setFound] = useState<Found>({ groups: [], note: "" });
  const least = element.min_query_length ?? ASK_FROM;
  const { block_id, action_id } = control;
  useEffect(() => {
    if (!open) return;
    if (query.length < least) {
      setFound({ groups: [], note: `Type at least ${least} ${least === 1 ? "character" : "characters"}.` });
      return;
    }
    let stale = false;
    setFound((before) => asking(before, query));
    const timer = setTimeout(() => {
      surface.options({ block_id, action_id }, query).then(
        (answer) => {
          if (!stale) setFound(answered(answer));
        },
        (error: unknown) => {
          if (!stale) setFound({ groups: [], note: sentence(error) });
        },
      );
    }, DEBOUNCE);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
    // The surface is made anew with every drawing; asking again for that would never end.
    // eslint-disable-next-line
  }, [open, query, least, block_id, action_id]);
  return element.type.includes("external") ? found : null;
}

/** Until the app answers, of the old options only those that fit what is typed now: nobody takes a stale one. */
export function asking(before: Found, query: string): Found {
  const { groups } = matching(before.groups, query);
  return { groups, note: groups.length ? "" : "Asking the app…" };
}

export function answered(answer: OptionsAnswer): Found {
  const groups = answer.option_groups
    ? answer.option_groups.map((group) => ({ label: textOf(group.label), options: group.options }))
    : [{ label: "", options: answer.options ?? [] }];
  const some = groups.some((group) => group.options.length);
  return { groups, note: some ? "" : "No results." };
}
