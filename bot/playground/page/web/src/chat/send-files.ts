import { report } from "../wire/gestures";
import { upload, type Drop } from "../wire/files";

/** Send files as that person; what goes wrong becomes a note. */
export function sendFiles(files: File[], where: Omit<Drop, "files">): void {
  if (files.length) report(upload({ ...where, files }));
}
