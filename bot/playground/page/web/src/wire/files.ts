// Files dropped or attached: out as a form, back as a download.
import { GestureError } from "./socket";

export interface Drop {
  user: string;
  channel: string;
  thread: string | null;
  files: File[];
  comment: string;
}

export async function upload(drop: Drop): Promise<void> {
  const where = new URLSearchParams({ user: drop.user, channel: drop.channel });
  if (drop.thread) where.set("thread_ts", drop.thread);
  const form = new FormData();
  for (const file of drop.files) form.append("file", file, file.name);
  form.append("comment", drop.comment);
  let answer: Response;
  try {
    answer = await fetch(`/ui/files?${where}`, { method: "POST", body: form });
  } catch {
    throw new GestureError("The file could not be sent: the demo is not connected right now.");
  }
  if (!answer.ok) throw new GestureError(`The file was not taken: ${(await answer.text()).slice(0, 300)}`);
}

export const downloadPath = (id: string, name: string): string =>
  `/ui/files/${encodeURIComponent(id)}/${encodeURIComponent(name)}`;
